# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Finds the php-cgi processes of mod_fcgid, waits until they are idle, and ends those that a reload left behind."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.sockets import fcgid_sockets
from ansible_collections.phpops.webhost.plugins.module_utils._core.proc_stat import parse_stat

SOCKET_FOLDER = "/var/lib/apache2/fcgid/sock"


@dataclass(frozen=True)
class Process:
    """A php-cgi process; start is in clock ticks since boot, so that (pid, start) names it for ever."""

    pid: int
    parent: int
    uid: int
    start: int


def php_cgi(proc: str = "/proc") -> list[Process]:
    """Return all php-cgi processes, by the name that the kernel has for them."""
    found = []
    for entry in Path(proc).iterdir():
        if not entry.name.isdigit():
            continue
        try:
            text = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            uid = entry.stat().st_uid
        except OSError:
            continue
        one = parse_stat(text)
        if one and one.comm.startswith("php-cgi") and one.state != "Z":
            found.append(Process(one.pid, one.parent, uid, one.start))
    return found


def busy(processes: Sequence[Process], proc: str = "/proc", folder: str = SOCKET_FOLDER) -> list[Process]:
    """Return those that serve a request at this moment: they hold a connected socket of mod_fcgid."""
    try:
        text = (Path(proc) / "net/unix").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    connected = fcgid_sockets(text, folder)[1]
    return [process for process in processes if connected and open_sockets(process.pid, proc) & connected]


def open_sockets(pid: int, proc: str = "/proc") -> set[int]:
    """Return the inodes of a process's sockets, none for a process that is gone or closed to us."""
    found = set()
    try:
        for entry in (Path(proc) / str(pid) / "fd").iterdir():
            goal = os.readlink(entry)
            if goal.startswith("socket:["):
                found.add(int(goal[8:-1]))
    except OSError:
        pass
    return found


def wait_idle(
    timeout_seconds: float, quiet_seconds: float = 0.0, pause_seconds: float = 0.02
) -> tuple[float, list[Process]]:
    """Wait until no php-cgi has served a request for so long; return the seconds waited, and who did last if one has.

    It looks every 20 ms, so a shorter request may go unseen.
    """
    before = quiet_since = time.monotonic()
    last: list[Process] = []
    while True:
        working = busy(php_cgi())
        now = time.monotonic()
        if working:
            quiet_since, last = now, working
        if not working and now - quiet_since >= quiet_seconds:
            return now - before, []
        if now - before >= timeout_seconds:
            return now - before, last
        time.sleep(pause_seconds)


def wait_gone(
    old: Sequence[Process],
    timeout_seconds: float,
    list_processes: Callable[[], list[Process]] = php_cgi,
    kill: Callable[[int, int], None] = os.kill,
) -> tuple[list[int], list[Process]]:
    """Wait until the processes of before a reload are gone; return (pids of orphans that we ended, those that stay).

    mod_fcgid ends what it started. A wrapper without `exec` leaves its php-cgi to init: those are ended here once
    they are idle, as nobody can reach them any more.
    """
    known = {(process.pid, process.start) for process in old}
    until = time.monotonic() + timeout_seconds
    ended: list[int] = []
    while True:
        left = [process for process in list_processes() if (process.pid, process.start) in known]
        if not left or time.monotonic() >= until:
            return ended, left
        orphans = [process for process in left if process.parent == 1]
        working = busy(orphans)
        for process in orphans:
            if process not in working and process.pid not in ended:
                try:
                    kill(process.pid, signal.SIGTERM)
                except OSError:
                    continue
                ended.append(process.pid)
        time.sleep(0.1)
