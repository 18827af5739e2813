# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Asks workers that grew too large to go, each one only while it provably waits for its next request."""

from __future__ import annotations

import os
import signal
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Callable, ContextManager, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.recycle import Settings, Worker, plan
from ansible_collections.phpops.webhost.plugins.module_utils._core.shm import PHP_CGI
from ansible_collections.phpops.webhost.plugins.module_utils._host import ptrace
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable
from ansible_collections.phpops.webhost.plugins.module_utils._host.workers import is_there, socket_path, waits

# How long a worker that has nothing to do may take to end.
END_SECONDS = 5.0
_POLL_SECONDS = 0.01
# A web server that has looked a socket up has connected to it long before.
_CONNECT_SECONDS = 0.02
_HIDDEN = ".phpops"

RECYCLED, BUSY, STUCK = "recycled", "busy", "stuck"
Say = Callable[[str], None]


@dataclass
class Outcome:
    """What a run did: how many workers were above their threshold, and what became of them.

    ``later``: left for the next run by the share. ``fatal``: why the run ended before its time, empty when it didn't.
    """

    above: int = 0
    recycled: int = 0
    busy: int = 0
    failed: int = 0
    later: int = 0
    fatal: str = ""

    def sentence(self) -> str:
        """Return the run's last line."""
        parts = [f"{self.above} above the threshold", f"{self.recycled} recycled", f"{self.busy} busy and left alone"]
        parts += [f"{self.later} left for the next run"] if self.later else []
        parts += [f"{self.failed} failed"] if self.failed else []
        return ", ".join(parts)


class Host:
    """What a run does to the host; tests have one of their own."""

    def __init__(self, machine: str = "") -> None:
        self.machine = machine or os.uname().machine

    def waits(self, worker: Worker) -> bool:
        return waits(worker, self.machine)

    def is_there(self, worker: Worker) -> bool:
        return is_there(worker)

    def held(self, worker: Worker) -> ContextManager[None]:
        return ptrace.held(worker.pid)

    def kill(self, worker: Worker, number: int) -> None:
        os.kill(worker.pid, number)

    def hide(self, worker: Worker) -> Hidden:
        return Hidden(worker)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def recycle(workers: Sequence[Worker], chosen: Settings, say: Say, host: Host) -> Outcome:
    """Ask the workers that plan() names to go, one after the other, and say of each what became of it.

    No more than the share of a pool is asked in one run, those that don't end included; a busy one is not asked, and
    the next largest is looked at.
    """
    outcome = Outcome()
    for pool in plan(workers, chosen):
        outcome.above += len(pool.above)
        asked = 0
        for worker in pool.above:
            if asked >= pool.allowed:
                outcome.later += 1
                continue
            try:
                became, seconds = ask_to_go(worker, host)
            except ptrace.NotHeld as error:
                outcome.failed += 1
                say(f"not recycled: {error}; {worker.words()}")
                if error.fatal:
                    outcome.fatal = str(error)
                    return outcome
                continue
            except (OSError, Unreadable) as error:
                outcome.failed += 1
                say(f"not recycled: {error}; {worker.words()}")
                continue
            asked += became in (RECYCLED, STUCK)
            _note(outcome, became)
            threshold = f"threshold_bytes={chosen.threshold(worker.site)}"
            say(f"{_SAID[became]} {worker.words()} {threshold} seconds={seconds:.3f}")
    return outcome


_SAID = {
    RECYCLED: "recycled",
    BUSY: "left alone, it serves a request:",
    STUCK: f"asked to go, but still there after {END_SECONDS:g} s:",
}


def _note(outcome: Outcome, became: str) -> None:
    outcome.recycled += became == RECYCLED
    outcome.busy += became == BUSY
    outcome.failed += became == STUCK


def ask_to_go(worker: Worker, host: Host) -> tuple[str, float]:
    """Ask one worker to go if it waits for a request; return what became of it, and for how long it was waited for.

    It is looked at twice: as it is, and held still, when nothing can begin before the signal is delivered. Raises
    NotHeld, OSError.
    """
    if not host.waits(worker):
        return BUSY, 0.0
    # What connects to a php-cgi that nobody shares the socket with is lost when it ends: nobody may any more.
    alone = worker.kind == PHP_CGI and not worker.siblings
    asked = _signal_hidden(worker, host) if alone else _signal(worker, host)
    return _ended(worker, host) if asked else (BUSY, 0.0)


def _signal_hidden(worker: Worker, host: Host) -> bool:
    """As _signal(), with the socket out of sight before, and for good once the signal was sent."""
    hidden, asked = host.hide(worker), False
    try:
        host.sleep(_CONNECT_SECONDS)
        asked = _signal(worker, host)
        return asked
    finally:
        # The process may be gone for another reason, and its socket with it.
        with suppress(OSError):
            if asked:
                hidden.forget()
            else:
                hidden.show()
        hidden.close()


def _signal(worker: Worker, host: Host) -> bool:
    """Send the signal that lets a request in progress end, too: php-cgi and FPM differ in which one it is."""
    with host.held(worker):
        if not host.waits(worker):
            return False
        host.kill(worker, signal.SIGTERM if worker.kind == PHP_CGI else signal.SIGQUIT)
    return True


def _ended(worker: Worker, host: Host) -> tuple[str, float]:
    seconds = 0.0
    while host.is_there(worker):
        if seconds >= END_SECONDS:
            return STUCK, seconds
        host.sleep(_POLL_SECONDS)
        seconds += _POLL_SECONDS
    return RECYCLED, seconds


class Hidden:
    """Takes a php-cgi's socket out of mod_fcgid's sight, until show(); forget() removes it for good.

    mod_fcgid connects by path, and goes on to another process when that fails (fcgid_bridge.c). One that stays hidden
    because we were killed is ended by mod_fcgid itself. All raise OSError.
    """

    def __init__(self, worker: Worker) -> None:
        path = PurePosixPath(socket_path(worker.pid) or "/")
        self._name, self._hidden = path.name, path.name + _HIDDEN
        # As the process sees it, with its own mounts; the folder is pinned, and only a socket is renamed in it.
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        self._folder = os.open(f"/proc/{worker.pid}/root{path.parent}", flags)
        try:
            # An earlier run that was killed may have hidden it already.
            if self._is_socket(self._name) or not self._is_socket(self._hidden):
                self._move(self._name, self._hidden)
        except OSError:
            self.close()
            raise

    def _is_socket(self, name: str) -> bool:
        try:
            return stat.S_ISSOCK(os.stat(name, dir_fd=self._folder, follow_symlinks=False).st_mode)
        except FileNotFoundError:
            return False

    def _move(self, name: str, to: str) -> None:
        if not self._is_socket(name):
            raise FileNotFoundError(f"mod_fcgid's socket {name} is not there")
        os.rename(name, to, src_dir_fd=self._folder, dst_dir_fd=self._folder)

    def show(self) -> None:
        """Let mod_fcgid reach the php-cgi again."""
        self._move(self._hidden, self._name)

    def forget(self) -> None:
        """Remove the socket of a php-cgi that was asked to go."""
        os.unlink(self._hidden, dir_fd=self._folder)

    def close(self) -> None:
        os.close(self._folder)
