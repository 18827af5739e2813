# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deploy that is killed where any of its steps begins: the site serves, and the next run needs no help."""

from __future__ import annotations

from typing import Callable

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import flip
from ansible_collections.phpops.webhost.plugins.module_utils._host import lease
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
