# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Keeps the newest OOM events and a count of what systemd said, in bounded memory."""

from __future__ import annotations

from collections import deque
from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_report import Report, show
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_time import Moment
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of

# The facts are for people and for JSON: the newest events, and the newest tables of processes.
MOST_EVENTS = 1000
MOST_ROWS = 20_000
MOST_COMMANDS = 20_000
MOST_UNITS = 1000


class Kept:
    """The events in the order in which they began, and the units by name and result."""

    def __init__(self, since: float | None = None) -> None:
        self.events: deque[Report] = deque()
        self.units: dict[tuple[str, str | None], int] = {}
        self.dropped_events = self.dropped_tables = 0
        self._since = since
        self._rows = self._commands = 0

    def is_old(self, moment: Moment | None) -> bool:
        """Tell what happened before the time that was asked for; what has no time is taken as new."""
        return self._since is not None and moment is not None and moment.epoch < self._since

    def add(self, report: Report) -> None:
        """Take an event that begins."""
        if self.is_old(report.moment):
            return
        self.events.append(report)
        if len(self.events) > MOST_EVENTS:
            self._empty(self.events.popleft())
            self.dropped_events += 1

    def forget(self, report: Report) -> None:
        """Take back an event that was none, or is part of another."""
        for place in range(len(self.events) - 1, -1, -1):
            if self.events[place] is report:
                del self.events[place]
                return

    def closed(self, report: Report) -> None:
        """Count the table of an event that has ended; the oldest tables go when there are too many."""
        if self.is_old(report.moment):
            return
        self._rows += len(report.rows)
        self._commands += len(report.totals)
        if self._rows <= MOST_ROWS and self._commands <= MOST_COMMANDS:
            return
        for old in self.events:
            if old is not report and (old.rows or old.totals):
                self.dropped_tables += 1
                self._empty(old)
                if self._rows <= MOST_ROWS and self._commands <= MOST_COMMANDS:
                    return

    def _empty(self, report: Report) -> None:
        self._rows -= len(report.rows)
        self._commands -= len(report.totals)
        report.rows, report.totals = [], {}

    def unit(self, unit: str, result: str | None, moment: Moment | None) -> None:
        """Count a line of systemd about a unit."""
        if not self.is_old(moment) and ((unit, result) in self.units or len(self.units) < MOST_UNITS):
            self.units[unit, result] = self.units.get((unit, result), 0) + 1

    def shown(self, page_size: int) -> dict[str, Any]:
        """Return the facts' ``events`` and ``units``; ``page_size`` in bytes is for a log that doesn't tell it."""
        return {
            "events": [show(report, page_size) for report in self.events],
            "units": [
                {"unit": unit, "result": result, "count": count}
                for (unit, result), count in sorted(self.units.items(), key=lambda item: (item[0][0], item[0][1] or ""))
            ],
        }

    def notes(self) -> list[str]:
        """Say what was left out."""
        found = []
        if self.dropped_events:
            found.append(
                f"The log has {count_of(len(self.events) + self.dropped_events, 'OOM event')}: the newest "
                f"{len(self.events)} are returned. Give since to choose."
            )
        if self.dropped_tables:
            found.append(
                f"The tables of processes of {count_of(self.dropped_tables, 'older OOM event')} were left out."
            )
        return found
