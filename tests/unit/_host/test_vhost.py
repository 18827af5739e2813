# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Against a tree of files and web servers that do as they are told; the real ones are in the deploy scenarios."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._core.vhost import build
from ansible_collections.phpops.webhost.plugins.module_utils._host import php_cgi, vhost_servers
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache_control import Apache, ApacheError
from ansible_collections.phpops.webhost.plugins.module_utils._host.lock import locked
from ansible_collections.phpops.webhost.plugins.module_utils._host.nginx_control import Nginx, NginxError
from ansible_collections.phpops.webhost.plugins.module_utils._host.vhost import Settings, VhostFailed, apply
from ansible_collections.phpops.webhost.plugins.module_utils._host.vhost_servers import ApacheSide, NginxSide

LISTEN = Directive("Listen", "80", "/etc/apache2/ports.conf", 1)


class Played:
    """A web server that refuses any file that holds the word Bad, and counts its reloads."""

    def start_playing(self) -> None:
        self.pid, self.reloads, self.starts, self.dies, self.hangs = 4, 0, 0, False, False
        # Refuses the real files alone, as one does that depends on what a copy has not.
        self.real_only = False

    def complaint(self, config: str | None = None) -> str | None:
        if self.real_only and config is None:
            return "Not here."
        root = Path(config or self.config_root)  # type: ignore[attr-defined]
        found = sorted((root.parent if root.is_file() else root).rglob("sites-enabled/*"))
        return "Bad word." if any(b"Bad" in path.read_bytes() for path in found) else None

    def parent(self) -> int:
        return self.pid

    def graceful(self, _timeout: float) -> float:
        self.reloads += 1
        if self.dies:
            self.pid = 0
        if self.dies or self.hangs:
            raise (ApacheError if isinstance(self, Apache) else NginxError)("It didn't.")
        return 0.1

    def start(self) -> str:
        self.pid, self.starts, self.dies = 5, self.starts + 1, False
        return "It was down."


class PlayedApache(Played, Apache):
    lines: list[Directive]
    on = ""

    def dump_and_modules(self) -> tuple[list[Directive], str]:
        return self.lines, self.on


class PlayedNginx(Played, Nginx):
    pass


@pytest.fixture(params=["apache", "nginx"])
def side(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    root = tmp_path / request.param
    for folder in ("sites-available", "sites-enabled", "mods-available", "mods-enabled"):
        (root / folder).mkdir(parents=True)
    (root / "nginx.conf").write_text(f"include {root}/sites-enabled/*;\n")
    for name in ("proxy.load", "proxy.conf", "proxy_fcgi.load"):
        (root / "mods-available" / name).touch()
    monkeypatch.setattr(php_cgi, "wait_idle", lambda _timeout: (0.0, []))
    monkeypatch.setattr(vhost_servers, "nginx_tree", lambda: [])
    made: Any
    if request.param == "apache":
        control = PlayedApache(lambda _words, _variables: (0, "", ""), str(root))
        control.lines = [LISTEN]
        made = ApacheSide(control, str(tmp_path / "backup"))
    else:
        made = NginxSide(PlayedNginx(lambda _words, _variables: (0, "", ""), str(root)), str(tmp_path / "none"))
    made.control.start_playing()
    made.lock = str(tmp_path / "lock")
    return made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(1.0, 0.2, str(tmp_path / "pending"))


def tree(side: Any) -> dict[str, str]:
    """Return what the server's folder holds: a file's text, a symlink's goal."""
    root = Path(side.control.config_root)
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_symlink():
            found[str(path.relative_to(root))] = f"-> {path.readlink()}"
        elif path.is_file():
            found[str(path.relative_to(root))] = path.read_text()
    return found


def run(side: Any, settings: Settings, state: str = "present", check: bool = False, **options: Any) -> dict[str, Any]:
    # A port that nothing uses: nginx's is looked at.
    with socket.socket() as probe:
        probe.bind(("0.0.0.0", 0))
        free = probe.getsockname()[1]
    port = {"port": 80 if side.name == "apache" else free, **options}
    return apply(side, build({"site": "wiki", **port}, side.name, Layout()), state, settings, check)


def test_there_again_and_back(side: Any, settings: Settings) -> None:
    before = tree(side)
    planned = run(side, settings, check=True, port=80) if side.name == "apache" else None
    assert tree(side) == before
    done = run(side, settings)
    assert (done["changed"], done["reloaded"], done["msg"], side.control.reloads) == (True, True, "", 1)
    assert planned is None or planned["diff"] == done["diff"]
    after = tree(side)
    assert after["sites-enabled/phpops-wiki.conf"] == "-> ../sites-available/phpops-wiki.conf"
    assert "/var/lib/phpops/wiki/ptr/live/php.sock" in after["sites-available/phpops-wiki.conf"]
    assert ("mods-enabled/proxy_fcgi.load" in after) is (side.name == "apache")
    assert "root /var/lib/phpops/wiki/ptr/live/docroot;" in done["lines"] or side.name == "apache"
    back = run(side, settings, "absent")
    assert (back["changed"], side.control.reloads) == (True, 2)
    assert tree(side) == before
    assert run(side, settings, "absent")["changed"] is False
    assert side.control.reloads == 2


def test_what_is_as_it_should_be_is_not_touched(side: Any, settings: Settings) -> None:
    run(side, settings, port=80, server_names=["a"])
    side.control.on = " proxy_module (shared)\n proxy_fcgi_module (shared)\n"
    again = run(side, settings, port=80, server_names=["a"])
    assert (again["changed"], again["reloaded"], again["diff"], side.control.reloads) == (False, False, [], 1)


@pytest.mark.parametrize("way", ["copy", "real", "hangs", "dies"])
@pytest.mark.parametrize("existing", [True, False])
def test_after_a_failure_all_is_as_before(side: Any, settings: Settings, way: str, existing: bool) -> None:
    if existing:
        run(side, settings, server_names=["old"])
    before, reloads = tree(side), side.control.reloads
    names = ["new", "bad"]
    extra = ["#Bad"] if way == "copy" else []
    side.control.real_only, side.control.hangs, side.control.dies = way == "real", way == "hangs", way == "dies"
    with pytest.raises(VhostFailed) as caught:
        run(side, settings, server_names=names, extra_lines=extra)
    assert tree(side) == before
    expected = {"copy": "nothing was changed", "real": "as before again", "hangs": "as before.", "dies": "as before."}
    assert expected[way] in str(caught.value)
    assert side.control.parent()
    # In vain, and once more with the files of before; one that ended is started.
    assert side.control.reloads - reloads == {"copy": 0, "real": 0, "hangs": 2, "dies": 1}[way]
    assert side.control.starts == (way == "dies") == ("It was down." in str(caught.value))
    side.control.real_only = side.control.hangs = False
    assert run(side, settings, server_names=names)["changed"] is True


def test_a_reload_that_a_killed_run_owes_is_made(side: Any, settings: Settings) -> None:
    run(side, settings, port=80)
    side.control.on = " proxy_module (shared)\n proxy_fcgi_module (shared)\n"
    Path(settings.pending, f"{side.name}-wiki").touch()
    done = run(side, settings, port=80)
    assert (done["changed"], done["reloaded"], done["diff"]) == (True, True, [])
    assert run(side, settings, port=80)["changed"] is False


def test_a_server_that_is_down_gets_its_file(side: Any, settings: Settings) -> None:
    side.control.pid = 0
    done = run(side, settings)
    assert (done["changed"], done["reloaded"]) == (True, False)
    assert "is not running; it takes the virtual host when it starts" in done["msg"]


def test_a_file_of_somebody_else_is_left_alone(side: Any, settings: Settings) -> None:
    path = Path(side.control.config_root, "sites-available", "phpops-wiki.conf")
    path.write_text("# mine\n")
    for state in ("present", "absent"):
        with pytest.raises(VhostFailed, match="was not written by this collection"):
            run(side, settings, state)
    assert path.read_text() == "# mine\n"


def test_a_port_of_another_program_is_refused(side: Any, settings: Settings) -> None:
    before = tree(side)
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))
        other.listen(1)
        with pytest.raises(VhostFailed, match="another program listens at port"):
            run(side, settings, port=other.getsockname()[1])
    assert tree(side) == before


def test_a_configuration_that_is_broken_already_is_told_as_such(side: Any, settings: Settings) -> None:
    Path(side.control.config_root, "sites-enabled", "x").write_text("Bad")
    with pytest.raises(VhostFailed, match="doesn't pass as it is; nothing was changed"):
        run(side, settings)


def test_apache_is_told_to_listen_where_no_other_line_does(side: Any, settings: Settings) -> None:
    if side.name == "nginx":
        assert "Listen" not in "".join(tree(side).values())
        return
    side.control.lines = []
    with socket.socket() as probe:
        probe.bind(("0.0.0.0", 0))
        port = probe.getsockname()[1]
    run(side, settings, port=port)
    assert f"\nListen {port}\n" in tree(side)["sites-available/phpops-wiki.conf"]


def test_the_other_run_is_named(side: Any, settings: Settings) -> None:
    with locked(side.lock, 1), pytest.raises(VhostFailed, match=r"Another run \(process \d+\) changes"):
        run(side, settings)


@pytest.mark.parametrize("check", [True, False])
def test_a_folder_that_can_not_be_copied_is_one_sentence(side: Any, settings: Settings, check: bool) -> None:
    os.mkfifo(f"{side.control.config_root}/pipe")
    with pytest.raises(VhostFailed, match=r"^The virtual host of site wiki could not be changed: .*pipe"):
        run(side, settings, check=check)
    assert not [path for path in tree(side) if "phpops-wiki" in path]


@pytest.mark.parametrize("check", [True, False])
def test_lines_that_would_spoil_a_flip_are_refused(side: Any, settings: Settings, check: bool) -> None:
    pointer = Layout().pointer("wiki")
    if side.name == "apache":
        bad = [f'<Proxy "unix:{pointer}/php.sock|fcgi://wiki">', "ProxySet enablereuse=on", "</Proxy>"]
    else:
        bad = ["location /x {", "open_file_cache max=100;", "}"]
    with pytest.raises(
        VhostFailed, match=r"^Site wiki's virtual host would spoil its next flip: .*phpops-wiki\.conf:\d+"
    ):
        run(side, settings, check=check, extra_lines=bad)
    assert not [path for path in tree(side) if "phpops-wiki" in path]
