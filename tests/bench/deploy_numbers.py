# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one round of the deploy benchmark measured, and the table of all rounds: a column an arm."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any, Sequence

# One request: when it was sent (seconds since 1970), how long it took, how it ended, which releases answered.
Event = Sequence[Any]
GOOD = ("ok", "mixed")


@dataclass(frozen=True)
class Window:
    """A part of the load: from when to when (seconds since 1970), and the release that was live before it."""

    start: float
    end: float
    before: str = ""

    def holds(self, event: Event) -> bool:
        """Tell whether any of the request was in flight then."""
        return bool(event[0] <= self.end and event[0] + event[1] >= self.start)


def percentile(seconds: list[float], share: float) -> float:
    """Return the value that this share of them did not exceed, 0 for none."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def failed(events: Sequence[Event]) -> int:
    """Count what was cut, hung, or got another status."""
    return sum(event[2] not in GOOD for event in events)


def took(events: Sequence[Event], window: Window) -> list[float]:
    """Return the latencies of what was in flight in a window."""
    return [event[1] for event in events if window.holds(event) and event[2] in GOOD]


def stale(events: Sequence[Event], window: Window) -> int:
    """Count the answers that only the old release gave to what was sent after the play had ended."""
    return sum(window.end < event[0] and list(event[3]) == [window.before] for event in events)


def first_new(events: Sequence[Event], window: Window) -> float:
    """Return when the first answer of another release came, the window's end without one."""
    times = [event[0] + event[1] for event in events if event[3] and window.before not in event[3]]
    return min((time for time in times if time >= window.start), default=window.end)


def under_load(events: Sequence[Event], quiet: Window, deploy: Window, rollback: Window) -> dict[str, float]:
    """Return the numbers of one load that went on over a deploy and a rollback."""
    until = [event for event in events if event[0] < rollback.start]
    after = [event for event in events if event[0] >= rollback.start]
    new = first_new(until, deploy)
    return {
        "requests": len(events),
        "failed_deploy": failed(until),
        "failed_rollback": failed(after),
        "mixed": sum(event[2] == "mixed" for event in events),
        "stale": stale(until, deploy) + stale(after, rollback),
        "p99_quiet": percentile(took(until, quiet), 0.99),
        "p99_deploy": percentile(took(until, deploy), 0.99),
        "p99_switch": percentile(took(until, Window(new - 1, new + 2)), 0.99),
        "max_quiet": max(took(until, quiet), default=0.0),
        "max_deploy": max(took(until, Window(deploy.start, rollback.start)), default=0.0),
        "max_rollback": max(took(after, Window(rollback.start, rollback.end + 60)), default=0.0),
        "wall_deploy_loaded": deploy.end - deploy.start,
        "wall_rollback_loaded": rollback.end - rollback.start,
    }


def _count(values: list[float]) -> str:
    return f"{sum(values):,.0f}"


def _ms(values: list[float]) -> str:
    return f"{median(values) * 1000:,.0f} ms"


def _worst(values: list[float]) -> str:
    return f"{max(values) * 1000:,.0f} ms"


def _seconds(values: list[float]) -> str:
    return f"{median(values):.2f} s"


def _ratio(values: list[float]) -> str:
    return f"{median(values):.2f}"


ROWS = (
    ("requests, all rounds", "requests", _count),
    ("failed: cut, hung or 5xx, in the deploys", "failed_deploy", _count),
    ("failed in the rollbacks", "failed_rollback", _count),
    ("POSTs run but not acknowledged", "unacknowledged", _count),
    ("POSTs lost or doubled", "lost", _count),
    ("slow requests (4 s) failed", "slow_failed", _count),
    ("mixed answers", "mixed", _count),
    ("stale answers after the play", "stale", _count),
    ("p99 quiet", "p99_quiet", _ms),
    ("p99 while the deploy ran", "p99_deploy", _ms),
    ("  against quiet (goal 1.5)", "p99_ratio", _ratio),
    ("p99 from 1 s before to 2 s after the switch", "p99_switch", _ms),
    ("  against quiet", "p99_switch_ratio", _ratio),
    ("longest quiet, all rounds", "max_quiet", _worst),
    ("longest in the deploys, all rounds", "max_deploy", _worst),
    ("longest in the rollbacks, all rounds", "max_rollback", _worst),
    ("first request after a deploy without load", "first", _ms),
    ("a warm one", "warm", _ms),
    ("  first against warm (goal 2)", "first_ratio", _ratio),
    ("deploy, whole command, without load", "wall_deploy", _seconds),
    ("  of it drain", "drain", _seconds),
    ("  beyond the drain (goal 3 s)", "beyond_drain", _seconds),
    ("deploy, whole command, under load", "wall_deploy_loaded", _seconds),
    ("rollback, whole command, under load", "wall_rollback_loaded", _seconds),
    ("  of it the task that switches (goal 1 s)", "switch_task", _seconds),
)


def ratios(numbers: dict[str, float]) -> dict[str, float]:
    """Add to one round's numbers what is divided by another of them."""
    found = dict(numbers)
    for name, over, under in (
        ("p99_ratio", "p99_deploy", "p99_quiet"),
        ("p99_switch_ratio", "p99_switch", "p99_quiet"),
        ("first_ratio", "first", "warm"),
    ):
        if numbers.get(under):
            found[name] = numbers[over] / numbers[under]
    if "wall_deploy" in numbers:
        found["beyond_drain"] = numbers["wall_deploy"] - numbers.get("drain", 0.0)
    return found


def table(arms: dict[str, list[dict[str, float]]]) -> str:
    """Return the table; arms: what each round of each arm measured. A number that no arm has is left out."""
    lines = [" " * 46 + "".join(f"{arm:>22}" for arm in arms)]
    for title, key, form in ROWS:
        cells = []
        for rounds in arms.values():
            values = [ratios(one)[key] for one in rounds if key in ratios(one)]
            cells.append(form(values) if values else "-")
        if set(cells) != {"-"}:
            lines.append(f"{title:<46}" + "".join(f"{cell:>22}" for cell in cells))
    return "\n".join(lines)
