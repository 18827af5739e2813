# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The OOM report's table of processes, whose columns differ from kernel to kernel. Its memory values are pages."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Dict, NamedTuple, Optional, Tuple

_HEADER = re.compile(r"^\[ {0,8}pid {0,8}\] +(uid +tgid .*)$")
# Linux 2.6 to 6.x, by the count of numbers after the pid where the header is lost or cut (7 without one: 3.x on).
_LAYOUTS = {
    6: "uid tgid total_vm rss cpu oom_adj",
    7: "uid tgid total_vm rss nr_ptes swapents oom_score_adj",
    8: "uid tgid total_vm rss nr_ptes nr_pmds swapents oom_score_adj",
    9: "uid tgid total_vm rss nr_ptes nr_pmds nr_puds swapents oom_score_adj",
    10: "uid tgid total_vm rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj",
}
_MOST_COLUMNS = 16
# Bounds the memory that one report may take, many times what a host has processes.
MOST_ROWS = 20_000


class Row(NamedTuple):
    """One process. Sizes in pages; None where the kernel's table has no such column."""

    pid: int
    uid: int
    comm: str
    rss: int
    swap: int | None
    oom_score_adj: int | None
    total_vm: int
    parts: tuple[int, int, int] | None


Columns = Tuple[str, ...]
Totals = Dict[str, Tuple[int, int, Optional[int]]]


def read_header(body: str) -> Columns | None:
    """Return the names of the columns between pid and name; None for another line, () for a header that is cut."""
    if body[:1] != "[":
        return None
    found = _HEADER.match(body)
    if found is None:
        return None
    words = found.group(1).split()
    return tuple(words[:-1]) if words[-1] == "name" and len(words) <= _MOST_COLUMNS else ()


def is_row(body: str) -> bool:
    """Tell a row of the table, whole or cut, from other lines that begin with a bracket."""
    end = body.find("]", 2, 16)
    return end > 0 and body[0] == "[" and body[1:end].strip().isdigit()


class _Reader(NamedTuple):
    """How to read a row of one layout: the place of each value among the groups of the pattern, 0 without one."""

    pattern: re.Pattern[str]
    uid: int
    total_vm: int
    rss: int
    swap: int
    oom_score_adj: int
    parts: tuple[int, ...]


@lru_cache(maxsize=64)
def _reader(columns: Columns) -> _Reader | None:
    """Return the reader of a layout; None for one without the columns that every kernel's has."""
    place = {name: number for number, name in enumerate(columns, 2)}
    if not {"uid", "total_vm", "rss"} <= set(columns):
        return None
    # A name has 15 bytes (TASK_COMM_LEN), a kernel thread's may be longer. It may begin with a digit or a blank.
    text = (
        r"(?:\[ {0,12}\d{1,12}\.\d{1,9}\] )?\[ {0,8}(\d{1,10})\]" + r" +(-?\d{1,20})" * len(columns) + r" +(.{1,64})$"
    )
    parts = tuple(place[name] for name in ("rss_anon", "rss_file", "rss_shmem") if name in place)
    swap, adj = (place.get(name, 0) for name in ("swapents", "oom_score_adj"))
    return _Reader(re.compile(text), place["uid"], place["total_vm"], place["rss"], swap, adj, parts)


def _guessed(body: str) -> Columns:
    """Return the layout of a row whose header is lost, by the count of its numbers."""
    count = 0
    for word in body[body.index("]") + 1 :].split(None, 16):
        if not word.lstrip("-").isdigit():
            break
        count += 1
    return tuple(_LAYOUTS.get(count, "").split())


def read_row(body: str, columns: Columns, names: dict[str, str], start: int = 0) -> Row | None:
    """Read a row, with the uptime before it or without; None when it is cut, and for another line.

    ``columns`` are the header's, () when it is not known: the body must be one that is_row() told then. ``names`` holds
    one string for all processes of a name. The row begins at ``start``.
    """
    reader = _reader(columns or _guessed(body))
    found = reader.pattern.match(body, start) if reader else None
    if reader is None or found is None:
        return None
    values = found.groups()
    comm = values[-1].rstrip()
    swap, adj, parts = reader.swap, reader.oom_score_adj, reader.parts
    return Row(
        int(values[0]),
        int(values[reader.uid - 1]),
        names.setdefault(comm, comm),
        int(values[reader.rss - 1]),
        int(values[swap - 1]) if swap else None,
        int(values[adj - 1]) if adj else None,
        int(values[reader.total_vm - 1]),
        (int(values[parts[0] - 1]), int(values[parts[1] - 1]), int(values[parts[2] - 1])) if len(parts) == 3 else None,
    )


@dataclass
class Table:
    """The rows of one report, each process once: one that a log repeats is not taken again."""

    columns: Columns | None = None
    rows: list[Row] = field(default_factory=list)
    pids: set[int] = field(default_factory=set)

    def add(self, row: Row) -> None:
        """Take a row; beyond MOST_ROWS nothing is taken."""
        if row.pid in self.pids or len(self.pids) >= MOST_ROWS:
            return
        self.pids.add(row.pid)
        self.rows.append(row)

    def totals(self) -> Totals:
        """Return the count of processes, their rss and their swap in pages (None where it isn't told), by name."""
        found: Totals = {}
        for row in self.rows:
            count, rss, swap = found.get(row.comm, (0, 0, None))
            found[row.comm] = (count + 1, rss + row.rss, swap if row.swap is None else (swap or 0) + row.swap)
        return found

    def find(self, pid: int) -> Row | None:
        """Return the row of a process."""
        return next((row for row in self.rows if row.pid == pid), None) if pid in self.pids else None
