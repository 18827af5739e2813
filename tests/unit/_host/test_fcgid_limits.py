# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Against a tree of files and an Apache that reads it; the real one is in the scenario fcgid_limits."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgid_limits import LimitError
from ansible_collections.phpops.webhost.plugins.module_utils._host import apache_reload, fcgid_limits, php_cgi
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache import Apache as Dump
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache import ApacheUnavailable
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache_control import Apache, ApacheError
from ansible_collections.phpops.webhost.plugins.module_utils._host.fcgid_limits import Settings, apply
from ansible_collections.phpops.webhost.plugins.module_utils._host.lock import locked

VHOST = b"<VirtualHost *:80>\r\n  ServerName a.test\r\n  IPCCommTimeout 9\r\n</VirtualHost>\r\n"
OLD = b"MaxProcessCount 10\n# last"
WANTED = {"FcgidMaxProcesses": 20, "FcgidMinProcessesPerClass": 0}
SITE = [{"name": "a.test", "limits": {"FcgidMaxProcessesPerClass": 4}}]


class FakeApache(Apache):
    """Reads the files below its folder in the order of their names; refuses the word Bad; counts reloads."""

    def __init__(self, root: Path) -> None:
        super().__init__(lambda _words, _variables: (0, "", ""), str(root))
        self.pid, self.reloads, self.fails, self.modules_there, self.started = 4, 0, "", ["fcgid"], 0

    def parent(self) -> int:
        return self.pid

    def graceful(self, timeout_seconds: float) -> float:
        if self.fails:
            raise ApacheError(self.fails)
        self.reloads += 1
        return 0.5

    def start(self) -> str:
        self.started += 1
        return "It is down."

    def read(self, stage: str | None) -> Dump:
        config = []
        for path in sorted(Path(stage or self.config_root).glob("*-enabled/*")):
            name = str(path).replace(stage, self.config_root) if stage else str(path)
            vhost: Directive | None = None
            for number, line in enumerate(path.read_text("latin-1").splitlines(), 1):
                words = line.strip().strip("<>").split(None, 1)
                if not words or words[0].startswith(("#", "IfModule", "/IfModule")):
                    continue
                if words[0] == "Bad":
                    raise ApacheUnavailable("Apache says Bad.")
                if words[0] == "/VirtualHost":
                    vhost = None
                    continue
                item = Directive(words[0], words[1] if words[1:] else "", name, number, words[0] == "VirtualHost")
                (vhost.children if vhost else config).append(item)
                vhost = item if item.section else vhost
        return Dump(config, [], {}, self.modules_there, "2.4")


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return (apache, settings, a function that gives all files with their bytes)."""
    root = tmp_path / "apache2"
    for folder in ("conf-available", "conf-enabled", "sites-available", "sites-enabled"):
        (root / folder).mkdir(parents=True)
    (root / "conf-enabled" / "zz.conf").write_bytes(OLD)
    (root / "sites-available" / "a.conf").write_bytes(VHOST)
    (root / "sites-available" / "a.conf").chmod(0o640)
    (root / "sites-enabled" / "a.conf").symlink_to("../sites-available/a.conf")
    apache = FakeApache(root)
    wrapper = {"readable": True, "php_fcgi_max_requests": 1000, "unresolved": [], "path": "/w"}
    vhost = {"file": str(root / "sites-available" / "a.conf"), "line": 1, "macro": None}
    site = {"name": "a.test", "site": "a-test", "names": ["a.test"], "php": {"method": "fcgid_wrapper"}}
    monkeypatch.setattr(fcgid_limits, "read", lambda control, stage=None: control.read(stage))
    monkeypatch.setattr(fcgid_limits, "sites_of", lambda _dump: [{**site, "wrapper": wrapper, "vhosts": [vhost]}])
    monkeypatch.setattr(fcgid_limits, "installed", lambda: True)
    monkeypatch.setattr(php_cgi, "wait_idle", lambda _timeout, _quiet: (0.0, []))
    monkeypatch.setattr(php_cgi, "php_cgi", list)
    monkeypatch.setattr(apache_reload, "is_due", lambda _apache, _written: True)
    settings = Settings(lock=str(tmp_path / "lock"), folder=str(tmp_path / "backup"), lock_timeout_seconds=0.2)

    def files() -> dict[str, Any]:
        return {
            str(path.relative_to(root)): (path.is_symlink(), path.stat().st_mode, path.read_bytes())
            for path in sorted(root.rglob("*"))
            if not path.is_dir()
        }

    return apache, settings, files


def run(
    host: Any, state: str = "present", server: Any = None, sites: Any = None, check: bool = False, **more: Any
) -> Any:
    apache, settings, _files = host
    changed = Settings(**{**vars(settings), **more})
    return apply(state, WANTED if server is None else server, SITE if sites is None else sites, apache, changed, check)


def test_there_and_back(host: Any) -> None:
    apache, settings, files = host
    before = files()
    planned = run(host, check=True)
    assert files() == before
    assert planned["reload"]["state"] == "due"
    done = run(host)
    assert (done["diff"], done["server"], done["sites"]) == (planned["diff"], planned["server"], planned["sites"])
    assert [one["after"] for one in done["lines"]] == ["FcgidMaxProcesses 20", "FcgidIOTimeout 9"]
    assert done["sites"][0]["limits"]["FcgidMaxProcessesPerClass"]["value"] == 4
    assert done["sites"][0]["own"] == ["FcgidMaxProcessesPerClass"]
    assert (done["changed"], done["reload"]["state"], apache.reloads) == (True, "done", 1)
    text = files()["sites-available/a.conf"]
    assert b"  FcgidIOTimeout 9\r\n    # BEGIN phpops.webhost.fcgid_limits\r\n" in text[2]
    assert text[1] == before["sites-available/a.conf"][1]
    again = run(host)
    assert (again["changed"], again["files"], apache.reloads) == (False, [], 1)
    assert again["server"] == done["server"]
    back = run(host, "absent")
    assert files() == before
    assert (back["changed"], set(back["restored"].values()), apache.reloads) == (True, {True}, 2)
    assert not (Path(settings.folder) / "fcgid_limits.json").exists()
    assert run(host, "absent")["changed"] is False


def test_no_secret_is_shown(host: Any) -> None:
    apache, _settings, files = host
    path = Path(apache.config_root, "sites-available", "a.conf")
    path.write_bytes(VHOST.replace(b"IPCCommTimeout 9", b"DefaultInitEnv TOKEN s3cret"))
    before = files()
    told = [run(host, check=True), run(host)]
    path.write_bytes(path.read_bytes().replace(b"s3cret", b"s3cret2"))
    told += [run(host), run(host, "absent")]
    assert "s3cret" not in json.dumps(told)
    assert ["DefaultInitEnv TOKEN ********" in note for note in told[2]["notes"]].count(True) == 1
    assert before.keys() == files().keys()


def test_another_wish_starts_from_the_bytes_of_before(host: Any) -> None:
    _apache, _settings, files = host
    before = files()
    run(host)
    other = run(host, server={"FcgidMaxProcesses": 30}, sites=[])
    assert [one["before"] for one in other["lines"]] == ["MaxProcessCount 10", "IPCCommTimeout 9"]
    assert b"phpops" not in files()["sites-available/a.conf"][2]
    run(host, server={}, sites=[], rename=False)
    assert files() == before


def test_lines_of_somebody_else_survive_and_a_lost_one_is_told(host: Any) -> None:
    apache, _settings, files = host
    run(host)
    path = Path(apache.config_root, "conf-enabled", "zz.conf")
    path.write_bytes(b"# new\nFcgidMaxProcesses 25\n")
    again = run(host, reload="never")
    assert [one["after"] for one in again["lines"]][:1] == ["FcgidMaxProcesses 20"]
    assert any("was changed since by somebody else" in note for note in again["notes"])
    answer = run(host, "absent")
    assert files()["conf-enabled/zz.conf"][2] == b"# new\nFcgidMaxProcesses 25\n"
    assert set(answer["restored"].values()) == {True}


def test_a_refused_copy_changes_nothing(host: Any) -> None:
    apache, settings, files = host
    Path(apache.config_root, "conf-enabled", "bad.conf").write_text("Bad\n")
    before = files()
    with pytest.raises(LimitError, match=r"Nothing was changed\. Apache says Bad"):
        run(host)
    assert files() == before
    assert not Path(settings.folder).exists()


@pytest.mark.parametrize("by", ["apache", "value", "disk"])
def test_real_files_that_do_not_hold_get_their_bytes_back(host: Any, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    apache, settings, files = host
    before = files()

    def read(control: FakeApache, stage: str | None = None) -> Dump:
        found = control.read(stage)
        if stage is None and by == "apache":
            raise ApacheUnavailable("No.")
        if stage is None and by == "value":
            found.config.append(Directive("FcgidMaxProcesses", "7", "/srv/x.conf", 1))
        return found

    monkeypatch.setattr(fcgid_limits, "read", read)
    if by == "disk":
        tried = []
        real = fcgid_limits.swap

        def swap(texts: Any) -> None:
            tried.append(texts)
            if len(tried) == 1:
                raise OSError("The disk is full.")
            real(texts)

        monkeypatch.setattr(fcgid_limits, "swap", swap)
    said = {"apache": "No.", "value": "reads FcgidMaxProcesses 7 from /srv/x.conf:1", "disk": "disk is full"}[by]
    with pytest.raises(LimitError, match=said):
        run(host)
    assert files() == before
    assert apache.reloads == 0
    assert not (Path(settings.folder) / "fcgid_limits.json").exists()


@pytest.mark.parametrize("pid", [4, 0])
def test_a_reload_that_fails_takes_all_back(host: Any, monkeypatch: pytest.MonkeyPatch, pid: int) -> None:
    apache, _settings, files = host
    before = files()

    def graceful(_timeout: float) -> float:
        apache.pid = pid
        raise ApacheError("It ended.")

    monkeypatch.setattr(apache, "graceful", graceful)
    with pytest.raises(LimitError, match=r"It ended\. The files are as before\." + ("$" if pid else r" It is down\.$")):
        run(host)
    assert files() == before
    assert apache.started == (0 if pid else 1)


def test_busy_php_cgi_put_the_reload_off(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    apache, settings, _files = host
    monkeypatch.setattr(php_cgi, "wait_idle", lambda timeout, _quiet: (timeout, [php_cgi.Process(9, 1, 0, 1)]))
    busy = run(host)
    assert (busy["changed"], busy["reload"]["state"], busy["reload"]["busy"], apache.reloads) == (True, "busy", 1, 0)
    assert json.loads((Path(settings.folder) / "fcgid_limits.json").read_text())["reloaded"] is False
    assert run(host)["changed"] is False
    assert run(host, check=True)["reload"]["state"] == "due"
    forced = run(host, reload="always")
    assert (forced["changed"], forced["reload"]["state"], apache.reloads) == (True, "done", 1)
    assert "may have been cut" in forced["reload"]["warnings"][0]
    assert run(host)["reload"]["state"] == "none"


def test_never_reloads_and_an_apache_that_does_not_run(host: Any) -> None:
    apache, _settings, _files = host
    assert run(host, check=True, reload="never")["reload"]["state"] == "left"
    assert run(host, reload="never")["reload"]["state"] == "left"
    apache.pid = 0
    assert run(host)["reload"]["state"] == "not_running"
    assert run(host)["reload"]["state"] == "none"
    assert apache.reloads == 0


def test_a_broken_certificate_is_refused(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _apache, _settings, files = host
    before = files()
    monkeypatch.setattr(fcgid_limits, "broken_certificates", lambda _config: ["A key does not fit."])
    with pytest.raises(LimitError, match="A key does not fit"):
        run(host)
    assert files() == before
    assert run(host, reload="never")["changed"] is True


def test_a_host_without_it(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    apache, _settings, _files = host
    apache.modules_there = ["proxy"]
    answer = run(host)
    assert (answer["available"], answer["changed"]) == (False, False)
    assert answer["summary"] == ["Apache does not load mod_fcgid: there is nothing to limit."]
    monkeypatch.setattr(fcgid_limits, "installed", lambda: False)
    assert "not installed" in run(host)["reason"]
    assert run(host, "absent")["changed"] is False


@pytest.mark.parametrize("what", ["file", "link", "switch"])
def test_a_file_of_somebody_else_is_left_alone(host: Any, what: str) -> None:
    apache, _settings, _files = host
    path = Path(apache.config_root, "conf-enabled" if what == "switch" else "conf-available", fcgid_limits.FILE)
    if what == "link":
        path.symlink_to("/dev/null")
    else:
        path.write_text("# theirs\n")
    with pytest.raises(LimitError, match="rename it"):
        run(host)
    assert path.exists()


def test_more_requests_than_php_takes_are_refused(host: Any) -> None:
    with pytest.raises(LimitError, match=r"^Nothing was changed\. Site a\.test: .* after 2000 requests"):
        run(host, server={"FcgidMaxRequestsPerProcess": 2000})
    answer = run(host, check=True)
    assert [note for note in answer["notes"] if "0 (never) requests" in note]


def test_a_damaged_record_and_a_lock(host: Any) -> None:
    _apache, settings, _files = host
    Path(settings.folder).mkdir()
    (Path(settings.folder) / "fcgid_limits.json").write_text("{")
    with pytest.raises(LimitError, match="is damaged"):
        run(host)
    with locked(settings.lock, 1), pytest.raises(LimitError, match="is locked"):
        run(host)


def test_a_run_that_was_killed_between_record_and_files_is_finished(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _apache, _settings, files = host
    before = files()

    class Killed(BaseException):
        pass

    left = [0]
    real = fcgid_limits._put

    def put(path: str, wanted: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        real(path, wanted)

    monkeypatch.setattr(fcgid_limits, "_put", put)
    for stop in range(1, 5):
        left[0] = stop
        with pytest.raises(Killed):
            run(host)
        answer = run(host, "absent")
        assert (files(), answer["notes"]) == (before, []), stop
        # And one that is killed while it gives the bytes back.
        run(host)
        left[0] = stop
        with pytest.raises(Killed):
            run(host, "absent")
        assert run(host)["changed"] is True
        assert run(host, "absent")["notes"] == []
        assert files() == before, stop


def test_whether_a_reload_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    apache = FakeApache(tmp_path)
    (tmp_path / "stat").write_text("cpu 1\nbtime 1000\n")
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_text("7 (apache2) S " + " ".join(["0"] * 18) + " 500 0\n")
    assert apache_reload.started(7, str(tmp_path)) == 1000 + 500 / 100
    assert apache_reload.started(8, str(tmp_path)) is None
    monkeypatch.setattr(apache_reload, "children", lambda _pid: frozenset({7, 8}))
    assert apache_reload.is_due(apache, 1006, str(tmp_path)) is True
    assert apache_reload.is_due(apache, 1004, str(tmp_path)) is False
    apache.pid = 0
    assert apache_reload.is_due(apache, time.time(), str(tmp_path)) is False
