# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reads /proc/PID/stat (man5 proc_pid_stat)."""

from __future__ import annotations

from typing import NamedTuple


class Stat(NamedTuple):
    """A process; ``start`` is in clock ticks since boot, so that (pid, start) names it for ever."""

    pid: int
    comm: str
    state: str
    parent: int
    start: int


def parse_stat(text: str) -> Stat | None:
    """Return what the file says, None for any other text.

    The name in field 2 may hold blanks and parentheses, so the fields after it are counted from its last parenthesis.
    """
    head, _bracket, tail = text.rpartition(")")
    pid, _bracket, comm = head.partition(" (")
    fields = tail.split()
    if len(fields) < 20:
        return None
    numbers = (pid, fields[1], fields[19])
    if not all(number.isascii() and number.isdigit() and len(number) < 20 for number in numbers):
        return None
    return Stat(int(pid), comm, fields[0], int(fields[1]), int(fields[19]))
