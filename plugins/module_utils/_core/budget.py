# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Judges a plan against a host's memory budget: does it fit, by how much not, and what is the cheapest way out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.budget_model import (
    MASTER_BYTES,
    MIB,
    MIN_SEGMENT_BYTES,
    HostMemory,
    LimitSum,
    Line,
    Master,
    Plan,
    PlannedSite,
    Reservation,
    Tmpfs,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.budget_sum import sum_up
from ansible_collections.phpops.webhost.plugins.module_utils._core.budget_ways import WayOut, ways_out
from ansible_collections.phpops.webhost.plugins.module_utils._core.memory_limits import Limit
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of, human_bytes

__all__ = [
    "MASTER_BYTES",
    "MIB",
    "MIN_SEGMENT_BYTES",
    "HostMemory",
    "Limit",
    "Master",
    "Plan",
    "PlannedSite",
    "Reservation",
    "Tmpfs",
    "Verdict",
    "judge",
]


@dataclass(frozen=True)
class Verdict:
    """The answer. `short_bytes` is 0 when it fits; `headroom_bytes` is the smallest of all limits, None without one."""

    fits: bool
    fits_after: bool
    short_bytes: int
    headroom_bytes: int | None
    message: str
    lines: tuple[Line, ...]
    sums: tuple[LimitSum, ...]
    limits: tuple[Limit, ...]
    ways_out: tuple[WayOut, ...]
    unknown: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """Return the module's result."""
        by_limit = {(one.limit.name, one.limit.path): one for one in self.sums}
        return {
            "fits": self.fits,
            "fits_after": self.fits_after,
            "short_bytes": self.short_bytes,
            "headroom_bytes": self.headroom_bytes,
            "message": self.message,
            "lines": [{**asdict(line), "limits": list(line.limits)} for line in self.lines],
            "limits": [_limit_dict(limit, by_limit.get((limit.name, limit.path))) for limit in self.limits],
            "ways_out": [way.as_dict() for way in self.ways_out],
            "unknown": list(self.unknown),
        }


def _limit_dict(limit: Limit, found: LimitSum | None) -> dict[str, object]:
    return {
        "name": found.label if found else limit.name,
        "kind": limit.kind,
        "path": limit.path,
        "limit_bytes": limit.limit_bytes,
        "used_bytes": limit.used_bytes,
        "peak_bytes": found.peak_bytes if found else None,
        "after_bytes": found.after_bytes if found else None,
        "headroom_bytes": found.headroom_bytes if found else None,
        "fits": found.fits if found else None,
        "readable": limit.readable,
        "reason": limit.reason,
        "source": limit.source,
    }


def judge(
    host: HostMemory,
    sites: Sequence[PlannedSite],
    *,
    reservations: Sequence[Reservation] = (),
    tmpfs: Mapping[str, int] | None = None,
    php_cgi_leaves: bool = False,
    php_cgi_ends_first: int = 0,
    busy_workers: int | None = None,
    at_once: int = 1,
) -> Verdict:
    """Return whether the planned sites fit into the host's memory, at the worst moment and afterwards.

    See Plan for the options. ValueError names the site and the value when a size is negative or a name is repeated.
    """
    _check(sites, tmpfs or {})
    plan = Plan(tuple(sites), dict(tmpfs or {}), php_cgi_leaves, php_cgi_ends_first, busy_workers, max(1, at_once))
    lines, sums = sum_up(host, plan, reservations)
    finite = [one for one in sums if one.limit.limit_bytes is not None]
    over = [one for one in finite if not one.fits]
    rooms = [room for room in (one.headroom_bytes for one in finite) if room is not None]
    short = max([-(one.headroom_bytes or 0) for one in over] or [0])
    ways = tuple(ways_out(host, plan, reservations)) if over else ()
    unknown = _unknown(host, finite)
    return Verdict(
        fits=not over,
        fits_after=all(one.fits_after for one in finite),
        short_bytes=short,
        headroom_bytes=min(rooms) if rooms else None,
        message=_message(plan, lines, finite, over, ways, unknown),
        lines=tuple(lines),
        sums=tuple(sums),
        limits=tuple(limit for limit in host.limits if limit.scope == "host"),
        ways_out=ways,
        unknown=unknown,
    )


def _check(sites: Sequence[PlannedSite], tmpfs: Mapping[str, int]) -> None:
    seen = set()
    for site in sites:
        if site.name in seen:
            raise ValueError(f"sites names {site.name} twice: leave one of them out.")
        seen.add(site.name)
        for option in ("segment_bytes", "jit_bytes", "max_children", "worker_bytes", "min_segment_bytes"):
            if getattr(site, option) < 0:
                raise ValueError(f"sites: {option} of {site.name} is {getattr(site, option)}: give 0 or more.")
    for path, size in tmpfs.items():
        if size < 0:
            raise ValueError(f"tmpfs: size_bytes of {path} is {size}: give 0 or more.")


def _unknown(host: HostMemory, finite: Sequence[LimitSum]) -> tuple[str, ...]:
    found = list(host.unknown)
    found += [f"{one.name}: {one.reason}" for one in host.limits if one.scope == "host" and not one.readable]
    found += [f"{one.label}: what is used now is not known." for one in finite if one.limit.used_bytes is None]
    return tuple(found)


def _message(
    plan: Plan,
    lines: Sequence[Line],
    finite: Sequence[LimitSum],
    over: Sequence[LimitSum],
    ways: Sequence[WayOut],
    unknown: Sequence[str],
) -> str:
    only_tmpfs = bool(plan.tmpfs) and not plan.sites
    planned = "the planned tmpfs" if only_tmpfs else count_of(len(plan.sites), "planned site")
    if not finite:
        text = f"No limit on this host's memory could be read, so nothing says whether {planned} fit."
    elif over:
        worst = min(over, key=lambda one: one.headroom_bytes or 0)
        text = (
            f"The memory budget is {human_bytes(-(worst.headroom_bytes or 0))} short: {worst.label} allows "
            f"{human_bytes(worst.limit.limit_bytes or 0)}, {planned}{' and what runs' if only_tmpfs else ''} need "
            f"{human_bytes(worst.peak_bytes)} at the peak ({_sum_text(lines, worst)})."
        )
        if not worst.fits_after:
            text += f" Afterwards it is still {human_bytes(worst.after_bytes - (worst.limit.limit_bytes or 0))} short."
        text += "".join(f" Way out: {way.text}" for way in [way for way in ways if way.fits][:3])
        if not any(way.fits for way in ways):
            less = "stop what uses memory" if only_tmpfs else "plan fewer sites"
            text += f" No single change makes it fit: {less}, or raise the limit."
    else:
        least = min(finite, key=lambda one: one.headroom_bytes or 0)
        text = (
            f"The memory budget {'is not raised' if least.relief else 'fits'}: {least.label} allows "
            f"{human_bytes(least.limit.limit_bytes or 0)}, at the peak {human_bytes(least.peak_bytes)} are spent "
            f"({_sum_text(lines, least)})."
        )
        if least.relief:
            text += " It promises more than there is, but no more than it does today."
    return text + "".join(f" Not known: {sentence}" for sentence in unknown)


def _sum_text(lines: Sequence[Line], one: LimitSum) -> str:
    sums: dict[str, int] = {}
    for line in lines:
        if one.label in line.limits:
            name = (
                "planned segments" if line.name.startswith("site ") and line.kind in ("opcache", "jit") else line.name
            )
            sums[name] = sums.get(name, 0) + line.bytes
    largest = sorted(sums.items(), key=lambda item: -item[1])
    parts = [f"{name} {human_bytes(size)}" for name, size in largest[:6] if size]
    more = sum(size for _name, size in largest[6:])
    return " + ".join(parts + ([f"other {human_bytes(more)}"] if more else []))
