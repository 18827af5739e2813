# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Takes, renews and releases the lease of a site on this host.

A flock ends with the module call that holds it, so it keeps others out during a call; the lease keeps them out between
the calls of one deploy. Everything that changes the lease's file holds the flock.
"""

from __future__ import annotations

import re
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core import lease as core
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.lease import Lease, LeaseError, Now
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text, write_atomic
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_store import site_lock

SECONDS = 60.0
WAIT_SECONDS = 10.0
_POLL_SECONDS = 0.1


def clock() -> Now:
    """Return what this host's clocks say; a suspended host's goes on."""
    return Now(time.time(), time.clock_gettime(time.CLOCK_BOOTTIME))


def path(site: str, layout: Layout) -> str:
    """Return the lease's file."""
    return f"{layout.run}/lease/{site}.json"


def read(site: str, layout: Layout) -> Lease | None:
    """Return the lease of a site, live or not; None when there is none. StepFailed for a file that is closed to us."""
    try:
        return core.parse(read_text(path(site, layout)))
    except Unreadable as error:
        if error.missing:
            return None
        raise StepFailed(error.reason) from error


def _write(site: str, lease: Lease, layout: Layout) -> None:
    """Replace the lease's file; StepFailed when it can't be written."""
    file = path(site, layout)
    try:
        Path(file).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        write_atomic(file, core.render(lease), 0o600)
    except OSError as error:
        raise StepFailed(f"The lease {file} could not be written: {error.strerror or error}.") from error


class Held:
    """A site that is ours for the length of a module call; ``lease`` is None for a run that is no deploy."""

    def __init__(self, site: str, lease: Lease | None, layout: Layout, seconds: float | None = None) -> None:
        self.site, self.lease = site, lease
        taken_for = lease.seconds if lease else SECONDS
        self._layout, self._seconds = layout, seconds or taken_for
        self._guard, self._ended = threading.Lock(), threading.Event()

    def step(self, name: str) -> None:
        """Say in the lease which step begins now; StepFailed when that can't be written."""
        self._renew(name)

    def _renew(self, step: str | None = None) -> None:
        if self.lease is None:
            return
        with self._guard:
            self.lease = core.renew(self.lease, clock(), self._seconds, step)
            _write(self.site, self.lease, self._layout)

    def _keep(self) -> None:
        while not self._ended.wait(self._seconds / 3):
            # A beat that is missed does no harm: the flock still keeps others out.
            with suppress(StepFailed):
                self._renew()

    @contextmanager
    def kept(self) -> Iterator[Held]:
        """Renew the lease in the background until the end."""
        if self.lease is None:
            yield self
            return
        self.lease = core.call(self.lease, clock(), self._seconds)
        self._renew()
        thread = threading.Thread(target=self._keep, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            thread.join()
            # The time until the deploy's next call counts from now.
            with suppress(StepFailed):
                self._renew()


@contextmanager
def hold(
    site: str,
    deploy_id: str | None,
    layout: Layout,
    seconds: float | None = None,
    wait_seconds: float = WAIT_SECONDS,
    check_mode: bool = False,
) -> Iterator[Held]:
    """Keep all others from changing a site while a module call runs; the site's lock is held, a deploy's lease renewed.

    With a deploy's id the lease must be that deploy's; one that ran out goes on when nobody took it. Without an id
    (a run that is one single call) no deploy may hold the site. StepFailed names who does, with action, step and
    seconds left. It is renewed for ``seconds``, else for as long as it was taken for. Check mode neither locks nor
    writes, and asks nobody.
    """
    if check_mode:
        yield Held(site, None, layout)
        return
    with site_lock(site, layout, wait_seconds):
        lease, now = read(site, layout), clock()
        if deploy_id is None:
            if lease is not None and core.is_live(lease, now):
                raise StepFailed(core.held(site, lease, now))
            lease = None
        elif lease is None or lease.deploy_id != deploy_id:
            raise StepFailed(core.lost(site, deploy_id, lease, now))
        with Held(site, lease, layout, seconds).kept() as held:
            yield held


@dataclass(frozen=True)
class Taken:
    """How a lease was taken: ``over`` is the lease of a run that crashed, None when the site was free or ours.

    ``pending``: it was not taken yet, ``lease`` is the one of another that is waited for, and ``first`` what was seen
    of it at the begin.
    """

    lease: Lease
    waited_seconds: float = 0.0
    over: Lease | None = None
    renewed: bool = False
    pending: bool = False
    first: tuple[str, int] = ("", 0)


def take(
    site: str,
    deploy_id: str,
    holder: str,
    action: str,
    seconds: float,
    layout: Layout,
    wait: bool = True,
    check_mode: bool = False,
    slice_seconds: float = 0.0,
    carry: Mapping[str, Any] | None = None,
    silent_seconds: float = 0.0,
    step: str | None = None,
) -> Taken:
    """Take the lease of a site for a deploy.

    The lease of another is waited for: when its run goes on, StepFailed names the holder at once; when it doesn't until
    the lease runs out, it has crashed, and the lease is taken over. Without ``wait``, and in check mode, StepFailed
    names the holder at once. Check mode writes nothing.
    With slice_seconds it returns after that time, ``pending``; the next call gets ``carry_of`` what it returned.
    A deploy that has the lease may say that its next call is silent_seconds away, if that is longer, and what it does
    until then. With either, StepFailed when the lease is not that deploy's (any more).
    """
    try:
        new = core.begin(deploy_id, holder, action, clock(), seconds)
    except LeaseError as error:
        raise StepFailed(str(error)) from error
    goes_on = step is not None or silent_seconds > 0
    began, before = time.monotonic(), float((carry or {}).get("seconds") or 0.0)
    first = (str(carry["deploy_id"]), int(carry["calls"])) if carry else None
    while True:
        lease, now = read(site, layout), clock()
        if goes_on and not check_mode and (lease is None or lease.deploy_id != deploy_id):
            raise StepFailed(core.lost(site, deploy_id, lease, now))
        if lease is None or lease.deploy_id == deploy_id or not core.is_live(lease, now):
            if check_mode:
                return Taken(new)
            waited = before + time.monotonic() - began
            taken = _take_free(site, new, layout, waited, max(seconds, silent_seconds), step)
            if taken is not None:
                return taken
            continue
        first = first or (lease.deploy_id, lease.calls)
        if core.goes_on(lease, *first) or not wait or check_mode:
            raise StepFailed(core.held(site, lease, now))
        waited = time.monotonic() - began
        if 0 < slice_seconds <= waited:
            return Taken(lease, before + waited, pending=True, first=first)
        time.sleep(min(_POLL_SECONDS, core.left_seconds(lease, now) + 0.01))


def carry_of(taken: Taken) -> dict[str, Any]:
    """Return what the next call of ``take`` needs after one that is pending."""
    return {"deploy_id": taken.first[0], "calls": taken.first[1], "seconds": taken.waited_seconds}


def _take_free(
    site: str, new: Lease, layout: Layout, waited_seconds: float, silent_seconds: float, step: str | None
) -> Taken | None:
    """Write the lease when it is still free under the lock; None when another was faster."""
    with site_lock(site, layout, WAIT_SECONDS):
        lease, now = read(site, layout), clock()
        if lease is not None and lease.deploy_id == new.deploy_id:
            mine = core.call(lease, now, silent_seconds, step)
            _write(site, mine, layout)
            return Taken(mine, waited_seconds, renewed=True)
        if core.is_live(lease, now):
            return None
        lease_now = core.begin(new.deploy_id, new.holder, new.action, now, new.seconds)
        _write(site, lease_now, layout)
        return Taken(lease_now, waited_seconds, over=lease)


def release(site: str, deploy_id: str, layout: Layout, check_mode: bool = False) -> bool:
    """Give the lease back; False when the site's lease is not this deploy's (any more)."""
    lease = read(site, layout)
    if lease is None or lease.deploy_id != deploy_id or check_mode:
        return lease is not None and lease.deploy_id == deploy_id
    with site_lock(site, layout, WAIT_SECONDS):
        lease = read(site, layout)
        if lease is None or lease.deploy_id != deploy_id:
            return False
        # Not for long: nothing of the deploy is left to do.
        _write(site, core.renew(lease, clock(), 1.0, core.LAST_STEP), layout)
        try:
            Path(path(site, layout)).unlink()
        except OSError as error:
            raise StepFailed(f"The lease {path(site, layout)} could not be removed: {error.strerror}.") from error
        return True


def taken_over(taken: Taken) -> dict[str, Any] | None:
    """Return whose lease was taken over, as a module returns it; None when it was nobody's."""
    if taken.over is None:
        return None
    over = taken.over
    return {"deploy_id": over.deploy_id, "holder": over.holder, "action": over.action, "step": over.step}


def fpm_versions(folder: str = "/usr/sbin") -> list[str]:
    """Return the versions of PHP-FPM that this host has, such as 8.2."""
    names = (path.name[len("php-fpm") :] for path in Path(folder).glob("php-fpm[0-9]*"))
    return sorted(name for name in names if re.fullmatch(r"\d+\.\d+", name))
