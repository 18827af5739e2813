# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""A deploy's lease on a site: who changes it, which step runs, and until when nobody else may."""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

ACTIONS = ("deploy", "rollback", "roll")
FIRST_STEP, LAST_STEP = "lease", "unlock"
DEPLOY_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,63}$")
_DOING = {"deploy": "deployed", "rollback": "rolled back", "roll": "rolled to a new master"}


class LeaseError(ValueError):
    """An option of a lease can't be used; the text names it, its value and the cure."""


class Now(NamedTuple):
    """A moment on the site's host: seconds since the epoch, and since its boot, which nobody can set."""

    wall: float
    boot: float


@dataclass(frozen=True)
class Lease:
    """One lease. Times are seconds since the epoch on the site's host, for people who read them.

    ``beat``: when it was renewed, in seconds since the boot; its age is told from that. ``steps`` are all steps that
    began so far. ``calls``: how many module calls the deploy has made under it. ``seconds``: how long it runs after a
    call, if nothing else was asked for.
    """

    deploy_id: str
    holder: str
    action: str
    step: str
    steps: tuple[str, ...]
    started: float
    renewed: float
    expires: float
    beat: float
    seconds: float
    calls: int = 1


def check_deploy_id(deploy_id: str) -> str:
    """Return the id; LeaseError where it can't stand in a file and in a sentence."""
    if not DEPLOY_ID.fullmatch(deploy_id):
        raise LeaseError(
            f"deploy_id {deploy_id!r} can't be used: give 1 to 64 letters, digits and . _ : @ -, letter or digit first."
        )
    return deploy_id


def begin(deploy_id: str, holder: str, action: str, now: Now, seconds: float) -> Lease:
    """Return a new lease that runs for ``seconds``. Raises LeaseError for an id, an action or a time of no use."""
    if action not in ACTIONS:
        raise LeaseError(f"The action {action!r} of a lease is none of {', '.join(ACTIONS)}.")
    if not (math.isfinite(seconds) and seconds >= 1):
        raise LeaseError(f"A lease can't run for {seconds:g} seconds: give 1 or more.")
    holder = " ".join(re.sub(r"[^\x20-\x7e]", "?", holder).split())[:100] or "unknown"
    return Lease(
        check_deploy_id(deploy_id),
        holder,
        action,
        FIRST_STEP,
        (FIRST_STEP,),
        now.wall,
        now.wall,
        now.wall + seconds,
        now.boot,
        seconds,
    )


def render(lease: Lease) -> str:
    """Return the file's text."""
    return json.dumps(asdict(lease), sort_keys=True) + "\n"


def parse(text: str) -> Lease | None:
    """Return the lease in a file's text, None when it is no whole lease."""
    try:
        found = json.loads(text)
        lease = Lease(
            deploy_id=str(found["deploy_id"]),
            holder=str(found["holder"]),
            action=str(found["action"]),
            step=str(found["step"]),
            steps=tuple(str(step) for step in found["steps"]),
            started=float(found["started"]),
            renewed=float(found["renewed"]),
            expires=float(found["expires"]),
            beat=float(found["beat"]),
            seconds=float(found["seconds"]),
            calls=int(found.get("calls", 1)),
        )
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    times = (lease.started, lease.renewed, lease.expires, lease.beat, lease.seconds)
    return lease if all(math.isfinite(value) for value in times) else None


def renew(lease: Lease, now: Now, seconds: float, step: str | None = None) -> Lease:
    """Return the lease with its time counted anew, and with the step that begins now."""
    lease = replace(lease, renewed=now.wall, expires=now.wall + seconds, beat=now.boot)
    return lease if step is None else replace(lease, step=step, steps=(*lease.steps, step))


def call(lease: Lease, now: Now, seconds: float, step: str | None = None) -> Lease:
    """Return the lease renewed by the begin of one more module call, with the step that begins now."""
    return replace(renew(lease, now, seconds, step), calls=lease.calls + 1)


def goes_on(now: Lease, deploy_id: str, calls: int) -> bool:
    """Return whether somebody works under a lease that was first seen with this id and number of calls.

    One more call is no proof: it may have been on its way when the run was killed. Each call renews the lease as long
    as it runs, also when nobody waits for its answer any more.
    """
    return now.step != LAST_STEP and (now.deploy_id != deploy_id or now.calls > calls + 1)


def left_seconds(lease: Lease, now: Now) -> float:
    """Return how long a lease still runs, 0 for one that ran out or that a boot has ended.

    A clock that is set back or forward neither locks the site for hours nor frees it.
    """
    age = now.boot - lease.beat
    return max(0.0, lease.expires - lease.renewed - age) if age >= 0 else 0.0


def is_live(lease: Lease | None, now: Now) -> bool:
    """Return whether a lease keeps others out."""
    return lease is not None and left_seconds(lease, now) > 0


def held(site: str, lease: Lease, now: Now) -> str:
    """Return the sentence for one who meets a live lease: holder, action, step, seconds left, and what to do."""
    return (
        f"Site {site} is being {_DOING.get(lease.action, 'changed')} by {lease.holder} (step {lease.step},"
        f" deploy {lease.deploy_id}, {math.ceil(left_seconds(lease, now))} s left of its lease);"
        " run this again when that has ended. A run that crashed needs no unlocking: its lease runs out."
    )


def waiting(site: str, lease: Lease, now: Now) -> str:
    """Return what is said while another's lease is waited for."""
    return (
        f"{site}: waiting for {lease.holder} (deploy {lease.deploy_id}, step {lease.step}) to go on, or for its lease"
        f" to run out in {math.ceil(left_seconds(lease, now))} s"
    )


def lost(site: str, deploy_id: str, lease: Lease | None, now: Now) -> str:
    """Return the sentence for a deploy whose lease is another's now, or gone."""
    if lease is None:
        return (
            f"Deploy {deploy_id} holds no lease of site {site} any more (the host was rebooted, or the deploy ended);"
            " start it again."
        )
    return (
        f"Deploy {deploy_id} of site {site} was silent for longer than its lease, which {lease.holder} took over"
        f" ({lease.action}, step {lease.step}, deploy {lease.deploy_id},"
        f" {math.ceil(left_seconds(lease, now))} s left); start it again when that has ended."
    )
