# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What a master still has to do: the accept queue as ss sees it, and the workers as FPM's status names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.fpm_status import load, seconds_of

# What the site says of itself is bounded: as many workers as max_children may be, and one line of a terminal or two.
MAX_WORKERS, MAX_SCRIPT_LETTERS = 10000, 200


@dataclass(frozen=True)
class Worker:
    """A worker that handles a request: its process, the script, and for how long."""

    pid: int
    script: str
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        return {"pid": self.pid, "script": self.script, "seconds": self.seconds}


@dataclass(frozen=True)
class PoolStatus:
    """FPM's counters of one pool, and its busy workers."""

    active: int
    total: int
    accepted: int
    workers: list[Worker]


def accept_queues(ss_text: str) -> dict[str, int]:
    """Return connections that wait to be accepted, by path of the listening socket, from ``ss -xlnH``.

    Columns: Netid State Recv-Q Send-Q Local-Address:Port … (ss(8)); for a listener Recv-Q is the queue's length.
    """
    found: dict[str, int] = {}
    for line in ss_text.splitlines():
        words = line.split()
        if len(words) >= 5 and words[0].startswith("u_") and words[1] == "LISTEN" and words[2].isdigit():
            found[words[4]] = int(words[2])
    return found


def pool_status(text: str) -> PoolStatus:
    """Return what FPM's status page (?json&full) says; ValueError when it is no such page.

    Idle workers and the status request itself (it runs in a pool of its own) don't count.
    """
    try:
        data = load(text)
        processes = data.get("processes", [])
        if len(processes) > MAX_WORKERS:
            raise ValueError
        workers = [
            Worker(int(item["pid"]), _line(item.get("script", "")), seconds_of(int(item.get("request duration", 0))))
            for item in processes
            if item.get("state") != "Idle"
        ]
        return PoolStatus(
            int(data["active processes"]), int(data["total processes"]), int(data["accepted conn"]), workers
        )
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError, ValueError) as error:
        raise ValueError(f"this is no FPM status page: {text[:80]!r}") from error


def _line(script: object) -> str:
    """Return a script's name as a terminal may show it."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(script)[:MAX_SCRIPT_LETTERS])


@dataclass
class Quiet:
    """Says when a master has nothing left to do: queue and active workers both zero, ``needed`` looks in a row."""

    needed: int = 2
    seen: int = 0

    def look(self, queue: int, active: int) -> bool:
        """Take one reading and return whether the master is quiet now."""
        self.seen = self.seen + 1 if queue == 0 and active == 0 else 0
        return self.seen >= self.needed
