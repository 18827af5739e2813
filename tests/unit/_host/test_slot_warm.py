# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollback, and the old slot that stays warm for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_phases
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_facts import slot_facts
from ansible_collections.phpops.webhost.tests.unit._host.played_host import Fleet, fleet

__all__ = ["fleet"]
BLUE, GREEN = "phpops-fpm@wiki-blue.service", "phpops-fpm@wiki-green.service"


def test_rollback_twice_goes_back_two_releases(fleet: Fleet) -> None:
    for name in ("r1", "r2", "r3"):
        fleet.deploy(name)
    assert fleet.deploy(action="rollback") == "r2"
    assert fleet.deploy(action="rollback") == "r1"
    failed = fleet.prepare(action="rollback")
    assert failed["failed"] and "before release r1 no release was live" in failed["msg"]


def test_rollback_passes_over_what_is_gone(fleet: Fleet) -> None:
    for name in ("r1", "r2", "r3"):
        fleet.deploy(name)
    shutil.rmtree(fleet.path / "releases/r2")
    assert fleet.deploy(action="rollback") == "r1"


def test_a_site_without_a_release_has_nothing_to_roll_back_to(fleet: Fleet) -> None:
    fleet.first()
    failed = fleet.prepare(action="rollback")
    assert failed["failed"] and "serves no release" in failed["msg"]
    assert fleet.deploy(action="roll") is None


def test_rollback_to_a_warm_slot_starts_nothing(fleet: Fleet) -> None:
    fleet.deploy("r1")
    fleet.deploy("r2", warm=300)
    fleet.host.log = []
    prepared = fleet.prepare(action="rollback")
    assert (prepared["prepared"], prepared["warm"], prepared["slot"]) == (True, True, "blue")
    assert not [entry for entry in fleet.host.log if entry.startswith("start")]
    assert fleet.switch()["switched"] and fleet.live() == "r1"
    # What was live is warm now; it is no release before r1.
    assert fleet.drain(300)["warm_seconds"] == 300
    assert fleet.prepare(action="rollback")["failed"]


def test_a_warm_slot_goes_back_cold_when_its_time_is_up_or_its_files_differ(fleet: Fleet) -> None:
    fleet.deploy("r1")
    fleet.deploy("r2", warm=300)
    path = Path(fleet.layout.config_dir("wiki", "blue"), "fpm.conf")
    path.write_text("; by hand")
    assert fleet.prepare(action="rollback")["warm"] is False
    assert "; by hand" not in path.read_text()


def test_a_warm_slot_that_does_not_answer_is_started_anew(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet.deploy("r1")
    fleet.deploy("r2", warm=300)
    monkeypatch.setattr(slot_phases, "_answers", lambda site: False)
    prepared = fleet.prepare(action="rollback")
    assert (prepared["prepared"], prepared["warm"]) == (True, False)


def test_a_slot_that_was_only_prepared_is_not_warm(fleet: Fleet) -> None:
    fleet.deploy("r1")
    fleet.deploy("r2")
    assert fleet.prepare(action="rollback")["warm"] is False  # killed here, unprimed
    again = fleet.prepare(action="rollback")
    assert (again["prepared"], again["warm"]) == (True, False)


# Warm slots


def test_the_timer_ends_a_warm_slot_but_never_the_live_one(fleet: Fleet) -> None:
    fleet.deploy("r1")
    fleet.deploy("r2", warm=300)
    fleet.host.fire()
    assert fleet.host.active == {GREEN} and fleet.live() == "r2"
    fleet.prepare("r3")
    timers = dict(fleet.host.timers)
    fleet.switch()
    fleet.host.timers = timers  # killed before it could be removed
    fleet.host.fire()
    assert fleet.live() == "r3"


def test_a_timer_whose_command_waits_for_the_lock_does_not_end_the_slot_that_comes(fleet: Fleet) -> None:
    fleet.deploy("r1")
    fleet.deploy("r2", warm=300)
    fleet.host.timers.clear()
    fleet.host.waiting.add("phpops-retire-wiki-blue")
    assert fleet.prepare("r3")["prepared"] and not fleet.host.waiting


def test_the_next_deploy_takes_a_warm_slot_early(fleet: Fleet) -> None:
    fleet.deploy("r1")
    fleet.deploy("r2", warm=300)
    assert fleet.deploy("r3", warm=300) == "r3"
    assert fleet.host.active == {BLUE, GREEN} and list(fleet.host.timers) == ["phpops-retire-wiki-green"]


def test_a_run_without_a_change_leaves_a_warm_slot_alone(fleet: Fleet) -> None:
    fleet.deploy("r1")
    fleet.deploy("r2", warm=300)
    assert fleet.run()["changed"] is False and fleet.prepare("r2")["changed"] is False
    assert fleet.drain(300)["changed"] is False
    assert fleet.host.active == {BLUE, GREEN}
    site = slot_facts(fleet.host.run, fleet.layout)["sites"][0]
    assert site["release"]["id"] == "r2" and "release" not in site["spec"] and site["lease"] is None
    assert (site["slots"]["blue"]["warm"], site["slots"]["green"]["warm"]) == (True, False)
