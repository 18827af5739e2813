# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Ends idle php-cgi processes of mod_fcgid, so that the OPcache segment of each goes back to the host."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Callable, NamedTuple

from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.sockets import fcgid_sockets
from ansible_collections.phpops.webhost.plugins.module_utils._host.php_cgi import (
    SOCKET_FOLDER,
    Process,
    open_sockets,
    php_cgi,
)

# How long one idle process may take to end; it has nothing to do.
END_SECONDS = 5.0
_PAUSE_SECONDS = 0.05


class Idle(NamedTuple):
    """The php-cgi processes of mod_fcgid: those that wait for a request, and those that serve one."""

    idle: list[Process]
    busy: list[Process]


def look(proc: str = "/proc", folder: str = SOCKET_FOLDER) -> Idle:
    """Return mod_fcgid's php-cgi; one that listens on no socket of its folder is not mod_fcgid's: in neither list."""
    try:
        text = (Path(proc) / "net/unix").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return Idle([], [])
    listening, connected = fcgid_sockets(text, folder)
    found = Idle([], [])
    for process in sorted(php_cgi(proc), key=lambda one: (one.start, one.pid)):
        held = open_sockets(process.pid, proc)
        if held & connected:
            found.busy.append(process)
        elif held & listening:
            found.idle.append(process)
    return found


def end_idle(
    count: int,
    timeout_seconds: float,
    see: Callable[[], Idle] = look,
    kill: Callable[[int, int], None] = os.kill,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> list[Process]:
    """End up to `count` idle processes, the oldest first and one after the other; return those that ended.

    Each is looked at just before its SIGTERM. One that began to serve a request meanwhile still ends it: php-cgi takes
    the signal as "no further request" (fastcgi.c, fcgi_signal_handler). While all are busy, it waits for one.
    """
    until = clock() + timeout_seconds
    ended: list[Process] = []
    tried: set[tuple[int, int]] = set()
    while len(ended) < count and clock() < until:
        waiting = [one for one in see().idle if (one.pid, one.start) not in tried]
        if not waiting:
            sleep(_PAUSE_SECONDS)
            continue
        goal = min(waiting, key=lambda one: (one.start, one.pid))
        tried.add((goal.pid, goal.start))
        try:
            kill(goal.pid, signal.SIGTERM)
        except OSError:
            continue
        if _is_gone(goal, min(until, clock() + END_SECONDS), see, sleep, clock):
            ended.append(goal)
    return ended


def _is_gone(
    goal: Process,
    until: float,
    see: Callable[[], Idle],
    sleep: Callable[[float], None],
    clock: Callable[[], float],
) -> bool:
    while clock() < until:
        sleep(_PAUSE_SECONDS)
        now = see()
        if not any((one.pid, one.start) == (goal.pid, goal.start) for one in [*now.idle, *now.busy]):
            return True
    return False
