# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The slot flip as an order of steps; what a step does is injected."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Mapping

# Up to "switch" the live slot is untouched, and a failure is undone by stopping the idle slot.
# The budget comes before the check: `php-fpm --test` reserves the whole segment already.
RETIRE, BUDGET = "retire", "budget"
SWITCH = "switch"
# The phases of a deploy: each is one module call, and what happens between two of them leaves the site serving.
PREPARE = (RETIRE, "stage", BUDGET, "check", "start", "ready")
PRIME = ("prime",)
# The connections that hold workers stay open until the rename: both belong to one call.
SWITCHING = ("workers", SWITCH, "boot", "verify")
DRAINING = ("drain", "stop")
STEPS = (*PREPARE, *PRIME, *SWITCHING, *DRAINING)


class StepFailed(Exception):
    """A step could not be done; the text is one sentence that says why."""


@dataclass
class FlipResult:
    """How far a flip came. ``flipped`` says that traffic goes to the new slot, also when a later step failed."""

    flipped: bool = False
    failed: bool = False
    step: str = ""
    msg: str = ""
    done: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)


Step = Callable[[], Any]


def execute(steps: Mapping[str, Step], undo: Step, on_step: Callable[[str], None] | None = None) -> FlipResult:
    """Do the steps in STEPS' order; a step that is not in ``steps`` is passed over. on_step gets each name first.

    A StepFailed, or an OSError (a full disk, a folder that is read-only), before or at the switch calls ``undo`` (not
    for "retire", which begins nothing) and ends. After the switch nothing is undone, and the steps that follow are not
    done: the old slot then stays as it is, so that what it still works on can end.
    A step's result, when there is one, is kept in details under its name.
    """
    result = FlipResult()
    for name in STEPS:
        if name not in steps:
            continue
        result.step = name
        try:
            if on_step is not None:
                on_step(name)
            outcome = steps[name]()
        except (StepFailed, OSError) as error:
            result.failed, result.msg = True, str(error)
            # At "retire" nothing was begun yet, and the idle slot may still answer requests.
            if not result.flipped and name != RETIRE:
                try:
                    undo()
                except (StepFailed, OSError) as second:
                    result.msg += f" Then the idle slot could not be taken back: {second}"
            return result
        if outcome is not None:
            result.details[name] = outcome
        result.done.append(name)
        if name == SWITCH:
            result.flipped = True
    return result


def plan(live: str | None, live_active: bool, wanted: bool) -> list[str]:
    """Return the names of the steps that a site needs now.

    live: the slot that the pointer names, None for a new site. live_active: whether its master runs. wanted: whether
    the live slot's files differ from what they should be (or a flip was asked for).
    """
    if not wanted and live is not None:
        return [] if live_active else [BUDGET, "check", "start", "ready"]
    if live is None:
        return list(STEPS[: STEPS.index(DRAINING[0])])
    return list(STEPS)
