# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Joins the lines of systemd and systemd-oomd with the kernel's events, whichever comes first in the log."""

from __future__ import annotations

from collections import deque

from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_keep import Kept
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_prefix import Line
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_report import Report
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_time import Moment
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_units import (
    OomdKill,
    UnitLine,
    is_parent,
    unit_of,
)

# systemd tells of a kill at once; of a unit's failure only when the unit has stopped (TimeoutStopSec= is 90 s).
_KILL_SECONDS = 10.0
_FAILED_SECONDS = 180.0
# The slices around a unit tell of the same kill within milliseconds.
_TOGETHER_SECONDS = 1.0


class UnitLines:
    """Takes lines about units. ``recent`` holds the events that have ended, the newest last."""

    def __init__(self, kept: Kept, recent: deque[Report]) -> None:
        self._kept = kept
        self._recent = recent

    def take(self, line: Line, unit: UnitLine, moment: Moment | None, here: list[Report]) -> None:
        """Add a line about a unit to its event; one that no event tells of is an event of its own."""
        self._kept.unit(unit.unit, unit.result, moment)
        window = _FAILED_SECONDS if unit.result else _KILL_SECONDS
        near = [report for report in reversed(self._recent) if _near(report, line, moment, window)]
        for report in [report for report in here if report.certain] + near:
            if not report.only_units and self._belongs(report, unit):
                self._join(report, unit)
                return
        for report in near:
            if report.only_units and self._repeats(report, unit, moment):
                self._join(report, unit)
                return
        report = Report(line.host, None, moment, line.uptime, only_units=not unit.oomd, oomd=unit.oomd)
        self._join(report, unit)
        self._kept.add(report)
        self._recent.append(report)

    def take_oomd(self, line: Line, kill: OomdKill, moment: Moment | None) -> None:
        """Add what systemd-oomd says: an event, unless systemd told of it just before."""
        unit = unit_of(kill.cgroup)
        for report in reversed(self._recent):
            same = report.oomd and report.task_in is None and unit in report.units
            if same and _near(report, line, moment, _KILL_SECONDS):
                report.task_in = (kill.cgroup, kill.limit_cgroup or "")
                return
        report = Report(line.host, None, moment, line.uptime, oomd=True)
        report.task_in = (kill.cgroup, kill.limit_cgroup or "")
        self._kept.add(report)
        self._recent.append(report)

    def claim(self, report: Report) -> None:
        """Let a kernel's event that has ended take the lines about its units that came before it."""
        if report.cgroup is None:
            return
        for other in list(self._recent):
            if other.only_units and other.host == report.host and other.moment and report.moment:
                close = abs(other.moment.epoch - report.moment.epoch) <= _TOGETHER_SECONDS
                if close and all(report.holds(unit) for unit in other.units):
                    report.units += [unit for unit in other.units if unit not in report.units]
                    self._kept.forget(other)
                    self._recent.remove(other)

    @staticmethod
    def _join(report: Report, unit: UnitLine) -> None:
        if unit.unit not in report.units and len(report.units) < 64:
            report.units.append(unit.unit)

    @staticmethod
    def _belongs(report: Report, unit: UnitLine) -> bool:
        if report.holds(unit.unit):
            return True
        # The older kernels don't say in which control group the victim was.
        own = [name for name in report.units if not is_parent(name)]
        return report.cgroup is None and not report.oomd and (is_parent(unit.unit) or not own)

    @staticmethod
    def _repeats(report: Report, unit: UnitLine, moment: Moment | None) -> bool:
        if unit.result:
            return unit.unit in report.units
        together = report.moment is None or moment is None
        if report.moment is not None and moment is not None:
            together = abs(moment.epoch - report.moment.epoch) <= _TOGETHER_SECONDS
        own = [name for name in report.units if not is_parent(name)]
        return together and unit.unit not in report.units and (is_parent(unit.unit) or not own)


def _near(report: Report, line: Line, moment: Moment | None, seconds: float) -> bool:
    """Tell an event of the same host that is not too long ago, by the clock or the uptime, if the log has either."""
    if report.host != line.host:
        return False
    if report.moment is not None and moment is not None:
        return -_TOGETHER_SECONDS <= moment.epoch - report.moment.epoch <= seconds
    if report.uptime is not None and line.uptime is not None:
        return -_TOGETHER_SECONDS <= line.uptime - report.uptime <= seconds
    return True
