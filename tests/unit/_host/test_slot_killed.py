# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deploy that is killed where any of its steps begins: the site serves, and the next run needs no help."""

from __future__ import annotations

from typing import Callable

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import flip
from ansible_collections.phpops.webhost.plugins.module_utils._host import lease, slot_store
from ansible_collections.phpops.webhost.tests.unit._host.played_host import Fleet, fleet

__all__ = ["fleet"]
STEPS = [step for step in flip.STEPS if step != "prime"]


class Killed(BaseException):
    """Nothing may catch this, as nothing catches SIGKILL."""


def kill_at(fleet: Fleet, monkeypatch: pytest.MonkeyPatch, step: str, deploy: Callable[[], object]) -> None:
    def begin(self: lease.Held, name: str) -> None:
        if name == step:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(lease.Held, "step", begin)
        with pytest.raises(Killed):
            deploy()


def nothing(_fleet: Fleet) -> None:
    """The next run comes at once."""


BETWEEN: list[Callable[[Fleet], None]] = [nothing, lambda fleet: fleet.host.fire(), lambda fleet: fleet.host.reboot()]


@pytest.mark.parametrize("between", BETWEEN, ids=["at once", "timer", "reboot"])
@pytest.mark.parametrize("step", STEPS)
def test_the_same_deploy_again_completes_it(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, step: str, between: Callable[[Fleet], None]
) -> None:
    fleet.deploy("r1")
    kill_at(fleet, monkeypatch, step, lambda: fleet.deploy("r2"))
    expected = "r2" if STEPS.index(step) > STEPS.index("switch") else "r1"
    assert fleet.live() == expected
    between(fleet)
    assert fleet.live() == expected
    assert fleet.deploy("r2") == "r2"
    assert len(fleet.host.active) == 1 and not fleet.host.timers
    assert fleet.prepare("r2")["changed"] is False
    assert fleet.deploy(action="rollback") == "r1"


@pytest.mark.parametrize("between", BETWEEN, ids=["at once", "timer", "reboot"])
@pytest.mark.parametrize("step", STEPS)
def test_another_deploy_is_not_troubled_by_it(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, step: str, between: Callable[[Fleet], None]
) -> None:
    fleet.deploy("r1")
    kill_at(fleet, monkeypatch, step, lambda: fleet.deploy("r2"))
    between(fleet)
    assert fleet.deploy("r3") == "r3"
    assert len(fleet.host.active) == 1 and not fleet.host.timers


@pytest.mark.parametrize("step", [step for step in STEPS if step not in flip.DRAINING])
def test_a_new_site_that_was_killed_is_deployed_by_the_next_run(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    kill_at(fleet, monkeypatch, step, lambda: fleet.deploy("r1"))
    assert fleet.deploy("r1") == "r1"
    assert fleet.host.enabled == {"phpops-site@wiki.service"}
    assert len(fleet.host.active) == 1 and not fleet.host.timers
    fleet.host.reboot()
    assert fleet.live() == "r1"


def test_a_new_site_comes_up_after_a_reboot_as_soon_as_it_is_live(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_at(fleet, monkeypatch, "boot", lambda: fleet.deploy("r1"))
    fleet.host.reboot()
    assert fleet.host.active == {"phpops-fpm@wiki-blue.service"}
    assert fleet.prepare("r1")["changed"] and fleet.live() == "r1"


@pytest.mark.parametrize("step", STEPS)
def test_a_rollback_that_was_killed_can_be_done_again(fleet: Fleet, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    for name in ("r1", "r2", "r3"):
        fleet.deploy(name)
    kill_at(fleet, monkeypatch, step, lambda: fleet.deploy(action="rollback"))
    wanted = "r2" if fleet.live() == "r3" else "r1"
    assert fleet.deploy(action="rollback") == wanted
    assert len(fleet.host.active) == 1


@pytest.mark.parametrize("step", ["workers", "switch", "boot", "verify", "drain", "stop"])
def test_a_warm_rollback_that_was_killed_can_be_done_again(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    fleet.deploy("r1")
    fleet.deploy("r2", warm=300)
    kill_at(fleet, monkeypatch, step, lambda: fleet.deploy(action="rollback"))
    if fleet.live() == "r2":
        again = fleet.prepare(action="rollback")
        assert (again["prepared"], again["warm"]) == (True, True)
        fleet.switch()
    assert fleet.live() == "r1"
    fleet.prepare("r1")
    assert len(fleet.host.active) == 1 and not fleet.host.timers


@pytest.mark.parametrize("step", ["budget", "check", "start", "ready", "workers", "switch"])
def test_a_classic_deploy_that_was_killed_is_taken_up(fleet: Fleet, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    fleet.deploy("r1")
    kill_at(fleet, monkeypatch, step, lambda: fleet.deploy("r2", classic=True))
    assert fleet.deploy("r1") == "r1"
    assert len(fleet.host.active) == 1


@pytest.mark.parametrize("step", ["drain", "stop"])
def test_an_old_slot_that_was_half_drained_is_ended_by_a_run_that_has_nothing_else_to_do(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    fleet.deploy("r1")
    kill_at(fleet, monkeypatch, step, lambda: fleet.deploy("r2"))
    told = fleet.prepare("r2", check_mode=True)
    assert (told["changed"], told["prepared"]) == (True, False)
    ended = fleet.prepare("r2")
    assert (ended["changed"], ended["prepared"], len(fleet.host.active)) == (True, False, 1)


def test_a_deploy_that_was_killed_before_it_went_back_is_replaced(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.deploy("r1")
    fleet.web.wrong = "/ answered 500."
    kill_at(fleet, monkeypatch, "back", lambda: fleet.deploy("r2"))
    assert fleet.live() == "r2"
    fleet.web.wrong = ""
    assert fleet.deploy(action="rollback") == "r1" and len(fleet.host.active) == 1


def kill_before_the_rename(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill a deploy d1 that has told the step switch, and has not renamed the pointer."""

    def rename(*_given: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(slot_store, "switch", rename)
        with pytest.raises(Killed):
            fleet.switch("d1")


@pytest.mark.parametrize("warm", [False, True], ids=["started", "warm"])
def test_no_way_back_is_taken_where_the_kill_came_before_the_rename(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, warm: bool
) -> None:
    fleet.deploy("r1")
    if warm:
        fleet.deploy("r2", warm=300)
    lease.take("wiki", "d1", "a test", "deploy", 60.0, fleet.layout)
    live = fleet.live()
    fleet.prepare(*([None, "rollback"] if warm else ["r2"]), deploy_id="d1")
    kill_before_the_rename(fleet, monkeypatch)
    result = fleet.back("d1")
    assert (result["switched_back"], result["changed"]) == (False, False) and "has not switched" in result["msg"]
    assert fleet.live() == live and len(fleet.host.active) == 2


def test_a_new_site_that_was_killed_before_the_rename_has_no_way_back(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease.take("wiki", "d1", "a test", "deploy", 60.0, fleet.layout)
    fleet.prepare("r1", deploy_id="d1")
    kill_before_the_rename(fleet, monkeypatch)
    result = fleet.back("d1")
    assert (result["failed"], result["changed"]) == (False, False) and "has not switched" in result["msg"]


def test_a_timer_that_a_killed_run_left_to_the_live_slot_keeps_no_drain_away(fleet: Fleet) -> None:
    fleet.deploy("r1")
    fleet.prepare("r2")
    left = dict(fleet.host.timers)
    fleet.switch()
    fleet.host.timers = left  # killed before it could be removed
    assert fleet.drain(300)["warm_seconds"] == 300
    assert fleet.prepare(action="rollback")["warm"] and fleet.switch()["switched"]
    assert fleet.drain()["stopped"] and len(fleet.host.active) == 1
