# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Calls a function in a process of its own, so that it may hang, crash or eat memory and its caller goes on."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Callable

# Time to clean up for one that is told to end.
GRACE_SECONDS = 2.0
MAX_ANSWER_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Bounded:
    """What came of it: the function's value (any JSON), or why there is none."""

    value: Any
    reason: str | None
    seconds: float


class _Ended(BaseException):
    """SIGTERM came; no handler of exceptions on the way may take it for its own."""


class _TooMuch(Exception):
    """It takes more time, or says more, than it may; the text is empty where it was the time."""


def _end(_number: int, _frame: object) -> None:
    raise _Ended


def bounded(function: Callable[[], Any], seconds: float) -> Bounded:
    """Return the function's value, which JSON must be able to hold, if it has one after so many seconds.

    One that takes longer gets SIGTERM, which lets it undo what it began, and then SIGKILL, with all that it started.
    """
    started = time.monotonic()
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _child(function, writer)
    os.close(writer)
    with suppress(OSError):
        # Both sides do it: who comes first is not known.
        os.setpgid(pid, pid)
    try:
        answer = _read(reader, started + seconds)
    except _TooMuch as error:
        _kill(pid)
        return Bounded(None, str(error) or f"it was not done after {seconds:g} s", time.monotonic() - started)
    finally:
        os.close(reader)
    _pid, status = os.waitpid(pid, 0)
    took = time.monotonic() - started
    return _result(answer, status, took)


def _child(function: Callable[[], Any], writer: int) -> None:
    """Never returns."""
    code = 1
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, _end)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        data = json.dumps(_answer(function)).encode()
        while data:
            data = data[os.write(writer, data) :]
        code = 0
    finally:
        # The code of the parent that follows the fork must not run here, whatever has happened.
        os._exit(code)


def _answer(function: Callable[[], Any]) -> dict[str, Any]:
    try:
        return {"value": function()}
    except _Ended:
        raise
    except BaseException as error:
        # Whatever it is, it ends this process and nothing else: what is left to do is to tell it.
        return {"reason": f"{type(error).__name__}: {error}"}


def _read(reader: int, deadline: float) -> bytes:
    """Return what came until the other side has ended it. Raises _TooMuch."""
    answer = bytearray()
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([reader], [], [], left)[0]:
            raise _TooMuch
        piece = os.read(reader, 1 << 16)
        if not piece:
            return bytes(answer)
        answer += piece
        if len(answer) > MAX_ANSWER_BYTES:
            raise _TooMuch(f"its answer had more than {MAX_ANSWER_BYTES} bytes")


def _kill(pid: int) -> None:
    with suppress(OSError):
        os.kill(pid, signal.SIGTERM)
    ended = _wait(pid)
    with suppress(OSError):
        # The whole group: what it has started, too.
        os.killpg(pid, signal.SIGKILL)
    if not ended:
        # One that hangs in the kernel can't be waited for; systemd ends it with the service.
        _wait(pid)


def _wait(pid: int) -> bool:
    """Return whether a child has ended within the time of grace."""
    until = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < until:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return True
        time.sleep(0.02)
    return False


def _result(answer: bytes, status: int, took: float) -> Bounded:
    try:
        found = json.loads(answer)
        return Bounded(found.get("value"), found.get("reason"), took)
    except (ValueError, AttributeError):
        how = f"by signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"with {os.WEXITSTATUS(status)}"
        return Bounded(None, f"its process ended {how} and gave no answer", took)
