# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Claims memory for a flip under a host-wide lock: two sites that flip at once can't both take the last of it."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Collection, Iterator

from ansible_collections.phpops.webhost.plugins.module_utils._core.budget import PlannedSite, Verdict, judge
from ansible_collections.phpops.webhost.plugins.module_utils._core.budget_model import (
    MASTER_BYTES,
    HostMemory,
    Reservation,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.budget_sum import without_masters
from ansible_collections.phpops.webhost.plugins.module_utils._core.proc_stat import parse_stat
from ansible_collections.phpops.webhost.plugins.module_utils._core.reservation import (
    Record,
    parse,
    render,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.budget import measure
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text, write_atomic
from ansible_collections.phpops.webhost.plugins.module_utils._host.lock import Locked, locked
from ansible_collections.phpops.webhost.plugins.module_utils._host.memory import HOST, Paths

FOLDER = "/run/phpops/budget"
LOCK_WAIT_SECONDS = 60.0


class BudgetBusy(Exception):
    """Another run has held the lock for too long; the message names the lock file."""


class DoesNotFit(Exception):
    """The site doesn't fit; the message is the verdict's, with the sum and the ways out."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.message)
        self.verdict = verdict


@dataclass(frozen=True)
class Claim:
    """A reservation that was made; hand it to release() when the flip is over, however it ended."""

    path: str
    unit: str
    verdict: Verdict


@contextmanager
def budget_lock(folder: str = FOLDER, wait_seconds: float = LOCK_WAIT_SECONDS) -> Iterator[None]:
    """Hold the host-wide lock, the file FOLDER.lock; BudgetBusy when it isn't free in time.

    The kernel drops it when the holder dies.
    """
    Path(folder).mkdir(mode=0o755, parents=True, exist_ok=True)
    with ExitStack() as held:
        try:
            held.enter_context(locked(f"{folder}.lock", wait_seconds))
        except Locked as error:
            raise BudgetBusy(
                f"The lock {folder}.lock was not free within {wait_seconds:g} seconds: "
                f"another run (process {error.holder}) checks the memory budget; try again when it is done."
            ) from error
        yield


def records(folder: str = FOLDER, proc: str = "/proc", now: float | None = None) -> list[Record]:
    """Return the reservations that count: not expired, and the process that made them still runs."""
    moment = time.time() if now is None else now
    found = []
    try:
        names = sorted(path for path in Path(folder).iterdir() if path.suffix == ".json")
    except OSError:
        return []
    for path in names:
        try:
            record = parse(read_text(path))
        except Unreadable:
            continue
        if record is not None and moment < record.expires and _ticks(proc, record.pid) == record.start_ticks:
            found.append(record)
    return found


def reservations(folder: str = FOLDER, proc: str = "/proc") -> list[Reservation]:
    """Return what the budget counts of them."""
    return [record.reservation() for record in records(folder, proc)]


def _ticks(proc: str, pid: int) -> int | None:
    try:
        found = parse_stat(read_text(f"{proc}/{pid}/stat"))
    except Unreadable:
        return None
    return found.start if found else None


def foresee(
    site: PlannedSite,
    unit: str,
    ending: Collection[str] = (),
    *,
    paths: Paths = HOST,
    folder: str = FOLDER,
    host: HostMemory | None = None,
) -> Verdict:
    """Return whether the site's new master fits when the masters of the units ``ending`` have ended.

    Nothing is locked or written: what others reserve a moment later is not seen.
    """
    others = [one.reservation() for one in records(folder, paths.proc) if one.unit != unit]
    return judge(without_masters(host or measure(paths), ending), [site], reservations=others)


def claim(
    site: PlannedSite,
    unit: str,
    *,
    lifetime_seconds: float = 900.0,
    paths: Paths = HOST,
    folder: str = FOLDER,
    override: bool = False,
    host: HostMemory | None = None,
    wait_seconds: float = LOCK_WAIT_SECONDS,
) -> Claim:
    """Check under the lock that the site's new master fits beside all that is there, and reserve its memory.

    `unit` is the slot's unit that is about to start: from the moment its master maps a segment the reservation counts
    no more. It also ends with this process and after `lifetime_seconds`. `override` reserves without a check;
    `host` is for tests. Raises DoesNotFit, BudgetBusy, and OSError when the folder can't be written.
    """
    with budget_lock(folder, wait_seconds):
        _sweep(folder, paths.proc)
        verdict = foresee(site, unit, paths=paths, folder=folder, host=host)
        if not verdict.fits and not override:
            raise DoesNotFit(verdict)
        record = Record(
            site=site.name,
            unit=unit,
            shared_bytes=site.shared_bytes,
            private_bytes=MASTER_BYTES + site.max_children * site.worker_bytes,
            pid=os.getpid(),
            start_ticks=_ticks(paths.proc, os.getpid()) or 0,
            expires=time.time() + lifetime_seconds,
        )
        path = f"{folder}/{unit}.json"
        write_atomic(path, render(record), 0o600)
    return Claim(path, unit, verdict)


def release(made: Claim) -> None:
    """Give a reservation back; one that is gone already is no error."""
    with suppress(OSError):
        Path(made.path).unlink()


def _sweep(folder: str, proc: str) -> None:
    """Remove files of dead holders; called under the lock."""
    alive = {f"{record.unit}.json" for record in records(folder, proc)}
    for path in Path(folder).glob("*.json"):
        if path.name not in alive:
            with suppress(OSError):
                path.unlink()
