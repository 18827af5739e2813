# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any, Callable

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import flip
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import STEPS, SWITCH, StepFailed

BEFORE_SWITCH, AFTER_SWITCH = STEPS[: STEPS.index(SWITCH)], STEPS[STEPS.index(SWITCH) + 1 :]


class Recorder:
    """Steps that note that they ran; the one named fails."""

    def __init__(self, failing: str = "", undo_fails: bool = False) -> None:
        self.ran: list[str] = []
        self.failing, self.undo_fails = failing, undo_fails

    def step(self, name: str) -> Callable[[], Any]:
        def run() -> str:
            self.ran.append(name)
            if name == self.failing:
                raise StepFailed(f"{name} broke.")
            return name.upper()

        return run

    def undo(self) -> None:
        self.ran.append("undo")
        if self.undo_fails:
            raise StepFailed("no way back.")

    def all(self) -> flip.FlipResult:
        return flip.execute({name: self.step(name) for name in reversed(STEPS)}, self.undo)


def test_all_steps_run_in_order_and_their_results_are_kept() -> None:
    recorder = Recorder()
    result = recorder.all()
    assert recorder.ran == result.done == list(STEPS)
    assert result.flipped and not result.failed
    assert result.details["drain"] == "DRAIN"


@pytest.mark.parametrize("failing", (*BEFORE_SWITCH, SWITCH))
def test_a_failure_up_to_the_switch_is_undone(failing: str) -> None:
    recorder = Recorder(failing)
    result = recorder.all()
    undone = [] if failing == "retire" else ["undo"]
    assert recorder.ran == [*STEPS[: STEPS.index(failing) + 1], *undone]
    assert (result.failed, result.flipped, result.step, result.msg) == (True, False, failing, f"{failing} broke.")


def test_a_full_disk_is_a_step_that_failed() -> None:
    recorder = Recorder()

    def full() -> None:
        raise OSError(28, "No space left on device", "/etc/phpops/wiki")

    result = flip.execute({"stage": full}, recorder.undo)
    assert recorder.ran == ["undo"]
    assert (result.failed, result.step) == (True, "stage")
    assert "No space left on device: '/etc/phpops/wiki'" in result.msg


@pytest.mark.parametrize("failing", AFTER_SWITCH)
def test_a_failure_after_the_switch_leaves_the_old_slot_as_it_is(failing: str) -> None:
    recorder = Recorder(failing)
    result = recorder.all()
    assert recorder.ran == list(STEPS[: STEPS.index(failing) + 1])
    assert (result.failed, result.flipped, result.step) == (True, True, failing)


def test_both_failures_are_told_when_the_undo_fails_too() -> None:
    result = Recorder("prime", undo_fails=True).all()
    assert result.msg == "prime broke. Then the idle slot could not be taken back: no way back."


def test_no_other_error_is_swallowed() -> None:
    def broken() -> None:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        flip.execute({"stage": broken}, lambda: None)


@pytest.mark.parametrize(
    ("live", "active", "wanted", "expected"),
    [
        (None, False, False, (*BEFORE_SWITCH, "switch", "boot", "verify")),
        (None, False, True, (*BEFORE_SWITCH, "switch", "boot", "verify")),
        ("blue", True, False, ()),
        ("blue", False, False, ("budget", "check", "start", "ready")),
        ("blue", True, True, STEPS),
        ("blue", False, True, STEPS),
    ],
)
def test_the_plan(live: str | None, active: bool, wanted: bool, expected: tuple[str, ...]) -> None:
    assert flip.plan(live, active, wanted) == list(expected)


def test_the_memory_is_reserved_before_php_is_asked_to_check() -> None:
    assert STEPS.index("budget") < STEPS.index("check") < STEPS.index("start")
