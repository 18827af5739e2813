# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Primes a master by real requests, straight to its own socket, and checks their answers and its cache."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgi import Response
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.prime import entry_params, verdict
from ansible_collections.phpops.webhost.plugins.module_utils._core.prime_cache import (
    Figures,
    Marks,
    complaint,
    figures_of,
    grown,
    no_room,
    too_young,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.prime_state import (
    CarryError,
    begin,
    progress,
    report,
    resume,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import EntryPoint, SiteSpec
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of
from ansible_collections.phpops.webhost.plugins.module_utils._host.fastcgi import FastCgiError, request
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_master import master_pid, segment_bytes
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_probe import OpcacheOff, ProbeError, measure
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_store import group_id

Request = Callable[..., Response]
PROBE_SECONDS = 10.0
FLIP_SECONDS = 120.0
# A file may be too young for the cache (opcache.file_update_protection): up to this long is waited once.
MOST_PROTECTION_SECONDS = 5
_MACHINE_ID = "/etc/machine-id"


@dataclass(frozen=True)
class Target:
    """The master to prime. ``name`` is the default Host header, ``root`` the document root as live traffic names it.

    label: what the person who watches is told that is primed, else the name.

    folders: where the script that asks for OPcache's figures may go, readable by group ``gid`` (by all without one);
    without a folder there are no figures.
    """

    name: str
    socket: str
    root: str
    folders: Sequence[str] = ()
    gid: int | None = None
    source: str = "from the idle slot"
    label: str = ""


@dataclass(frozen=True)
class Bounds:
    """How far priming goes; marks None: the cache's figures are told and fail nothing. slice_seconds 0: one call."""

    concurrency: int = 1
    rounds: int = 10
    timeout_seconds: float = 0.0
    request_timeout_seconds: float = 60.0
    marks: Marks | None = field(default_factory=Marks)
    slice_seconds: float = 0.0


class PrimeFailed(StepFailed):
    """An entry point or the cache is not as it should be; ``result`` is what was found until then."""

    def __init__(self, message: str, result: dict[str, Any]) -> None:
        super().__init__(message)
        self.result = result


def script_root(spec: SiteSpec, pointer: str, named: Callable[[str], Sequence[str]]) -> str:
    """Return the document root as live traffic names it; ``named`` lists where a web server names a path.

    A release is served through the pointer only: the first one before any web server knows it, too.
    """
    through = f"{pointer}/docroot"
    if spec.script_root == "pointer" or (spec.script_root == "auto" and (spec.release or named(through))):
        return through
    return spec.document_root


def slot_folders(spec: SiteSpec, slot: str, layout: Layout) -> tuple[list[str], int]:
    """Return where the script that asks a slot for its figures may go, best first, and the group that reads it.

    The slot's folder is root's and has the same path for the slot's master. Never the pointer: it names another folder
    for the master than for us.
    """
    return [layout.slot_dir(spec.name, slot), spec.document_root], group_id(spec.group)


def prime(
    spec: SiteSpec,
    socket_path: str,
    root: str,
    timeout_seconds: float = 60.0,
    ask: Request = request,
    folders: Sequence[str] = (),
    gid: int | None = None,
) -> dict[str, Any]:
    """Prime a slot in one go, as a flip does; PrimeFailed names the entry point that gave something else.

    root is the document root as live traffic names it. A cache that is too small fails nothing here: ``msg`` says so.
    Returns what opcache_prime returns, without what belongs to its slices.
    """
    target = Target(spec.name, socket_path, root, folders, gid)
    bounds = Bounds(timeout_seconds=FLIP_SECONDS, request_timeout_seconds=timeout_seconds, marks=None)
    result = Primer(target, spec.entry_points, bounds, ask).run()
    return {key: value for key, value in result.items() if key not in ("pending", "progress", "carry")}


class Primer:
    """One call's part of a priming."""

    def __init__(self, target: Target, entries: Sequence[EntryPoint], bounds: Bounds, ask: Request = request) -> None:
        self.target, self.entries, self.bounds, self.ask = target, list(entries), bounds, ask
        self.state = begin(self.entries, target.socket, target.root)
        self._began = time.monotonic()
        self._carried = 0.0
        self._asked_before = 0

    def run(self, carry: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Go on where ``carry`` ended, until the cache grows no more, a bound is reached, or the slice is over.

        Returns the result with pending, progress and carry. PrimeFailed for what is wrong.
        """
        try:
            self.state = resume(carry or {}, self.entries, self.target.socket, self.target.root)
        except CarryError as error:
            raise PrimeFailed(str(error), report(self.state, self.entries, self.target.root)) from error
        self._began, self._carried = time.monotonic(), self.state.seconds
        state = self.state
        if not self.entries:
            state.ended, state.note = True, "There are no entry points, so nothing was asked for."
            state.round = 0
            return self._result(False)
        if state.first is None and not state.blind:
            state.first = self._figures()
        self._asked_before = state.requests
        while not state.ended:
            self._round()
            if state.next >= len(self.entries):
                self._round_ended()
            elif self._over_time():
                self._out_of_time()
            if not state.ended and self._pause_before(state.next):
                return self._result(True)
        return self._result(False)

    # One round

    def _round(self) -> None:
        """Ask for what is left of this round, or for as much as the slice holds; each call makes a request at least."""
        state = self.state
        running: dict[Future[Response], int] = {}
        failure: tuple[int, str] | None = None
        with ThreadPoolExecutor(max_workers=self.bounds.concurrency) as pool:
            while True:
                while (
                    failure is None
                    and state.next < len(self.entries)
                    and len(running) < self.bounds.concurrency
                    and not self._pause_before(state.next, len(running))
                ):
                    running[pool.submit(self._one, state.next)] = state.next
                    state.next += 1
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    wrong = self._take(running[future], future)
                    if wrong is not None and (failure is None or running[future] < failure[0]):
                        failure = (running[future], wrong)
                    del running[future]
        if failure is not None:
            self._fail(failure[1])

    def _pause_before(self, index: int, running: int = 0) -> bool:
        """Return whether the call ends before this entry point, so that the user reads what is waited for."""
        if self.state.requests + running == self._asked_before:
            return False
        last = self.state.asked[index].last_seconds
        slow = bool(self.bounds.slice_seconds) and last is not None and last > self.bounds.slice_seconds
        return slow or self._slice_over() or self._over_time()

    def _one(self, index: int) -> Response:
        entry = self.entries[index]
        params = entry_params(entry, self.target.name, self.target.root)
        return self.ask(self.target.socket, params, timeout_seconds=self.bounds.request_timeout_seconds)

    def _take(self, index: int, future: Future[Response]) -> str | None:
        """Note an answer; returns one sentence when it is not the right one."""
        entry, asked = self.entries[index], self.state.asked[index]
        asked.requests += 1
        self.state.requests += 1
        try:
            answer = future.result()
        except FastCgiError as error:
            asked.msg = f"Entry point {entry.path} gave no answer {self.target.source}: {error}."
            return asked.msg
        asked.status, asked.last_seconds = answer.status, round(answer.seconds, 4)
        if asked.first_seconds is None:
            asked.first_seconds = asked.last_seconds
        wrong = verdict(entry, answer, self.target.source)
        if wrong is None:
            return None
        asked.msg = f"Entry point {entry.path} {wrong}"
        if "Primary script unknown" in answer.stderr:
            script = entry_params(entry, self.target.name, self.target.root)["SCRIPT_FILENAME"]
            asked.msg += f" There is no script {script} for PHP: name the entry point's script, or correct its path."
        return asked.msg

    # Between rounds

    def _round_ended(self) -> None:
        """Look at the cache: is it large enough, and did it grow?"""
        state, before = self.state, self.state.last
        now = self._figures() if not state.blind else None
        state.last = now
        if now is not None and state.first is not None:
            wrong = complaint(state.first, now, state.round, state.requests, self.bounds.marks or Marks(1.0, 1.0))
            if wrong is not None and self.bounds.marks is not None:
                self._fail(wrong)
            if wrong is not None and state.round >= 2:
                # More rounds would change nothing: what was left out stays out.
                state.note, state.stable, state.ended = wrong, False, True
                return
        if state.round >= 2:
            if now is None or before is None:
                state.ended = True
                return
            if not grown(before, now) and not (too_young(before, now) and self._wait_for_age(now)):
                state.note = no_room(before, now, self.bounds.marks or Marks()) or ""
                if state.note and self.bounds.marks is not None:
                    self._fail(state.note)
                state.stable = state.ended = True
                return
        if state.round >= self.bounds.rounds or self._over_time():
            self._bounded(count_of(state.round, "round") if state.round >= self.bounds.rounds else "")
            return
        state.round += 1
        state.next = 0

    def _wait_for_age(self, now: Figures) -> bool:
        """Wait once until the newest files may be cached; False when that was done or takes too long."""
        if self.state.waited or now.protection_seconds > MOST_PROTECTION_SECONDS:
            return False
        self.state.waited = True
        time.sleep(now.protection_seconds + 0.1)
        return True

    def _bounded(self, what: str) -> None:
        state = self.state
        state.ended, state.stable = True, False if state.last is not None else None
        if state.last is not None:
            state.note = f"The cache still grew after {what or f'{self.bounds.timeout_seconds:g} s'}."

    def _out_of_time(self) -> None:
        """End between two rounds' requests; before each entry point was asked for once, nothing is proven."""
        state = self.state
        missing = [entry.path for entry, asked in zip(self.entries, state.asked) if not asked.requests]
        if missing:
            self._fail(
                f"The {self.bounds.timeout_seconds:g} s for priming were over before {missing[0]} was asked for"
                f" ({len(missing)} of {len(self.entries)} entry points are left): raise timeout_seconds."
            )
        state.ended, state.stable = True, False if state.last is not None else None
        state.note = f"The {self.bounds.timeout_seconds:g} s for priming were over in round {state.round}."

    def _figures(self) -> Figures | None:
        """Ask for OPcache's figures; None, and a note that says why, when there are none."""
        target, state = self.target, self.state
        state.blind = True
        if not target.folders:
            return None
        try:
            told = measure(target.socket, target.folders, target.gid, PROBE_SECONDS, self.ask, token_of(target.socket))
        except OpcacheOff:
            state.note = "OPcache is off in this master, so there are no figures of a cache."
            return None
        except ProbeError as error:
            state.note = f"The cache's figures are not known: {error}"
            return None
        state.blind = False
        state.probes += 1
        segment = segment_bytes(master_pid(target.socket))
        return figures_of(told.status, told.directives, segment, told.cached, state.probes)

    # The end

    def _over_time(self) -> bool:
        bound = self.bounds.timeout_seconds
        return bound > 0 and self._seconds() > bound

    def _slice_over(self) -> bool:
        length = self.bounds.slice_seconds
        return length > 0 and time.monotonic() - self._began >= length

    def _seconds(self) -> float:
        return self._carried + time.monotonic() - self._began

    def _fail(self, message: str) -> None:
        self.state.seconds = self._seconds()
        raise PrimeFailed(message, report(self.state, self.entries, self.target.root))

    def _result(self, pending: bool) -> dict[str, Any]:
        state = self.state
        state.seconds = self._seconds()
        return {
            **report(state, self.entries, self.target.root),
            "pending": pending,
            "progress": progress(state, self.entries, self.target.label or self.target.name) if pending else "",
            "carry": state.carry() if pending else {},
        }


def token_of(socket_path: str) -> str:
    """Return the probe's name for a socket: always the same on this host, and not to be guessed from elsewhere."""
    try:
        host = Path(_MACHINE_ID).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        host = ""
    return hashlib.sha256(f"phpops {host} {socket_path}".encode("utf-8", "surrogateescape")).hexdigest()[:32]
