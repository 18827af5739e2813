# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The phases of a deploy: prepare, switch, drain, and what is left when one of them is not to be."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.budget import MIB
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._host import (
    lease,
    slot_steps,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_budget import Budget
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_master import Master
from ansible_collections.phpops.webhost.tests.unit._host.played_host import Fleet, fleet, is_question

__all__ = ["fleet"]
BLUE, GREEN = "phpops-fpm@wiki-blue.service", "phpops-fpm@wiki-green.service"


def test_a_new_site_is_deployed_into_blue(fleet: Fleet) -> None:
    prepared = fleet.prepare("r1")
    assert (prepared["prepared"], prepared["warm"], prepared["slot"], prepared["live_slot"]) == (
        True,
        False,
        "blue",
        None,
    )
    assert prepared["release"] == {"id": "r1", "path": str(fleet.path / "releases/r1"), "history": []}
    switched = fleet.switch()
    assert (switched["live_slot"], switched["previous_slot"], switched["first_request_seconds"]) == ("blue", None, 0.01)
    assert fleet.web.asked == ["/"]
    assert fleet.drain()["finished"] and fleet.live() == "r1"
    assert fleet.host.enabled == {"phpops-site@wiki.service"} and not fleet.host.timers


def test_nothing_but_the_idle_slot_changes_before_the_switch(fleet: Fleet) -> None:
    fleet.deploy("r1")
    prepared = fleet.prepare("r2")
    assert prepared["reasons"] == ["release r1 → r2"] and prepared["live_release"] == "r1"
    assert (prepared["unit"], prepared["socket"]) == (GREEN, fleet.layout.web_socket("wiki", "green"))
    assert fleet.live() == "r1" and fleet.host.active == {BLUE, GREEN}
    assert list(fleet.host.timers) == ["phpops-retire-wiki-green"]


def test_the_release_that_is_live_changes_nothing(fleet: Fleet) -> None:
    fleet.deploy("r1")
    before, fleet.host.log = fleet.tree(), []
    again = fleet.prepare("r1")
    assert (again["prepared"], again["changed"], again["diff"]) == (False, False, [])
    assert fleet.tree() == before and all(entry.startswith("is-enabled") for entry in fleet.host.log)


def test_force_and_roll_flip_to_a_new_master_of_the_same_release(fleet: Fleet) -> None:
    fleet.deploy("r1")
    fleet.deploy("r2")
    assert fleet.deploy("r2", force=True) == "r2" and fleet.host.active == {BLUE}
    history = fleet.prepare(action="roll")["release"]["history"]
    assert history == ["r1"]


def test_check_mode_tells_and_touches_nothing(fleet: Fleet) -> None:
    first = fleet.prepare("r1", check_mode=True)
    assert (first["prepared"], first["changed"], first["reasons"]) == (True, True, ["the site is new"])
    assert not Path(fleet.layout.site_dir("wiki")).exists() and all(map(is_question, fleet.host.log))
    fleet.deploy("r1")
    before, log = fleet.tree(), list(fleet.host.log)
    there = fleet.prepare("r2", check_mode=True)
    assert (there["prepared"], there["changed"], there["slot"]) == (True, True, "green")
    names = {Path(entry["after_header"]).name for entry in there["diff"]}
    assert names == {"docroot", "release", "site.json", "fpm.conf", "10-phpops.conf"}
    assert fleet.switch(check_mode=True)["changed"]
    assert not fleet.drain(check_mode=True)["changed"]
    assert [path for path in fleet.tree() if path not in before and "releases" not in path] == []
    assert all(map(is_question, fleet.host.log[len(log) :]))


def test_what_is_missing_is_told_before_anything_is_touched(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        slot_steps.Steps, "spoiled", lambda self, release: ["Site wiki is not touched, because of b.conf:3."]
    )
    failed = fleet.prepare("r1")
    assert (failed["failed"], failed["prepared"]) == (True, False) and "b.conf:3" in failed["msg"]
    assert not Path(fleet.layout.site_dir("wiki")).exists()


@pytest.mark.parametrize(("web_server", "root"), [("apache", "/etc/apache2"), ("nginx", "/etc/nginx"), ("none", None)])
def test_the_virtual_host_that_is_written_before_the_switch_is_not_judged(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, web_server: str, root: str | None
) -> None:
    passed: list[frozenset[str]] = []
    monkeypatch.setattr(slot_steps, "rewritten", lambda site, root: frozenset([f"{root} of {site}"]))
    monkeypatch.setattr(slot_steps, "spoilers", lambda *_given, but: passed.append(but) or [])
    fleet.prepare("r1", web_server=web_server)
    assert passed == [frozenset([f"{root} of wiki"] if root else [])]


@pytest.mark.parametrize("broken", ["check", "start"])
def test_a_slot_that_does_not_start_leaves_the_live_one(fleet: Fleet, broken: str) -> None:
    fleet.deploy("r1")
    before = fleet.tree()
    fleet.host.broken.add(broken)
    failed = fleet.prepare("r2")
    assert (failed["failed"], failed["prepared"], failed["step"]) == (True, False, broken)
    assert fleet.live() == "r1" and fleet.host.active == {BLUE} and not fleet.host.timers
    assert [path for path in fleet.tree() if path not in before and "releases" not in path] == []


# Memory

LARGE = {"opcache": {"opcache.memory_consumption": "64"}}


def with_a_warm_slot(fleet: Fleet, shared_memory_mib: int) -> None:
    """Let r2 be live and r1's slot warm, 16 MiB each, on a host with so much memory."""
    fleet.deploy("r1")
    fleet.deploy("r2", warm=300)
    assert fleet.host.active == {BLUE, GREEN}
    fleet.host.shared_memory_bytes = shared_memory_mib * MIB


def test_a_release_without_room_is_refused_before_the_warm_slot_is_given_up(fleet: Fleet) -> None:
    with_a_warm_slot(fleet, 60)
    before, timers = fleet.tree(), dict(fleet.host.timers)
    failed = fleet.prepare("r3", options=LARGE)
    assert (failed["failed"], failed["step"], failed["prepared"]) == (True, "budget", False)
    assert "The memory budget is 20 MiB short" in failed["msg"]
    assert fleet.host.active == {BLUE, GREEN} and fleet.host.timers == timers
    assert [path for path in fleet.tree() if path not in before and "releases" not in path] == []
    assert fleet.prepare(action="rollback")["warm"] is True


def test_a_dry_run_says_of_the_memory_what_a_run_says(fleet: Fleet) -> None:
    with_a_warm_slot(fleet, 60)
    told = fleet.prepare("r3", options=LARGE, check_mode=True)["missing"]
    assert told == [fleet.prepare("r3", options=LARGE)["msg"]]
    assert fleet.prepare("r3", options=LARGE, check_mode=True, budget_override=True)["missing"] == []


def test_the_memory_of_the_slot_that_is_given_up_is_counted_as_free(fleet: Fleet) -> None:
    with_a_warm_slot(fleet, 36)
    assert fleet.prepare("r3", check_mode=True)["missing"] == []
    assert fleet.deploy("r3") == "r3"


def test_classic_counts_the_memory_of_the_live_slot_as_free(fleet: Fleet) -> None:
    fleet.deploy("r1")
    fleet.host.shared_memory_bytes = 20 * MIB
    assert "12 MiB short" in fleet.prepare("r2")["msg"]
    assert fleet.prepare("r2", classic=True, check_mode=True)["missing"] == []
    assert fleet.deploy("r2", classic=True) == "r2"


def test_what_another_site_reserves_meanwhile_is_found_by_the_reservation(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.deploy("r1")
    monkeypatch.setattr(Budget, "foresee", lambda *_given: "")
    fleet.host.shared_memory_bytes = 20 * MIB
    failed = fleet.prepare("r2")
    assert (failed["step"], "12 MiB short" in failed["msg"]) == ("budget", True)
    assert fleet.live() == "r1" and fleet.host.active == {BLUE}


def test_a_dry_run_says_that_php_cannot_be_asked(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    real = fleet.host.run
    broken = 1, "", "syntax error, unexpected '=' in /etc/php/x.ini on line 3"
    monkeypatch.setattr(fleet.host, "run", lambda words: broken if words[-1] == "--info" else real(words))
    told = fleet.prepare("r1", check_mode=True)["missing"]
    assert told == [f"php-fpm8.2 can't read its ini files: {broken[2]}"] == [fleet.prepare("r1")["msg"]]


# The switch


def test_only_a_slot_that_waits_is_switched_to(fleet: Fleet) -> None:
    fleet.deploy("r1")
    assert "does not wait for a switch" in fleet.switch()["msg"]
    fleet.deploy("r2", warm=300)
    assert fleet.switch()["failed"] and fleet.live() == "r2"
    fleet.prepare("r3")
    fleet.switch()
    assert fleet.switch()["failed"] and fleet.live() == "r3"  # the old slot still runs


def test_a_wrong_answer_after_the_switch_goes_back_at_once(fleet: Fleet) -> None:
    fleet.deploy("r1")
    fleet.prepare("r2")
    fleet.web.wrong = "/ answered 500."
    result = fleet.switch()
    assert (result["failed"], result["switched"], result["switched_back"], result["step"]) == (
        True,
        False,
        True,
        "verify",
    )
    assert result["msg"] == "/ answered 500. Slot blue is live again." and result["live_slot"] == "blue"
    assert fleet.live() == "r1" and fleet.host.active == {BLUE} and not fleet.host.timers
    assert not Path(fleet.layout.slot_dir("wiki", "green")).exists()


def test_a_new_site_that_answers_wrongly_is_gone(fleet: Fleet) -> None:
    fleet.prepare("r1")
    fleet.web.wrong = "/ answered 500."
    result = fleet.switch()
    assert (result["failed"], result["switched_back"], result["live_slot"]) == (True, True, None)
    assert not fleet.host.active and not fleet.host.enabled and not Path(fleet.layout.site_dir("wiki")).exists()


def take(fleet: Fleet, deploy_id: str) -> None:
    lease.take("wiki", deploy_id, "a test", "deploy", 60.0, fleet.layout)


def test_a_good_switch_is_taken_back_for_another_host_once(fleet: Fleet) -> None:
    fleet.deploy("r1")
    take(fleet, "d1")
    assert "has not switched" in fleet.back("d1")["msg"]
    fleet.prepare("r2", deploy_id="d1")
    assert fleet.back("d1")["changed"] is False
    fleet.switch("d1")
    result = fleet.back("d1")
    assert (result["changed"], result["switched_back"], result["live_slot"]) == (True, True, "blue")
    assert fleet.live() == "r1" and fleet.host.active == {BLUE}
    assert fleet.back("d1")["changed"] is False and fleet.live() == "r1"


def test_the_way_back_keeps_the_new_slot_up_while_it_is_busy(fleet: Fleet) -> None:
    fleet.deploy("r1")
    take(fleet, "d1")
    fleet.prepare("r2", deploy_id="d1")
    fleet.switch("d1")
    fleet.host.busy["wiki-green"] = 1
    assert "Slot green of site wiki still had work" in fleet.back("d1")["msg"]
    assert fleet.live() == "r1" and fleet.host.active == {BLUE, GREEN}
    assert fleet.back("d1")["changed"] is False and fleet.live() == "r1"


def test_a_way_back_after_which_the_new_slot_does_not_end_is_no_failure(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.deploy("r1")
    take(fleet, "d1")
    fleet.prepare("r2", deploy_id="d1")
    fleet.switch("d1")

    def drain(*_arguments: object) -> None:
        raise StepFailed("It does not tell its status.")

    monkeypatch.setattr(Master, "drain", drain)
    result = fleet.back("d1")
    assert (result["failed"], result["switched_back"], result["live_slot"]) == (False, True, "blue")
    assert result["msg"] == "Slot blue is live again. Slot green could not be ended: It does not tell its status."


def without_old_slot(fleet: Fleet) -> None:
    """Switch to r2 as deploy d1, and let the old slot be down then."""
    fleet.deploy("r1")
    take(fleet, "d1")
    fleet.prepare("r2", deploy_id="d1")
    fleet.switch("d1")
    fleet.host.active.remove(BLUE)
    fleet.host.log = []


def test_the_way_back_to_a_slot_that_is_down_stops_nothing_before_it_is_up(fleet: Fleet) -> None:
    without_old_slot(fleet)
    assert fleet.back("d1")["switched_back"] and fleet.live() == "r1"
    steps = [entry for entry in fleet.host.log if entry.startswith(("start", "stop"))]
    assert steps == [f"start {BLUE}", f"stop {GREEN}"]


def test_a_slot_that_is_down_and_has_no_room_beside_the_other_comes_after_it(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_old_slot(fleet)

    def too_much(self: Budget, *_given: object) -> None:
        raise StepFailed("It does not fit.")

    monkeypatch.setattr(Budget, "claim", too_much)
    assert fleet.back("d1")["switched_back"] and fleet.live() == "r1"
    steps = [entry for entry in fleet.host.log if entry.startswith(("start", "stop"))]
    assert steps[:2] == [f"stop {GREEN}", f"start {BLUE}"]


def test_an_old_slot_that_does_not_start_leaves_the_new_one(fleet: Fleet) -> None:
    without_old_slot(fleet)
    fleet.host.broken.add("start")
    result = fleet.back("d1")
    assert result["failed"] and "There is no way back" in result["msg"] and "Slot green goes on" in result["msg"]
    assert fleet.live() == "r2" and f"stop {GREEN}" not in fleet.host.log and f"stop {BLUE}" in fleet.host.log


# Classic


def test_classic_ends_the_live_slot_first_and_starts_it_again_when_nothing_comes_of_it(fleet: Fleet) -> None:
    fleet.deploy("r1")
    fleet.prepare("r2", classic=True)
    assert fleet.host.active == {GREEN}
    fleet.discard()
    assert fleet.live() == "r1" and fleet.host.active == {BLUE} and not fleet.host.timers
    assert fleet.deploy("r2", classic=True) == "r2" and fleet.host.active == {GREEN}


def test_classic_never_has_both_slots_up_on_the_way_back(fleet: Fleet) -> None:
    """A host that has no room for both can't start the old one as long as the new one is there."""
    fleet.deploy("r1")
    fleet.prepare("r2", classic=True)
    fleet.host.log = []
    fleet.discard()
    done = [line.split()[0] for line in fleet.host.log if line in (f"stop {GREEN}", f"start {BLUE}")]
    assert done == ["stop", "start"], fleet.host.log


def test_classic_goes_back_to_a_slot_that_it_has_stopped(fleet: Fleet) -> None:
    fleet.deploy("r1")
    fleet.prepare("r2", classic=True)
    fleet.web.wrong = "/ answered 500."
    assert fleet.switch()["switched_back"] and fleet.live() == "r1" and fleet.host.active == {BLUE}


def test_classic_starts_the_live_slot_again_after_a_failure(fleet: Fleet) -> None:
    fleet.deploy("r1")
    fleet.host.broken.add("check")
    assert fleet.prepare("r2", classic=True)["step"] == "check"
    assert fleet.live() == "r1" and fleet.host.active == {BLUE}


def test_classic_does_not_stop_a_slot_that_has_work(fleet: Fleet) -> None:
    fleet.deploy("r1")
    fleet.host.busy["wiki-blue"] = 1
    failed = fleet.prepare("r2", classic=True)
    assert (failed["failed"], failed["step"]) == (True, "budget") and "/s.php for 3 s" in failed["msg"]
    assert fleet.live() == "r1"
