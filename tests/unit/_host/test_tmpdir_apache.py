# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""On Apache's files in a temporary folder, with an Apache that is played; a real one is in the scenario vm_tmpdir."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir import Directory, TmpdirError
from ansible_collections.phpops.webhost.plugins.module_utils._host import (
    apache_reload,
    drop_ins,
    php_cgi,
    tmpdir_apache,
    tmpdir_restart,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache_control import Apache, ApacheError
from ansible_collections.phpops.webhost.plugins.module_utils._host.lock import locked

APP = Directory("app", "php_cgi", "/dev/shm/phpops-app", "www-data", "www-data", 33, 33, 1 << 26)
OWN = Directory(".apache2", "web_server", "/dev/shm/phpops.apache2", "www-data", "www-data", 33, 33, 1 << 26)
VHOST = "<VirtualHost *:80>\n    ServerName app\n</VirtualHost>\n"
BUSY = php_cgi.Process(7, 1, 33, 1)


class FakeApache(Apache):
    """Refuses a file that holds the word Bad; its parent's environment is the file environ."""

    def __init__(self, root: Path) -> None:
        super().__init__(lambda _words, _variables: (0, "", ""), str(root))
        self.reloads, self.starts, self.pid, self.dies, self.stays_down = 0, 0, 4, False, ""

    def complaint(self, config_root: str | None = None) -> str | None:
        texts = [path.read_text() for path in Path(config_root or self.config_root).rglob("*.conf")]
        return "Bad word." if any("Bad" in text for text in texts) else None

    def dump(self) -> list[Directive]:
        return [Directive("ScriptAlias", "/cgi-bin/ /usr/lib/cgi-bin/", "f", 1)]

    def parent(self) -> int:
        return self.pid

    def graceful(self, timeout_seconds: float) -> float:
        self.reloads += 1
        if self.dies:
            self.pid = 0
            raise ApacheError("It ended.")
        return 0.25

    def start(self) -> str:
        self.starts += 1
        return self.stays_down


class Host:
    """Apache's files, a systemd that takes all, and how to run the module on them."""

    def __init__(self, path: Path) -> None:
        self.path, self.root = path, path / "apache2"
        for folder in ("conf-enabled", "sites-enabled"):
            (self.root / folder).mkdir(parents=True)
        self.vhost = self.root / "sites-enabled/app.conf"
        self.vhost.write_text(VHOST)
        self.conf = self.root / "conf-enabled/phpops-tmpdir.conf"
        self.drop_in = path / "units/apache2.service.d/50.conf"
        self.drop_in.parent.parent.mkdir()
        (path / "proc/4").mkdir(parents=True)
        self.apache = FakeApache(self.root)
        self.environ("A=b")
        self.site: dict[str, Any] = {
            "site": "app",
            "name": "app.example.test",
            "php": {"version": "8.2"},
            "wrapper": {"path": "/var/www/app/php", "ini": {}, "environment": {}},
            "vhosts": [{"file": str(self.vhost), "line": 1, "macro": None}],
        }
        self.commands: list[str] = []
        # The TMPDIR of somebody else's drop-in that is read after ours.
        self.foreign = ""

    def environ(self, text: str) -> None:
        (self.path / "proc/4/environ").write_bytes(text.encode() + b"\0")

    def run(self, words: list[str], **_more: Any) -> tuple[int, str, str]:
        self.commands.append(" ".join(word for word in words if word != "--no-pager"))
        if self.commands[-1].startswith("systemctl show"):
            own = OWN.path if self.drop_in.exists() else ""
            path = self.foreign or own
            return 0, f'Environment=APACHE_STARTED_BY_SYSTEMD=true "A=b c"{f" TMPDIR={path}" if path else ""}\n', ""
        if self.commands[-1].startswith("systemctl restart"):
            self.environ(f"TMPDIR={OWN.path}" if self.drop_in.exists() else "A=b")
        return 0, "", ""

    def apply(self, *directories: Directory, **settings: Any) -> dict[str, Any]:
        paths = {
            "lock": str(self.path / "lock"),
            "record": str(self.path / "record.json"),
            "drop_in": str(self.drop_in),
            "envvars": str(self.path / "envvars"),
            "etc_php": str(self.path / "php"),
            "proc": str(self.path / "proc"),
        }
        found = tmpdir_apache.Settings(**{**paths, "lock_timeout_seconds": 0.1, **settings})
        return tmpdir_apache.apply(directories, {"sites": [self.site]}, self.apache, self.run, found)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(php_cgi, "wait_idle", lambda *_given: (0.0, []))
    monkeypatch.setattr(php_cgi, "php_cgi", lambda: [])
    monkeypatch.setattr(tmpdir_apache, "is_due", lambda _apache, _written: False)
    monkeypatch.setattr(drop_ins, "complaint", lambda _run, _changes, _units: None)
    return Host(tmp_path)


def test_there_again_and_back(host: Host) -> None:
    planned = host.apply(APP, OWN, check_mode=True)
    assert (planned["changed"], host.vhost.read_text(), host.drop_in.exists()) == (True, VHOST, False)
    done = host.apply(APP, OWN)
    assert done["diff"] == planned["diff"]
    assert 'FcgidInitialEnv TMPDIR "/dev/shm/phpops-app"' in host.vhost.read_text()
    assert 'SetEnv TMPDIR "/dev/shm/phpops.apache2"' in host.conf.read_text()
    assert "Environment=TMPDIR=/dev/shm/phpops.apache2\n" in host.drop_in.read_text()
    assert (done["sites"][0]["reached"], done["cgi_folders"]) == (True, ["/usr/lib/cgi-bin"])
    assert (host.apache.reloads, done["reload"]["seconds"], done["restart"]) == (1, 0.25, None)
    assert done["apache"] == {"path": OWN.path, "in_force": None, "pending": True}
    assert "set tmpdir_restart_webserver" in done["warnings_found"][0]
    assert json.loads((host.path / "record.json").read_text()) == {"files": [str(host.vhost)], "pending": None}
    again = host.apply(APP, OWN)
    assert (again["changed"], again["diff"], host.apache.reloads) == (False, [], 1)
    back = host.apply()
    assert (back["changed"], host.apache.reloads) == (True, 2)
    assert (host.vhost.read_text(), host.conf.exists(), host.drop_in.exists()) == (VHOST, False, False)
    assert not (host.path / "record.json").exists()
    assert host.apply()["changed"] is False


def test_a_restart_only_where_it_is_allowed_and_needed(host: Host) -> None:
    done = host.apply(APP, OWN, restart=True)
    assert done["apache"] == {"path": OWN.path, "in_force": OWN.path, "pending": False}
    # The restart reads the files too.
    assert (host.apache.reloads, done["reload"], done["warnings_found"]) == (0, None, [])
    assert done["restart"]["busy_php_cgi"] == 0
    again = host.apply(APP, OWN, restart=True)
    assert (again["changed"], again["restart"]) == (False, None)
    assert host.apply(restart=True)["apache"] == {"path": None, "in_force": None, "pending": False}


def test_a_busy_php_cgi_leaves_all_files_alone(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(php_cgi, "wait_idle", lambda *_given: (30.0, [BUSY]))
    with pytest.raises(TmpdirError, match="1 php-cgi served requests all through 30 s"):
        host.apply(APP, OWN)
    assert (host.vhost.read_text(), host.conf.exists(), host.apache.reloads) == (VHOST, False, 0)
    assert not (host.path / "record.json").exists()


def test_what_apache_refuses_is_not_left_there(host: Host) -> None:
    host.vhost.write_text(VHOST + "# Bad\n")
    with pytest.raises(TmpdirError, match="doesn't pass as it is"):
        host.apply(APP)
    bad = Directory(**{**APP.as_dict(), "path": "/dev/shm/Bad"})
    host.vhost.write_text(VHOST)
    with pytest.raises(TmpdirError, match="refuses the new lines; nothing was changed: Bad word"):
        host.apply(bad)
    assert host.vhost.read_text() == VHOST


def test_an_apache_that_ends_at_the_reload_is_started_with_the_old_files(host: Host) -> None:
    host.apache.dies = True
    with pytest.raises(ApacheError, match="It ended"):
        host.apply(APP, OWN)
    assert (host.vhost.read_text(), host.conf.exists(), host.apache.starts) == (VHOST, False, 1)
    host.apache.pid, host.apache.stays_down = 4, "It stays down."
    with pytest.raises(TmpdirError, match=r"^It ended\. Its files are as before\. It stays down\.$"):
        host.apply(APP, OWN)
    assert (host.vhost.read_text(), host.conf.exists(), host.apache.starts) == (VHOST, False, 2)


def test_an_apache_that_is_down_is_not_reloaded(host: Host) -> None:
    host.apache.pid = 0
    done = host.apply(APP, OWN, restart=True)
    assert (done["reload"], done["restart"], done["apache"]["pending"]) == (None, None, False)
    assert "FcgidInitialEnv" in host.vhost.read_text()


def test_a_reload_that_an_earlier_run_did_not_reach_is_made(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(host.apache, "graceful", die)
        host.apply(APP, OWN)
    assert "FcgidInitialEnv" in host.vhost.read_text()
    monkeypatch.setattr(tmpdir_apache, "is_due", lambda _apache, written: 0 <= time.time() - written < 60)
    with monkeypatch.context() as patch, pytest.raises(TmpdirError, match="Apache's files are as they were"):
        patch.setattr(php_cgi, "wait_idle", lambda *_given: (30.0, [BUSY]))
        host.apply(APP, OWN)
    again = host.apply(APP, OWN)
    assert (again["changed"], again["diff"], host.apache.reloads) == (True, [], 1)
    assert host.apply(APP, OWN)["changed"] is False


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"vhosts": [{"file": "x", "line": 1, "macro": "Site"}]}, "made by a macro"),
        ({"wrapper": {"environment": {"TMPDIR": "/srv"}}}, "its wrapper exports TMPDIR=/srv"),
        ({"wrapper": {"ini": {"open_basedir": "/srv"}}}, "open_basedir is /srv"),
        ({"wrapper": {"ini": {"session.save_path": ""}}}, "session.save_path is empty"),
    ],
)
def test_a_site_that_is_not_reached_is_told(host: Host, more: dict[str, Any], said: str) -> None:
    host.site.update(more)
    done = host.apply(APP)
    assert said in done["sites"][0]["reason"]
    assert (done["changed"], host.vhost.read_text()) == (False, VHOST)


def test_a_php_ini_of_the_site_counts(host: Host) -> None:
    folder = host.path / "php/8.2/cgi"
    folder.mkdir(parents=True)
    (folder / "php.ini").write_text("open_basedir = /srv\n")
    assert "open_basedir is /srv" in host.apply(APP)["sites"][0]["reason"]


@pytest.mark.parametrize("exported", [None, "/dev/shm/phpops-app"])
def test_suexec_needs_a_line_in_the_wrapper(host: Host, exported: str | None) -> None:
    host.site["wrapper"]["environment"] = {"TMPDIR": exported} if exported else {}
    done = host.apply(Directory(**{**APP.as_dict(), "suexec": True}))
    assert done["sites"][0]["reached"] is bool(exported)
    assert exported or "into /var/www/app/php, or move" in done["sites"][0]["reason"]


def test_a_site_that_left_php_cgi_loses_its_block_and_edits_stay(host: Host) -> None:
    host.apply(APP)
    host.vhost.write_text(host.vhost.read_text() + "# mine\n")
    host.apply(OWN, cgi=False)
    assert host.vhost.read_text() == VHOST + "# mine\n"
    assert not host.conf.exists()


def test_envvars_that_win_and_a_lock_that_is_held_are_told(host: Host) -> None:
    (host.path / "envvars").write_text("export TMPDIR=/srv\n")
    assert any("envvars:1 sets TMPDIR=/srv" in text for text in host.apply(OWN)["warnings_found"])
    with locked(str(host.path / "lock"), 0), pytest.raises(TmpdirError, match="is locked"):
        host.apply(OWN)


@pytest.mark.parametrize("where", ["envvars", "drop-in"])
def test_a_restart_that_can_change_nothing_is_not_made(host: Host, where: str) -> None:
    host.environ("TMPDIR=/srv")
    if where == "envvars":
        (host.path / "envvars").write_text("export TMPDIR=/srv\n")
    else:
        host.foreign = "/srv"
    done = host.apply(OWN, restart=True)
    assert (done["restart"], done["apache"]["in_force"], done["apache"]["pending"]) == (None, "/srv", False)
    assert "sets TMPDIR=/srv" in done["warnings_found"][0]
    assert host.apply(OWN, restart=True)["changed"] is False
    host.apply(restart=True)
    again = host.apply(restart=True)
    assert (again["changed"], again["restart"], again["warnings_found"]) == (False, None, [])


def test_a_dry_run_does_not_advise_what_was_allowed(host: Host) -> None:
    done = host.apply(OWN, check_mode=True, restart=True)
    assert (done["changed"], done["apache"]["pending"], done["warnings_found"]) == (True, True, [])


def test_what_systemd_refuses_is_an_error(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drop_ins, "complaint", lambda _run, _changes, _units: "no")
    with pytest.raises(TmpdirError, match=r"systemd refuses .* which is as before: no"):
        host.apply(OWN)
    assert not host.drop_in.exists()


def test_connections_are_counted(host: Host) -> None:
    lines = (
        "0 0 127.0.0.1:5 127.0.0.1:80\n130 0 [::ffff:127.0.0.1]:80 [::ffff:127.0.0.1]:5\n0 0 10.0.0.1:22 10.0.0.2:9\n\n"
    )
    assert tmpdir_restart.connections(lambda _words: (0, lines, ""), {"80", "443"}) == 1
    assert tmpdir_restart.connections(lambda _words: (127, "", "no ss"), {"80"}) is None


def test_an_apache_that_does_not_come_up_is_an_error(host: Host) -> None:
    host.apache.pid = 0
    with pytest.raises(ApacheError, match="did not come up again after its restart: bad"):
        tmpdir_restart.restart(host.apache, lambda _words: (1, "", "bad\n"), 0.0)
    assert tmpdir_restart.in_force(host.apache) is None


def test_the_reload_is_the_guarded_one() -> None:
    assert tmpdir_apache.reload_idle is apache_reload.reload_idle
