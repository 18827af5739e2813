# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of slots: discarded, drained, held by a lease, and what a host lacks for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._host import lease, slot_master, systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_facts import slot_facts
from ansible_collections.phpops.webhost.tests.unit._host.played_host import Fleet, fleet

__all__ = ["fleet"]
BLUE, GREEN = "phpops-fpm@wiki-blue.service", "phpops-fpm@wiki-green.service"


def take(fleet: Fleet, deploy_id: str) -> None:
    lease.take("wiki", deploy_id, "a test", "deploy", 60.0, fleet.layout)


# Discard


def test_discard_takes_down_what_waits_and_leaves_what_is_warm(fleet: Fleet) -> None:
    fleet.deploy("r1")
    assert fleet.discard()["changed"] is False
    fleet.prepare("r2")
    assert fleet.discard(check_mode=True)["changed"] and fleet.host.active == {BLUE, GREEN}
    assert fleet.discard()["changed"]
    assert fleet.live() == "r1" and fleet.host.active == {BLUE} and not fleet.host.timers
    fleet.deploy("r2", warm=300)
    assert fleet.discard()["changed"] is False and fleet.host.active == {BLUE, GREEN}


def test_discard_of_a_new_site_leaves_nothing(fleet: Fleet) -> None:
    fleet.prepare("r1")
    fleet.discard()
    assert not fleet.host.active and not Path(fleet.layout.site_dir("wiki")).exists()


def test_discard_drains_a_slot_that_was_live(fleet: Fleet) -> None:
    fleet.deploy("r1")
    fleet.prepare("r2")
    fleet.switch()
    fleet.host.busy["wiki-blue"] = 1
    assert "Slot blue of site wiki still had work" in fleet.discard()["msg"]
    assert fleet.host.active == {BLUE, GREEN} and fleet.live() == "r2"
    fleet.host.busy.clear()
    fleet.discard()
    assert fleet.host.active == {GREEN}


# Drain


def test_a_slot_that_is_busy_stays_up_and_is_named(fleet: Fleet) -> None:
    fleet.deploy("r1")
    fleet.prepare("r2")
    fleet.switch()
    fleet.host.busy["wiki-blue"] = 1
    result = fleet.drain()
    assert (result["failed"], result["finished"], result["stopped"]) == (False, False, False)
    assert result["stuck"][0]["script"] == "/s.php" and "/s.php for 3 s" in result["msg"]
    assert fleet.host.active == {BLUE, GREEN}


def test_a_drain_in_slices_tells_how_far_it_is(fleet: Fleet) -> None:
    fleet.deploy("r1")
    fleet.prepare("r2")
    fleet.switch()
    fleet.host.busy["wiki-blue"] = 1
    first = fleet.drain(part=0.05, drain_timeout_seconds=10)
    assert (first["pending"], first["changed"]) == (True, False)
    assert "draining slot blue" in first["progress"] and "/s.php for 3 s" in first["progress"]
    second = fleet.drain(part=0.05, carry=first["carry"], drain_timeout_seconds=10)
    assert second["seconds"] > first["seconds"]
    over = fleet.drain(part=0.05, carry={"seconds": 10}, drain_timeout_seconds=10)
    assert (over["pending"], over["finished"]) == (False, False)
    fleet.host.busy.clear()
    assert fleet.drain(part=0.5, carry=second["carry"])["stopped"] and fleet.host.active == {GREEN}


def test_a_slot_that_waits_is_not_drained(fleet: Fleet) -> None:
    fleet.deploy("r1")
    fleet.prepare("r2")
    assert "waits for a switch" in fleet.drain()["msg"] and fleet.host.active == {BLUE, GREEN}


# The lease


def test_a_site_that_is_deployed_is_left_alone_by_others(fleet: Fleet) -> None:
    fleet.deploy("r1")
    take(fleet, "d1")
    refused = fleet.run(options={"umask": "027"})
    assert refused["failed"] and "being deployed by a test" in refused["msg"]
    assert fleet.prepare("r2")["failed"]
    assert not fleet.prepare("r2", deploy_id="d1")["failed"]
    written = json.loads(Path(lease.path("wiki", fleet.layout)).read_text())
    assert written["steps"] == ["lease", "retire", "stage", "budget", "check", "start", "ready"]
    assert slot_facts(fleet.host.run, fleet.layout)["sites"][0]["lease"]["holder"] == "a test"


def test_site_slot_does_not_take_a_release_away(fleet: Fleet) -> None:
    fleet.deploy("r1")
    refused = fleet.run(options={"document_root": "/srv/old"})
    assert refused["failed"] and "serves release r1" in refused["msg"]
    assert fleet.run(options={"umask": "027"})["flipped"] and fleet.live() == "r1"


def test_facts_tell_no_value_that_may_be_a_secret(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    given = fleet.new()
    given["entry_points"][0]["headers"] = {"Authorization": "sesame"}
    monkeypatch.setattr(fleet, "new", lambda: {**given, "environment": {"TOKEN": "sesame"}})
    fleet.deploy("r1")
    site = slot_facts(fleet.host.run, fleet.layout)["sites"][0]
    assert "sesame" not in json.dumps(site)
    assert site["spec"]["entry_points"][0]["headers"] == {"Authorization": None}


# What a drain needs


def test_a_host_that_hides_accept_queues_is_told_before_the_switch(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hidden(_run: object) -> None:
        raise StepFailed("`ss -xl` shows nothing.")

    monkeypatch.setattr(slot_master, "prove_that_queues_show", hidden)
    fleet.deploy("r1")  # there is nothing to drain
    before = fleet.tree()
    failed = fleet.prepare("r2")
    assert failed["failed"] and failed["msg"] == "Site wiki is not touched: `ss -xl` shows nothing."
    assert fleet.prepare("r2", check_mode=True)["missing"] == [failed["msg"]]
    assert fleet.live() == "r1" and [path for path in fleet.tree() if "releases" not in path] == [
        path for path in before if "releases" not in path
    ]


def test_a_program_that_is_missing_undoes_what_was_begun(fleet: Fleet) -> None:
    fleet.deploy("r1")
    known = fleet.host.run

    def run_command(words: list[str], handle_exceptions: bool) -> tuple[int, str, str]:
        assert not handle_exceptions
        if words[0] == "systemd-run":
            raise FileNotFoundError(2, "No such file or directory", b"systemd-run")
        return known(words)

    fleet.host.run = systemd.runner(run_command)  # type: ignore[method-assign]
    failed = fleet.prepare("r2")
    assert failed["failed"] and "systemd-run can't be started (No such file or directory)" in failed["msg"]
    assert fleet.live() == "r1" and not Path(fleet.layout.slot_dir("wiki", "green")).exists()
