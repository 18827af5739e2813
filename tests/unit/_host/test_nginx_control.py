# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host.nginx_control import Nginx, NginxError


class Recorded:
    """Plays `nginx -t`: refuses what holds the word bad, and keeps what the copy said."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.stage = ""

    def __call__(self, words: list[str], _variables: dict[str, str]) -> tuple[int, str, str]:
        config = Path(words[words.index("-c") + 1]) if "-c" in words else None
        if config is None:
            return 0, "", ""
        self.stage = str(config.parent)
        self.files = {str(path.relative_to(config.parent)): path.read_text() for path in config.parent.rglob("*.conf")}
        bad = [path for path in config.parent.rglob("sites-enabled/*") if "bad" in path.read_text()]
        if not bad:
            return 0, "", ""
        said = f"2026/11/21 11:19:47 [emerg] 20#20: unknown directive in {bad[0]}:1\n"
        return 1, "", said + f"nginx: configuration file {config} test failed\n"


def test_a_copy_is_checked_in_which_the_paths_name_the_copy(tmp_path: Path) -> None:
    root, run = tmp_path / "nginx", Recorded()
    for folder in ("sites-available", "sites-enabled"):
        (root / folder).mkdir(parents=True)
    (root / "nginx.conf").write_text(f"include {root}/sites-enabled/*;\n")
    (root / "sites-available" / "old.conf").write_text("old")
    (root / "sites-enabled" / "old.conf").symlink_to(root / "sites-available" / "old.conf")
    nginx = Nginx(run, str(root))
    path, link = f"{root}/sites-available/a.conf", f"{root}/sites-enabled/a.conf"
    assert nginx.staged_complaint({path: b"good"}, {link: "../sites-available/a.conf"}, []) is None
    assert run.files["nginx.conf"] == f"include {run.stage}/sites-enabled/*;\n"
    assert (run.files["sites-enabled/a.conf"], run.files["sites-enabled/old.conf"]) == ("good", "old")
    said = nginx.staged_complaint({path: b"bad"}, {link: "../sites-available/a.conf"}, [])
    assert said == f"unknown directive in {link}:1"
    assert nginx.staged_complaint({}, {}, [f"{root}/sites-enabled/old.conf"]) is None
    assert "sites-enabled/old.conf" not in run.files
    assert sorted(item.name for item in (root / "sites-enabled").iterdir()) == ["old.conf"]


MASTER = """
import signal, subprocess, sys
started = []
def hup(*_):
    if sys.argv[1] == "takes":
        started.append(subprocess.Popen(["sleep", "30"]))
def term(*_):
    [one.kill() for one in started]
    sys.exit()
signal.signal(signal.SIGHUP, hup)
signal.signal(signal.SIGTERM, term)
print("up", flush=True)
while True:
    signal.pause()
"""


@pytest.fixture(params=["takes"])
def master(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Return a process and its pid file; it starts a worker at SIGHUP, or ("keeps") none."""
    process = subprocess.Popen([sys.executable, "-c", MASTER, request.param], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    (tmp_path / "pid").write_text(f"{process.pid}\n")
    yield process, tmp_path / "pid"
    process.terminate()
    process.wait(5)


def played(pid_file: Path, kill: Any = os.kill) -> Nginx:
    nginx = Nginx(lambda _words, _variables: (0, "", ""), pid_file=str(pid_file), kill=kill)
    nginx.names = (Path("/proc/self/comm").read_text().strip(), Path(sys.executable).name)  # type: ignore[assignment]
    return nginx


def test_a_reload_ends_with_a_new_worker(master: Any) -> None:
    process, pid_file = master
    nginx = played(pid_file)
    assert nginx.parent() == process.pid
    assert 0 < nginx.graceful(5) < 5
    assert Nginx(lambda _words, _variables: (0, "", ""), pid_file=str(pid_file)).parent() == 0


@pytest.mark.parametrize("master", ["keeps"], indirect=True)
def test_a_master_that_keeps_its_old_configuration_is_told(master: Any) -> None:
    _process, pid_file = master
    with pytest.raises(NginxError, match=r"nginx did not take the configuration within 0\.3 s"):
        played(pid_file).graceful(0.3)


def test_a_master_that_ends_is_told(master: Any) -> None:
    process, pid_file = master

    def kill(pid: int, _number: int) -> None:
        os.kill(pid, signal.SIGKILL)
        process.wait(5)

    with pytest.raises(NginxError, match=f"nginx's master process {process.pid} ended at the reload"):
        played(pid_file, kill).graceful(5)


def test_no_master_is_told(tmp_path: Path) -> None:
    with pytest.raises(NginxError, match="nginx is not running"):
        played(tmp_path / "none").graceful(1)


@pytest.mark.parametrize(
    ("status", "said"), [(0, ""), (1, "nginx could not be started again: see `journalctl -u nginx`.")]
)
def test_a_start_that_fails_is_told(status: int, said: str) -> None:
    assert Nginx(lambda _words, _variables: (status, "", "Job failed.")).start() == said
