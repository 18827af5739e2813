# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Holds a process still for a moment, so that what is read of it stays true until it is released (ptrace(2))."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

_DETACH, _SEIZE, _INTERRUPT, _EVENT_STOP = 17, 0x4206, 0x4207, 128
# __WALL: a traced process need not be our child.
_WAIT_ALL = 0x40000000
_POLL_SECONDS = 0.0005


class NotHeld(Exception):
    """The process could not be held still; the text says why. ``fatal``: don't try another one.

    That is so where the host lets us hold none, and where one is still to stop: it goes on when we end.
    """

    def __init__(self, why: str, fatal: bool = False) -> None:
        super().__init__(why)
        self.fatal = fatal


@contextmanager
def held(pid: int, timeout_seconds: float = 1.0) -> Iterator[None]:
    """Hold a process still; NotHeld when that can't be done, or when the process was about to take a signal.

    A system call in which it waits is interrupted and begins again at the end, unless a signal was sent meanwhile
    that has a handler. Its parent is not told. When we are killed, the kernel lets the process go on.
    """
    _ptrace(_SEIZE, pid)
    pending = 0
    try:
        _ptrace(_INTERRUPT, pid)
        pending = _stopped(pid, timeout_seconds)
        if pending:
            raise NotHeld(f"process {pid} was just taking signal {pending}")
        yield
    finally:
        _detach(pid, pending)


def _ptrace(request: int, pid: int, data: int = 0) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    call = library.ptrace
    call.restype = ctypes.c_long
    call.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    if call(request, pid, None, data or None) != -1:
        return
    number = ctypes.get_errno()
    if number == errno.ESRCH:
        raise NotHeld(f"process {pid} is gone")
    forbidden = number in (errno.EPERM, errno.EACCES, errno.ENOSYS) and not _is_traced(pid)
    raise NotHeld(f"process {pid} can't be held still: {os.strerror(number)}", forbidden)


def _is_traced(pid: int) -> bool:
    """Return whether somebody else traces the process, such as FPM itself for its slow log."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return False
    return any(line.startswith("TracerPid:") and line.split()[1:] != ["0"] for line in lines)


def _stopped(pid: int, timeout_seconds: float) -> int:
    """Wait until the process stands still; return 0, or the signal that it stopped for instead."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            found, status = os.waitpid(pid, os.WNOHANG | _WAIT_ALL)
        except ChildProcessError as error:
            raise NotHeld(f"process {pid} is gone") from error
        if found == pid and os.WIFSTOPPED(status):
            number, event = os.WSTOPSIG(status), status >> 16
            if event == _EVENT_STOP:
                return 0 if number == signal.SIGTRAP else number
            return number
        if found == pid:
            raise NotHeld(f"process {pid} has ended")
        if time.monotonic() > deadline:
            raise NotHeld(f"process {pid} did not stand still within {timeout_seconds:g} s", fatal=True)
        time.sleep(_POLL_SECONDS)


def _detach(pid: int, pending: int) -> None:
    """Let the process go on; a signal that it was about to take is given to it. One that is gone is no error."""
    # A group-stop has no signal to give back: the process stays stopped as whoever stopped it wants.
    give_back = pending if pending not in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU) else 0
    try:
        _ptrace(_DETACH, pid, give_back)
    except NotHeld:
        return
