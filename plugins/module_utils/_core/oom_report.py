# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""One OOM event while it is read, and how the facts show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_lines import Choice, Invoked, Kill
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_memory import Memory
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_table import Row, Table, Totals
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_time import Moment
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_units import is_parent, unit_of

_PAGE_SIZES = frozenset(2**power for power in range(12, 19))
_SIZES = ("total_vm_bytes", "anon_rss_bytes", "file_rss_bytes", "shmem_rss_bytes")


@dataclass(eq=False)
class Report:
    """What is known of one event. ``certain`` is False for a memory block that may belong to something else."""

    host: str | None
    caller: str | None
    moment: Moment | None
    uptime: float | None
    certain: bool = True
    touched: int = 0
    invoked: Invoked | None = None
    trigger_pid: int | None = None
    trigger_comm: str | None = None
    choice: Choice | None = None
    chosen: Kill | None = None
    killed: Kill | None = None
    task_in: tuple[str, str] | None = None
    killed_at: tuple[str | None, float | None] = (None, None)
    group: bool = False
    oomd: bool = False
    only_units: bool = False
    units: list[str] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)
    table: Table = field(default_factory=Table)
    rows: list[Row] = field(default_factory=list)
    totals: Totals = field(default_factory=dict)
    victim_row: Row | None = None
    page_size: int | None = None

    @property
    def memcg(self) -> bool | None:
        """Tell a control group's limit from the host's; None as long as no line told."""
        if self.choice:
            return self.choice.constraint == "CONSTRAINT_MEMCG"
        for kill in (self.killed, self.chosen):
            if kill and kill.memcg is not None:
                return kill.memcg
        return True if self.task_in or self.memory.memcg else None

    @property
    def cgroup(self) -> str | None:
        """Return the control group of the victim."""
        return (self.choice.cgroup if self.choice else None) or (self.task_in[0] if self.task_in else None)

    @property
    def limit_cgroup(self) -> str | None:
        """Return the control group whose limit was reached; None when it was the host's memory."""
        if self.choice and self.choice.limit_cgroup:
            return self.choice.limit_cgroup
        if self.killed and self.killed.limit_cgroup:
            return self.killed.limit_cgroup
        return (self.task_in[1] or None) if self.task_in else self.memory.stats_for

    def holds(self, unit: str) -> bool:
        """Tell whether the event is known to have been in a unit, or in one that it holds."""
        return unit in self.units or unit in (self.cgroup or "").split("/")

    def fits(self, kill: Kill) -> int | None:
        """Return how well the kill of a process goes with what is known, None if it can't be this event's."""
        choice = self.choice
        announced = choice.pid if choice else None
        if self.killed is not None or (announced not in (None, kill.pid) and self.chosen is None):
            return None
        fit = 0
        if announced == kill.pid or (self.chosen is not None and self.chosen.pid == kill.pid):
            fit += 100
        elif self.chosen is not None:
            # A child was taken instead: its line follows.
            fit += 20 if kill.final else -20
        if kill.pid in self.table.pids:
            fit += 10
        if kill.comm == self.trigger_comm:
            fit += 2
        if kill.pid == self.trigger_pid:
            fit += 3
        if kill.memcg is not None and self.memcg is not None and kill.memcg != self.memcg:
            fit -= 30
        return fit

    def close(self, known_page_size: int | None) -> None:
        """Work out what needs the whole table, and let the helpers of reading go."""
        victim = self.killed or self.chosen
        pid = victim.pid if victim else self.choice.pid if self.choice else None
        row = self.table.find(pid) if pid is not None else None
        self.victim_row, self.rows, self.totals = row, self.table.rows, self.table.totals()
        size = victim.sizes.get("total_vm_bytes", 0) if victim else 0
        # The one number that the report has in pages and in kB is the victim's total_vm.
        exact = size // row.total_vm if row and row.total_vm and size % row.total_vm == 0 else None
        self.page_size = exact if exact in _PAGE_SIZES else self.memory.page_size or known_page_size
        self.table = Table()


def _kind(report: Report) -> str:
    if report.oomd:
        return "oomd"
    if report.only_units:
        return "unit"
    if report.memcg:
        return "memcg"
    # Both mean that the process was bound to some nodes, by its cpuset or by its own policy.
    bound = report.choice is not None and report.choice.constraint in ("CONSTRAINT_CPUSET", "CONSTRAINT_MEMORY_POLICY")
    return "cpuset" if bound else "global"


def _victim(report: Report, page_size: int) -> dict[str, Any] | None:
    kill, choice, row = report.killed, report.choice, report.victim_row
    source = kill or (choice if choice and choice.pid is not None else None) or report.chosen
    if source is None:
        return None
    sizes: dict[str, int | None] = dict.fromkeys(_SIZES)
    if row is not None:
        sizes["total_vm_bytes"] = row.total_vm * page_size
        if row.parts:
            sizes.update(zip(_SIZES[1:], (part * page_size for part in row.parts)))
    if kill is not None:
        sizes.update(kill.sizes)
    uid = source.uid if source.uid is not None else (choice.uid if choice and choice.pid == source.pid else None)
    adj = kill.oom_score_adj if kill else None
    return {
        "pid": source.pid,
        "comm": source.comm,
        "uid": row.uid if uid is None and row else uid,
        **sizes,
        "oom_score_adj": row.oom_score_adj if adj is None and row else adj,
    }


def _unit(report: Report) -> str | None:
    """Return the innermost unit: of the control group, else the one that systemd named and that is no parent."""
    found = unit_of(report.cgroup)
    own = [unit for unit in report.units if not is_parent(unit)]
    if found and not (found.endswith(".slice") and own):
        return found
    if own:
        return own[0]
    # A user's manager is nearer than the slices around it.
    return min(report.units, key=lambda unit: unit.endswith(".slice"), default=None)


def show(report: Report, default_page_size: int) -> dict[str, Any]:
    """Return a closed report as one entry of the facts' ``events``, all sizes in bytes."""
    page_size = report.page_size or default_page_size
    invoked = report.invoked or Invoked(None, None, None, None)
    totals = sorted(report.totals.items(), key=lambda item: (-item[1][1], item[0]))
    return {
        "time": report.moment.iso if report.moment else None,
        "kind": _kind(report),
        "trigger": {
            "comm": report.trigger_comm,
            "pid": report.trigger_pid,
            "gfp_mask": invoked.gfp_mask,
            "order": invoked.order,
            "oom_score_adj": invoked.oom_score_adj,
        },
        "constraint": report.choice.constraint if report.choice else None,
        "victim": _victim(report, page_size),
        "cgroup": report.cgroup,
        "limit_cgroup": report.limit_cgroup,
        "unit": _unit(report),
        "processes": [
            {
                "pid": row.pid,
                "uid": row.uid,
                "comm": row.comm,
                "rss_bytes": row.rss * page_size,
                "swap_bytes": None if row.swap is None else row.swap * page_size,
                "oom_score_adj": row.oom_score_adj,
            }
            for row in report.rows
        ],
        "by_command": {
            comm: {
                "processes": count,
                "rss_bytes": rss * page_size,
                "swap_bytes": None if swap is None else swap * page_size,
            }
            for comm, (count, rss, swap) in totals
        },
        "mem": report.memory.shown(page_size),
        "swap": {name: report.memory.swap.get(name) for name in ("total_bytes", "free_bytes")},
        "fragmentation": list(report.memory.zones.values()),
    }
