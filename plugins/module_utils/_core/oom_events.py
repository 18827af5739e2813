# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Joins the lines of a log into OOM events, one event however many lines tell of it.

A line goes to the open event of its host and printk caller that it fits best: by the victim's pid, by the table of
processes, by names, else to the one that was told of last. Memory and time are bounded, whatever the log holds.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime

from ansible_collections.phpops.webhost.plugins.module_utils._core import oom_lines, oom_table, oom_units
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_keep import Kept
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_prefix import Line
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_report import Report
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_time import Moment, read_stamp
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_units_join import UnitLines

# Reports that may be open at a time: several hosts' logs in one file, or several CPUs' reports.
_MOST_OPEN = 8
# A report that nothing was added to for so many lines, or seconds, is over. A host short of memory writes slowly.
_IDLE_LINES = 5000
_IDLE_SECONDS = 600.0
_RECENT = 64
_MOST_NAMES = 50_000


class Events:
    """Takes messages, oldest first; ``number`` counts the lines of the log, ``columns`` are the last table's."""

    def __init__(self, latest: datetime | None, since: float | None) -> None:
        """``latest`` is when the log ends, for stamps without a year (see read_stamp); ``since`` in seconds."""
        self.number = 0
        self.columns: oom_table.Columns = ()
        self._kept = Kept(since)
        self._latest = latest
        self._open: list[Report] = []
        self._recent: deque[Report] = deque(maxlen=_RECENT)
        self._units = UnitLines(self._kept, self._recent)
        self._page_sizes: dict[str | None, int] = {}
        self._names: dict[str, str] = {}

    @property
    def active(self) -> bool:
        """Tell whether a report is open, so that any line may be a part of it."""
        return bool(self._open)

    def finish(self) -> Kept:
        """Take what is still open as it is, and return all."""
        for report in list(self._open):
            self._close(report)
        return self._kept

    def take_systemd(self, line: Line, body: str) -> None:
        """Take a line of systemd or systemd-oomd."""
        unit = oom_units.read_unit(body)
        if unit is not None:
            self._units.take(line, unit, self._moment(line), self._here(line))
            return
        oomd = oom_units.read_oomd(body)
        if oomd is not None:
            self._units.take_oomd(line, oomd, self._moment(line))

    def take_kernel(self, line: Line, body: str) -> bool:
        """Take a line of the kernel; False for a line that is none of a report's."""
        self._expire(line)
        if body[0] == "[":
            return self._take_table(line, body)
        here = self._here(line)
        # The kill first: its name may be the words that the others are known by.
        if "process" in body and self._take_kill(line, body, here):
            return True
        if "oom-kill" in body and (self._take_start(line, body, here) or self._take_choice(line, body, here)):
            return True
        if here and (body.startswith(("CPU:", "Pid:"))):
            return self._take_process(body, here)
        if "of limit" in body:
            task = oom_lines.read_task_in(body)
            if task is not None:
                report = here[-1] if here and here[-1].task_in is None else self._new(line)
                report.certain, report.task_in = True, task
                return self._touch(report)
        if here and oom_lines.ends_without_victim(body):
            here[-1].certain = here[-1].certain or "killable" in body
            self._close(here[-1])
            return True
        if here and body.lstrip().startswith("mem_cgroup_o"):
            # A frame of the call trace; the lines that say more may be cut.
            here[-1].memory.memcg = True
            return True
        if "memory.oom.group" in body and oom_lines.read_group(body):
            for report in reversed(self._recent):
                if report.killed is not None and report.host == line.host:
                    report.group = True
                    return True
        return self._take_memory(line, body, here)

    def _take_memory(self, line: Line, body: str, here: list[Report]) -> bool:
        if here:
            return here[-1].memory.take(body) and self._touch(here[-1])
        if body.startswith(("Mem-Info", "memory: usage", "Memory cgroup stats")) or "pages in swap cache" in body:
            report = self._new(line, certain=False)
            report.memory.take(body)
            return self._touch(report)
        return False

    def _take_table(self, line: Line, body: str) -> bool:
        if oom_table.is_row(body):
            # One that was joined, or is cut for good.
            return self.take_row(line, body) or True
        columns = oom_table.read_header(body)
        if columns is None:
            return False
        without = [report for report in self._here(line) if report.table.columns is None and not report.table.rows]
        report = without[-1] if without else self._new(line)
        report.certain, report.table.columns, self.columns = True, columns, columns
        return self._touch(report)

    def take_row(self, line: Line, body: str) -> bool:
        """Take a row of a table; False for one that is cut, and so may go on."""
        here = self._here(line)
        if not here:
            return True
        having = here if len(here) == 1 else [report for report in here if report.table.columns is not None] or here
        row = oom_table.read_row(body, having[-1].table.columns or (), self._names)
        if row is None:
            return False
        # Reports list the same processes: a second row of one pid is another report's.
        for report in reversed(having):
            if row.pid not in report.table.pids:
                report.table.add(row)
                return self._touch(report)
        return True

    def take_plain_row(self, text: str, place: tuple[int, str | None]) -> bool:
        """Take a row at a glance, as most lines of a log full of reports are; False for all that is not clear."""
        if len(self._open) != 1:
            return False
        report, (start, host) = self._open[0], place
        if report.host != host or report.caller or not report.table.columns:
            return False
        row = oom_table.read_row(text, report.table.columns, self._names, start)
        if row is None:
            return False
        report.table.add(row)
        return self._touch(report)

    def _take_start(self, line: Line, body: str, here: list[Report]) -> bool:
        invoked = oom_lines.read_invoked(body)
        if invoked is None:
            return False
        self._expire_by_clock(line)
        for report in here:
            if not report.certain and report in self._open:
                self._close(report)
        report = self._new(line)
        report.invoked, report.trigger_comm = invoked, invoked.comm
        return self._touch(report)

    def _take_process(self, body: str, here: list[Report]) -> bool:
        process = oom_lines.read_process(body)
        if process is None:
            return False
        for report in reversed(here):
            comm = report.trigger_comm
            if report.trigger_pid is None and report.invoked and (comm is None or process.text.startswith(comm)):
                report.trigger_pid, report.trigger_comm = process.pid, comm or process.comm
                return self._touch(report)
        return True

    def _take_choice(self, line: Line, body: str, here: list[Report]) -> bool:
        choice = oom_lines.read_choice(body)
        if choice is None:
            return False
        free = [report for report in here if report.choice is None]
        best = max(free, key=lambda report: _nearness(report, choice.pid, choice.comm), default=None)
        report = best or self._new(line)
        report.certain, report.choice = True, choice
        return self._touch(report)

    def _take_kill(self, line: Line, body: str, here: list[Report]) -> bool:
        kill = oom_lines.read_kill(body)
        if kill is None:
            return False
        if here:
            self._expire_by_clock(line)
            here = self._here(line)
        fitting = [(fit, report.touched, report) for report in here for fit in [report.fits(kill)] if fit is not None]
        fit, _touched, best = max(fitting, key=lambda item: item[:2], default=(0, 0, None))
        if kill.final and fit < 100 and self._is_known(line, kill):
            return True
        report = best or self._new(line)
        report.certain = True
        if kill.final:
            report.killed, report.killed_at = kill, (line.stamp, line.uptime)
            if not report.table.rows:
                # The table comes before the kill: another report that was open took it for its own.
                for other in here:
                    if kill.pid in other.table.pids:
                        report.table, other.table = other.table, report.table
                        break
            self._close(report)
        else:
            report.chosen = kill
            self._touch(report)
        return True

    def _is_known(self, line: Line, kill: oom_lines.Kill) -> bool:
        """Tell a line that was written twice, and the other processes of a control group that dies as a whole."""
        for report in reversed(self._recent):
            if report.host == line.host and report.killed is not None:
                if report.killed == kill and report.killed_at == (line.stamp, line.uptime) != (None, None):
                    return True
                if report.group and not self._open:
                    return True
                if not report.group:
                    return False
        return False

    def _here(self, line: Line) -> list[Report]:
        """Return the open reports that a line may belong to, the one that was told of last at the end."""
        if not self._open:
            return []
        found = [
            report
            for report in self._open
            if report.host == line.host and (report.caller == line.caller or None in (report.caller, line.caller))
        ]
        return found if len(found) < 2 else sorted(found, key=lambda report: report.touched)

    def _moment(self, line: Line) -> Moment | None:
        return read_stamp(line.stamp, self._latest) if line.stamp else None

    def _new(self, line: Line, certain: bool = True) -> Report:
        if len(self._names) > _MOST_NAMES:
            self._names.clear()
        if len(self._open) >= _MOST_OPEN:
            self._close(self._open[0])
        report = Report(line.host, line.caller, self._moment(line), line.uptime, certain)
        self._open.append(report)
        self._kept.add(report)
        self._touch(report)
        return report

    def _touch(self, report: Report) -> bool:
        report.touched = self.number
        return True

    def _close(self, report: Report) -> None:
        self._open.remove(report)
        if not report.certain:
            self._kept.forget(report)
            return
        report.close(self._page_sizes.get(report.host))
        if report.page_size and len(self._page_sizes) < 1000:
            self._page_sizes[report.host] = report.page_size
        self._kept.closed(report)
        self._units.claim(report)
        self._recent.append(report)

    def _expire(self, line: Line) -> None:
        """Close the reports that are over: nothing came for long, or the host has started anew."""
        for report in list(self._open):
            idle = self.number - report.touched > _IDLE_LINES
            same = report.host == line.host and line.uptime is not None and report.uptime is not None
            gone = same and not -10.0 <= (line.uptime or 0.0) - (report.uptime or 0.0) <= _IDLE_SECONDS
            if idle or gone:
                self._close(report)

    def _expire_by_clock(self, line: Line) -> None:
        """Close what began too long before a line, by the log's own stamps: a log need not have the uptime."""
        moment = self._moment(line) if self._open else None
        for report in list(self._open):
            if report.host != line.host or report.moment is None or moment is None:
                continue
            if not -10.0 <= moment.epoch - report.moment.epoch <= _IDLE_SECONDS:
                self._close(report)


def _nearness(report: Report, pid: int | None, comm: str | None) -> tuple[int, int]:
    near = 10 if pid in report.table.pids else 0
    near += 100 if report.chosen is not None and report.chosen.pid == pid else 0
    near += (2 if comm == report.trigger_comm else 0) + (3 if pid is not None and pid == report.trigger_pid else 0)
    return near, report.touched
