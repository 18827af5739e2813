# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import grp
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import build
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host import lease, opcache_prime, slot_prime
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_prime import prime
from ansible_collections.phpops.webhost.tests.unit._host.played_pool import Page, Pool

GROUP = grp.getgrgid(os.getgid()).gr_name
OPTIONS: dict[str, Any] = {
    "site": "wiki",
    "slot": None,
    "socket": None,
    "root": None,
    "entry_points": None,
    "concurrency": 2,
    "rounds": 10,
    "timeout_seconds": 120.0,
    "request_timeout_seconds": 60.0,
    "memory_ratio_max": 0.95,
    "keys_ratio_max": 0.95,
    "deploy_id": None,
    "slice_seconds": 0.0,
    "carry": {},
}


class Host:
    """A host with one site, blue live and green prepared, and a played pool behind every socket."""

    def __init__(self, path: Path) -> None:
        self.layout = Layout(*(str(path / name) for name in ("state", "config", "run", "units")))
        self.pool, self.sockets = Pool({"/index.php": Page()}), []
        self.slot("blue", 5)
        self.slot("green", 1)
        pointer = Path(self.layout.pointer("wiki"))
        pointer.parent.mkdir(parents=True)
        pointer.symlink_to("../slots/blue")
        Path(self.layout.run).mkdir(exist_ok=True)

    def slot(self, slot: str, workers: int) -> None:
        Path(self.layout.slot_dir("wiki", slot)).mkdir(parents=True)
        options = {"name": "wiki", "user": "wiki", "group": GROUP, "php_version": "8.2", "document_root": f"/w/{slot}"}
        entries = [{"path": "/index.php", "contains": "Main"}]
        spec = build({**options, "entry_points": entries, "process_manager": {"max_children": workers}})
        config = Path(self.layout.config_dir("wiki", slot))
        config.mkdir(parents=True)
        (config / "site.json").write_text(json.dumps(spec.as_dict()), encoding="utf-8")

    def ask(self, socket_path: str, params: dict[str, str], **bounds: Any) -> Any:
        self.sockets.append(socket_path)
        return self.pool.request(socket_path, params, **bounds)

    def prime(self, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        return prime({**OPTIONS, **options}, self.layout, check_mode)


@pytest.fixture(name="host")
def _host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    host = Host(tmp_path)
    monkeypatch.setattr(slot_prime.Primer.__init__, "__defaults__", (host.ask,))
    monkeypatch.setattr(opcache_prime, "references", lambda _text: [])
    return host


def test_the_slot_that_is_not_live_is_primed_with_what_it_stored(host: Host) -> None:
    result = host.prime()
    assert (result["changed"], result["stable"], result["scripts"], result["root"]) == (True, True, 1, "/w/green")
    assert set(host.sockets) == {host.layout.web_socket("wiki", "green")}
    assert host.pool.params[0]["HTTP_HOST"] == "wiki"
    assert list(Path(host.layout.slot_dir("wiki", "green")).iterdir()) == []


def test_no_more_at_a_time_than_the_slot_has_workers(host: Host) -> None:
    host.pool.pages["/index.php"].seconds = 0.02
    entries = [{"path": "/index.php"}] * 4
    host.prime(slot="green", entry_points=entries, concurrency=4)
    assert host.pool.most_running == 1
    host.prime(slot="blue", entry_points=entries, concurrency=4)
    assert host.pool.most_running == 4


def test_check_mode_says_what_would_be_asked_for_and_asks_nothing(host: Host) -> None:
    result = host.prime(check_mode=True)
    assert (result["changed"], result["requests"], host.sockets) == (True, 0, [])
    assert "Would ask" in result["msg"] and "/index.php" in result["msg"]
    assert not Path(host.layout.run, "lease").exists()


def test_check_mode_before_the_slot_is_there(host: Host) -> None:
    Path(host.layout.config_dir("wiki", "green"), "site.json").unlink()
    assert "/index.php" in host.prime(check_mode=True)["msg"]
    assert host.prime(site="new", check_mode=True)["changed"] is False
    result = host.prime()
    assert (result["failed"], result["changed"]) == (True, False)
    assert result["msg"] == "Slot green of site wiki is not there; make it with slot_prepare, or name a slot."


def test_a_failure_keeps_the_figures_and_its_sentence(host: Host) -> None:
    host.pool.pages["/index.php"].status = 500
    result = host.prime()
    assert (result["failed"], result["changed"], result["pending"], result["requests"]) == (True, True, False, 1)
    assert result["msg"].startswith("Entry point /index.php answered 500 from slot green, not 200.")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"site": "../x"}, "Site name '../x' can't be used"),
        ({"rounds": 0}, "rounds is 0; give a number from 1 to 1000."),
        ({"memory_ratio_max": 95.0}, "memory_ratio_max is 95"),
        ({"entry_points": [{"path": "x"}]}, "entry_points.path is 'x'"),
        ({"carry": {"key": "other"}}, "can't go on"),
        ({"deploy_id": "d1"}, "lease"),
    ],
)
def test_what_can_not_be_used_is_named(host: Host, options: dict[str, Any], match: str) -> None:
    result = host.prime(**options)
    assert result["failed"] and match in result["msg"] and host.sockets == []


def test_it_runs_inside_the_lease_and_writes_its_step(host: Host) -> None:
    lease.take("wiki", "d1", "alice", "deploy", 60, host.layout)
    assert "alice" in host.prime()["msg"]
    host.pool.pages["/index.php"].files = lambda _n: steps.append(lease.read("wiki", host.layout).step) or []
    steps: list[str] = []
    assert host.prime(deploy_id="d1")["requests"] == 2
    assert steps == ["prime", "prime"]
    found = lease.read("wiki", host.layout)
    assert found is not None and found.expires > time.time() + 50


def test_a_pool_that_is_no_slot(host: Host, tmp_path: Path) -> None:
    pool = {"site": None, "socket": "/run/php.sock", "root": str(tmp_path)}
    result = host.prime(**pool, entry_points=[{"path": "/index.php", "headers": {"X-Number": 1}}])
    assert (result["root"], result["scripts"], set(host.sockets)) == (str(tmp_path), 1, {"/run/php.sock"})
    assert (host.pool.params[0]["HTTP_HOST"], host.pool.params[0]["HTTP_X_NUMBER"]) == ("localhost", "1")
    assert "no folder of this host" in host.prime(**{**pool, "root": "/none"})["msg"]
    assert "no entry points" in host.prime(**pool)["msg"]
