# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._host import apache_control
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache_control import (
    Apache,
    ApacheError,
    broken_certificates,
    children,
)

NOISE = "AH00558: apache2: Could not reliably determine the server's fully qualified domain name\n"


class Runner:
    """Answers commands in turn, and remembers them."""

    def __init__(self, *answers: tuple[int, str, str]) -> None:
        self.answers = list(answers)
        self.seen: list[tuple[list[str], dict[str, str]]] = []

    def __call__(self, words: list[str], variables: dict[str, str]) -> tuple[int, str, str]:
        self.seen.append((words, variables))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def test_a_configuration_that_passes_has_no_complaint() -> None:
    run = Runner((0, "", NOISE + "Syntax OK\n"))
    assert Apache(run).complaint() is None
    assert run.seen == [(["apache2ctl", "-t"], {"APACHE_ULIMIT_MAX_FILES": "true", "LC_ALL": "C"})]


def test_a_complaint_is_one_line_without_noise() -> None:
    err = NOISE + "AH00526: Syntax error on line 3 of /x:\nInvalid command 'Bad'\nAction '-t' failed.\n"
    assert Apache(Runner((1, "", err))).complaint() == "AH00526: Syntax error on line 3 of /x: Invalid command 'Bad'"
    assert Apache(Runner((1, "", NOISE))).complaint() == "status 1"


def test_the_stage_holds_the_new_files_and_links(tmp_path: Path) -> None:
    root = tmp_path / "apache2"
    (root / "mods-enabled").mkdir(parents=True)
    (root / "a.conf").write_text("old\n")
    (root / "mods-enabled" / "gone.load").symlink_to("x")
    staged: dict[str, Any] = {}

    def run(_words: list[str], variables: dict[str, str]) -> tuple[int, str, str]:
        stage = Path(variables["APACHE_CONFDIR"])
        staged["a"] = (stage / "a.conf").read_text()
        staged["links"] = sorted(path.name for path in (stage / "mods-enabled").iterdir())
        return 1, "", "No.\n"

    texts = {str(root / "a.conf"): b"new\n", "/elsewhere/b.conf": b"x\n"}
    links = {str(root / "mods-enabled" / "proxy.load"): "../x"}
    apache = Apache(run, str(root))
    assert apache.staged_complaint(texts, links, [str(root / "mods-enabled" / "gone.load")]) == "No."
    assert staged == {"a": "new\n", "links": ["proxy.load"]}
    assert (root / "a.conf").read_text() == "old\n"


def test_a_copy_is_read_through_its_own_paths_alone(tmp_path: Path) -> None:
    root = tmp_path / "apache2"
    (root / "conf-enabled").mkdir(parents=True)
    (root / "a.conf").write_text("old\n")
    (root / "gone.conf").write_text("old\n")
    (root / "conf-enabled" / "a.conf").symlink_to(root / "a.conf")
    (root / "conf-enabled" / "out.conf").symlink_to("/dev/null")
    (root / "apache2.conf").write_bytes(f"ServerRoot {root}\nInclude {root}/a.conf\n# caf\xe9\n".encode("latin-1"))
    run = Runner((1, "out of STAGE", "err"))
    apache = Apache(run, str(root))
    with apache.staged({str(root / "a.conf"): b"new\n"}, {}, [str(root / "gone.conf")]) as stage:
        copy = Path(stage)
        assert (copy / "conf-enabled" / "a.conf").read_text() == "new\n"
        assert (copy / "conf-enabled" / "out.conf").readlink() == Path("/dev/null")
        assert not (copy / "gone.conf").exists()
        text = f"ServerRoot {stage}\nInclude {stage}/a.conf\n# caf\xe9\n"
        assert (copy / "apache2.conf").read_bytes() == text.encode("latin-1")
        run.answers = [(1, f"in {stage}/a.conf", f"at {stage}")]
        assert apache.reader(stage)(["x", "-t"]) == (1, f"in {root}/a.conf", f"at {root}")
        assert run.seen[-1][1]["APACHE_CONFDIR"] == stage
    apache.reader()(["x"])
    assert "APACHE_CONFDIR" not in run.seen[-1][1]
    assert (root / "gone.conf").exists()


def test_an_apache_that_does_not_run(tmp_path: Path) -> None:
    apache = Apache(Runner((0, "", "")), pid_file=str(tmp_path / "none"))
    assert apache.parent() == 0
    with pytest.raises(ApacheError, match="is not running"):
        apache.graceful(1)


def test_a_pid_file_that_names_another_process(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(f"{os.getpid()}\n")
    assert Apache(Runner((0, "", "")), pid_file=str(tmp_path / "pid")).parent() == 0


def _running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *generations: frozenset[int]) -> Apache:
    (tmp_path / "pid").write_text(f"{os.getpid()}\n")
    seen = list(generations)
    monkeypatch.setattr(apache_control, "children", lambda _pid: seen.pop(0) if len(seen) > 1 else seen[0])
    signals: list[tuple[int, int]] = []
    apache = Apache(Runner((0, "", "")), "/x", str(tmp_path / "pid"), lambda pid, number: signals.append((pid, number)))
    apache.signals = signals
    apache.names = (Path("/proc/self/comm").read_text().strip(),)
    return apache


def test_a_reload_ends_when_there_are_new_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apache = _running(tmp_path, monkeypatch, frozenset({1}), frozenset({1, 2}), frozenset({1, 2, 3}))
    assert 0.2 <= apache.graceful(5) < 5
    assert apache.signals == [(os.getpid(), signal.SIGUSR1)]


def test_a_reload_without_new_processes_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apache = _running(tmp_path, monkeypatch, frozenset({1}))
    with pytest.raises(ApacheError, match="no new processes within"):
        apache.graceful(0.2)


def test_a_parent_that_ends_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apache = _running(tmp_path, monkeypatch, frozenset({1}))
    pids = [7, 0]
    monkeypatch.setattr(apache, "parent", lambda: pids.pop(0))
    with pytest.raises(ApacheError, match="process 7 ended at the reload"):
        apache.graceful(5)


def test_a_start_that_fails_is_told() -> None:
    assert Apache(Runner((0, "", ""))).start() == ""
    said = "Apache could not be started again: see `journalctl -u apache2`."
    assert Apache(Runner((1, "", "Job failed."))).start() == said


def test_children_of_a_process_that_is_not_there() -> None:
    assert children(2**30) == frozenset()
    assert isinstance(children(os.getpid()), frozenset)


def test_certificates_are_paired_with_their_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    def line(name: str, value: str) -> Directive:
        return Directive(name, value, "/f", 1)

    vhost = Directive("VirtualHost", "*:443", "/f", 1, True)
    vhost.children = [
        line("SSLCertificateFile", "/rsa.crt"),
        line("SSLCertificateKeyFile", "/rsa.key"),
        line("SSLCertificateFile", '"/ec both.pem"'),
    ]
    pairs: list[tuple[str, str]] = []
    monkeypatch.setattr(apache_control, "_mismatch", lambda cert, key: pairs.append((cert, key)) or f"{cert} is bad.")
    assert broken_certificates([line("Listen", "443"), vhost]) == ["/rsa.crt is bad.", "/ec both.pem is bad."]
    assert pairs == [("/rsa.crt", "/rsa.key"), ("/ec both.pem", "/ec both.pem")]


def test_a_certificate_that_cannot_be_read_is_told() -> None:
    found = broken_certificates([Directive("SSLCertificateFile", "/no/such.pem", "/f", 1)])
    assert len(found) == 1
    assert "/no/such.pem" in found[0]
