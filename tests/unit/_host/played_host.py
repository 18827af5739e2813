# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host for tests of slots: files in a temporary folder, and a systemd and PHP-FPM that are played."""

from __future__ import annotations

import grp
import json
import os
import pwd
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.budget import MIB, HostMemory, Limit, Master
from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgi import Response
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host import (
    reservation,
    slot,
    slot_drain,
    slot_master,
    slot_phases,
    slot_prime,
    slot_run,
    slot_steps,
    slot_turn,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.fastcgi import FastCgiError
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_base import Settings
from ansible_collections.phpops.webhost.plugins.module_utils._host.web_check import Check

GROUP = grp.getgrgid(os.getgid()).gr_name
USER = next(entry.pw_name for entry in pwd.getpwall() if entry.pw_uid != 0)
IDLE_STATUS = {"active processes": 0, "total processes": 2, "accepted conn": 5, "processes": []}


def is_question(entry: str) -> bool:
    """Return whether a command of a host's log changes nothing."""
    return entry.startswith("is-enabled") or entry.endswith("--info")


class PlayedHost:
    """systemd, PHP-FPM, ss and FastCGI as far as a flip asks them; what is in ``broken`` goes wrong."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.active: set[str] = set()
        self.enabled: set[str] = set()
        self.log: list[str] = []
        self.broken: set[str] = set()
        self.busy: dict[str, int] = {}
        self.timers: dict[str, list[str]] = {}
        # Commands of timers that wait for the site's lock.
        self.waiting: set[str] = set()
        self.shared_memory_bytes = 1024 * MIB

    def memory(self) -> HostMemory:
        """Return what the budget reads of this host: each master has a segment of 16 MiB."""
        masters = tuple(Master(unit, unit, 16 * MIB, MIB, 0) for unit in sorted(self.active) if "phpops-fpm@" in unit)
        used = 16 * MIB * len(masters)
        return HostMemory((Limit("shmpages", "reserved", "host", "/x", self.shared_memory_bytes, used, "x"),), masters)

    def fire(self) -> None:
        """Let the time of all timers be up: what their commands say is done."""
        for name, words in list(self.timers.items()):
            del self.timers[name]
            _flock, lock, _shell, _c, script = words[-5:]
            test, _or, stop = script.partition(" || exec ")
            pointer, _ef, slot = test.split()[1:]
            assert lock == self.layout.lock("wiki")
            if not (Path(pointer).exists() and Path(pointer).samefile(slot)):
                self.run(stop.split())

    def reboot(self) -> None:
        """Only what is enabled comes up: the live slot."""
        self.timers.clear()
        self.active.clear()
        shutil.rmtree(self.layout.run, ignore_errors=True)
        for unit in self.enabled:
            site = unit.partition("@")[2].partition(".")[0]
            self.run(
                ["systemctl", "start", f"phpops-fpm@{site}-{Path(os.readlink(self.layout.pointer(site))).name}.service"]
            )

    def run(self, words: list[str]) -> tuple[int, str, str]:
        words = [word for word in words if word != "--no-pager"]
        if words[:2] == ["systemctl", "show"]:
            return 0, "\n".join(self._shown(unit) for unit in words[3:] if unit != "--"), ""
        if words[:2] == ["systemctl", "stop"] and "phpops-retire-" in words[-1]:
            names = {unit.rpartition(".")[0] for unit in words[2:]}
            waited = self.waiting & names
            self.waiting -= names
            for name in names:
                self.timers.pop(name, None)
            # As systemd 252 does: the timer is gone as soon as its command is.
            return (5, "", f"Failed to stop {waited.pop()}.timer: Unit not loaded.") if waited else (0, "", "")
        if words[0] == "systemctl":
            return self._systemctl(words[1], words[-1])
        if words[0] == "systemd-run":
            name = next(word.partition("=")[2] for word in words if word.startswith("--unit="))
            assert name not in self.timers, "systemd refuses a second unit of this name"
            self.timers[name] = words
            return 0, "", ""
        if words[-1] == "--info":
            self.log.append(" ".join(words))
            return 0, "opcache.memory_consumption => 16 => 16\nopcache.jit => no value => disable\n", ""
        if words[0] == "ss":
            rows = [(path.parent.name, path) for path in Path(self.layout.run).glob("*/php.sock")]
            text = "".join(f"u_str LISTEN {self.busy.get(name, 0)} 511 {path} 1 * 0\n" for name, path in rows)
            return 0, text, ""
        if "--test" in words:
            return (78, "", "unknown entry 'x'") if "check" in self.broken else (0, "", "")
        if words[0] == "journalctl":
            return 0, "ERROR: no\n", ""
        return 0, "", ""

    def _shown(self, unit: str) -> str:
        name, _dot, kind = unit.rpartition(".")
        state, said = "inactive", ""
        if kind == "timer" and name in self.timers:
            state = "active"
            said = next(word.partition("=")[2] for word in self.timers[name] if word.startswith("--description="))
        elif unit in self.active or (kind == "service" and name in self.waiting):
            state = "active"
        elif unit in self.broken:
            state = "failed"
        shown = {
            **{"ActiveState": state, "Description": said, "MainPID": "0", "NRestarts": "0", "SubState": "x"},
            **{"ExecMainStatus": "226", "Result": "no", "NeedDaemonReload": "no", "DropInPaths": ""},
            "UnitFileState": "enabled" if unit in self.enabled else "disabled",
        }
        return "".join(f"{key}={value}\n" for key, value in shown.items())

    def _systemctl(self, verb: str, unit: str) -> tuple[int, str, str]:
        name = unit.partition("@")[2].partition(".")[0]
        self.log.append(f"{verb} {unit}")
        if verb == "start" and "start" in self.broken:
            self.broken.add(unit)
        elif verb == "start":
            self.active.add(unit)
            folder = Path(self.layout.run, name)
            folder.mkdir(parents=True, exist_ok=True)
            for socket in ("php.sock", "status.sock"):
                (folder / socket).touch()
        elif verb == "stop":
            self.active.discard(unit)
        elif verb == "enable":
            self.enabled.add(unit)
        elif verb == "disable":
            self.enabled.discard(unit)
        elif verb == "is-enabled":
            return (0, "enabled\n", "") if unit in self.enabled else (1, "disabled\n", "")
        return 0, "", ""

    def request(self, path: str, params: dict[str, str], body: bytes = b"", timeout_seconds: float = 1) -> Response:
        name = Path(path).stem if path.startswith(f"{self.layout.run}/web/") else Path(path).parent.name
        if f"phpops-fpm@{name}.service" not in self.active:
            raise FastCgiError(f"{path} can't be used: No such file")
        if params["SCRIPT_NAME"] == "/phpops-ping":
            return Response(200, {}, b"pong", "", 0.0)
        if params["SCRIPT_NAME"] == "/phpops-status":
            busy = self.busy.get(name, 0)
            workers = [{"pid": 1 << 30, "state": "Running", "script": "/s.php", "request duration": 3000000}] * busy
            return Response(
                200, {}, json.dumps({**IDLE_STATUS, "active processes": busy, "processes": workers}).encode(), "", 0
            )
        self.log.append(f"prime {params['SCRIPT_FILENAME']}")
        return Response(500 if "prime" in self.broken else 200, {}, b"", "", 0.0)


class PlayedWeb:
    """A web server that gives what the site's slot gives; ``wrong`` is what a check says then."""

    def __init__(self) -> None:
        self.wrong = ""
        self.asked: list[str] = []

    def check(self, entries: Any, site: str, url: str, timeout: float, accepted: Any, layout: Layout) -> list[Check]:
        accepted()
        self.asked += [entry.path for entry in entries]
        return [Check(entry.path, 200, 0.01, self.wrong) for entry in entries]


class Fleet:
    """One played host with its layout, and how to run site_slot on it."""

    def __init__(self, path: Path, host: PlayedHost, layout: Layout) -> None:
        self.path, self.host, self.layout, self.web = path, host, layout, PlayedWeb()

    def run(self, state: str = "present", options: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
        values = {"prime": True, "drain_timeout_seconds": 0.2, "start_timeout_seconds": 0.3, **settings}
        given = {"name": "wiki", **(options or {})}
        outcome = slot_run.apply_sites([given], state, self.host.run, Settings(**values), layout=self.layout)
        site: dict[str, Any] = outcome["sites"][0]
        return {**site, "diff": outcome["diff"]}

    def first(self) -> dict[str, Any]:
        return self.run(options=self.new())

    def new(self) -> dict[str, Any]:
        entry = {"path": "/", "host": "", "query": "", "method": "GET", "headers": {}, "status": 200, "contains": ""}
        root = self.path / "docroot"
        root.mkdir(exist_ok=True)
        return {
            "user": USER,
            "group": GROUP,
            "web_group": GROUP,
            "php_version": "8.2",
            "document_root": str(root),
            "entry_points": [entry],
        }

    def release(self, name: str, public: str = "public") -> dict[str, str]:
        """Make a release, as site_release does, and return what slot_prepare takes."""
        path = self.path / "releases" / name
        (path / public).mkdir(parents=True, exist_ok=True)
        path.with_name(f"{name}.json").write_text(json.dumps({"public": public}))
        return {"id": name, "path": str(path), "public": public}

    def prepare(
        self, name: str | None = None, action: str = "deploy", deploy_id: str | None = None, **settings: Any
    ) -> dict[str, Any]:
        """Call slot_prepare; ``name`` is the release's."""
        options = {**self.new(), **settings.pop("options", {})}
        given = {key: value for key, value in options.items() if key != "document_root"}
        values = {"drain_timeout_seconds": 0.2, "start_timeout_seconds": 0.3, "force": action == "roll", **settings}
        release = self.release(name) if name else None
        site = {"name": "wiki", **(given if action == "deploy" else {})}
        return slot_phases.prepare(
            site, release, action, deploy_id, self.host.run, Settings(**values), layout=self.layout
        )

    def discard(self, **settings: Any) -> dict[str, Any]:
        values = {"drain_timeout_seconds": 0.2, "start_timeout_seconds": 0.3, **settings}
        return slot_phases.discard("wiki", None, self.host.run, Settings(**values), layout=self.layout)

    def switch(self, deploy_id: str | None = None, url: str | None = "http://127.0.0.1", **settings: Any) -> Any:
        values = {"drain_timeout_seconds": 0.2, "start_timeout_seconds": 0.3, **settings}
        return slot_turn.switch("wiki", deploy_id, url, None, self.host.run, Settings(**values), layout=self.layout)

    def back(self, deploy_id: str, **settings: Any) -> dict[str, Any]:
        values = {"drain_timeout_seconds": 0.2, "start_timeout_seconds": 0.3, **settings}
        return slot_turn.back("wiki", deploy_id, self.host.run, Settings(**values), layout=self.layout)

    def drain(self, warm: float = 0, part: float = 0, carry: Any = None, **settings: Any) -> dict[str, Any]:
        values = {"drain_timeout_seconds": 0.2, **settings}
        return slot_drain.drain(
            "wiki", None, warm, part, carry or {}, self.host.run, Settings(**values), layout=self.layout
        )

    def deploy(self, name: str | None = None, action: str = "deploy", warm: float = 0, **settings: Any) -> str | None:
        """Do what the role does, and return the id of the release that is live then."""
        prepared = self.prepare(name, action, **settings)
        assert not prepared["failed"], prepared["msg"]
        if prepared["prepared"]:
            switched = self.switch()
            assert switched["switched"] and not switched["failed"], switched["msg"]
            assert not self.drain(warm)["failed"]
        return self.live()

    def live(self) -> str | None:
        """Return the id of the live release; everything that says what is live must agree."""
        slot = Path(os.readlink(self.layout.pointer("wiki"))).name
        stored = json.loads(Path(self.layout.stored_spec("wiki")).read_text())
        link = Path(self.layout.live_release("wiki"))
        assert f"phpops-fpm@wiki-{slot}.service" in self.host.active, "the live slot's master is down"
        if "release" not in stored:
            return None
        assert link.resolve() == Path(stored["release"]["path"])
        assert Path(f"{self.layout.pointer('wiki')}/docroot").resolve() == link.resolve() / "public"
        return str(stored["release"]["id"])

    def tree(self) -> list[str]:
        return sorted(str(path.relative_to(self.path)) for path in self.path.rglob("*") if "run/" not in str(path))


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    layout = Layout(*(str(tmp_path / name) for name in ("state", "config", "run", "units", "needrestart")))
    host = PlayedHost(layout)
    monkeypatch.setattr(slot_master, "request", host.request)
    kept = (slot_prime.prime.__defaults__ or ())[2:]
    monkeypatch.setattr(slot_prime.prime, "__defaults__", (60.0, host.request, *kept))
    monkeypatch.setattr(slot_master, "prove_that_queues_show", lambda run: None)
    monkeypatch.setattr(slot_master, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(slot, "references", lambda text: [])
    monkeypatch.setattr(slot_steps, "spoilers", lambda *_given, **_options: [])
    monkeypatch.setattr(slot_steps.Steps, "missing", lambda self, spec: [])
    monkeypatch.setattr(reservation, "measure", lambda _paths: host.memory())
    for name in ("foresee", "claim"):
        monkeypatch.setattr(reservation, name, partial(getattr(reservation, name), folder=f"{layout.run}/budget"))
    (tmp_path / "units").mkdir()
    found = Fleet(tmp_path, host, layout)
    monkeypatch.setattr(slot_turn.web_check, "check", found.web.check)
    return found
