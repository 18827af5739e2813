# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The sum of a host's memory budget: what is live, what is planned, and what each limit makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Collection, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.budget_model import (
    MASTER_BYTES,
    MIB,
    SHARED_ONLY,
    HostMemory,
    LimitSum,
    Line,
    Master,
    Plan,
    Reservation,
    Tmpfs,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.memory_limits import TOUCHED, Limit


def tmpfs_charge(tmpfs: Tmpfs, ram_bytes: int | None, planned: int | None = None) -> tuple[int, str]:
    """Return what a tmpfs counts for in bytes, and why.

    Its size, as that is what it may grow to. What it uses where nobody chose the size: no limit or half of the RAM
    and more (the kernel's default), and the init system's own mounts below /run.
    """
    if planned is not None:
        return max(planned, tmpfs.used_bytes), "planned size"
    size = tmpfs.size_bytes
    if size is None or (ram_bytes is not None and size >= ram_bytes // 2 - MIB) or _is_runtime(tmpfs.path):
        return tmpfs.used_bytes, "what is used: its size is the system's default"
    return size, "size of the mount"


def _is_runtime(path: str) -> bool:
    return any(path == top or path.startswith(f"{top}/") for top in ("/run", "/sys", "/proc")) or path == "/dev"


def sum_up(host: HostMemory, plan: Plan, reservations: Sequence[Reservation] = ()) -> tuple[list[Line], list[LimitSum]]:
    """Return the lines, and for each limit of the whole host their sum.

    The lines of one limit add up to its peak and its after. Lists nothing twice: what a limit says is used and no line
    explains is its line "rest". Old and new masters of a flip exist together, so of each site the larger one counts,
    and for the `at_once` largest ones the smaller one as well: an upper bound for any order of flips.
    """
    limits = [limit for limit in host.limits if limit.scope == "host" and limit.readable]
    labels = _labels(limits)
    everything = tuple(labels)
    private = tuple(label for label, limit in zip(labels, limits) if limit.name != SHARED_ONLY)
    lines = [
        *_live_lines(host, plan, everything, private),
        *_planned_lines(host, plan, everything, private),
        *_reservation_lines(host, reservations, everything, private),
    ]
    sums = []
    for label, limit in zip(labels, limits):
        rest = _rest(host, plan, limit)
        lines.append(Line(f"rest of {label}", "rest", (label,), rest, rest, f"{limit.source}, less the lines above"))
        own = [line for line in lines if label in line.limits]
        peak, after = sum(line.bytes for line in own), sum(line.after_bytes for line in own)
        today = peak if not plan.sites and not plan.tmpfs else _today(host, limit, reservations)
        sums.append(LimitSum(label, limit, peak, after, _relieves(limit, plan, after, today)))
    return [line for line in lines if line.bytes or line.after_bytes], sums


def _labels(limits: Sequence[Limit]) -> list[str]:
    names = [limit.name for limit in limits]
    return [limit.name if names.count(limit.name) == 1 else f"{limit.name} {limit.path}" for limit in limits]


def _today(host: HostMemory, limit: Limit, reservations: Sequence[Reservation]) -> int:
    _lines, sums = sum_up(replace_limits(host, limit), Plan(), reservations)
    return sums[0].peak_bytes


def replace_limits(host: HostMemory, limit: Limit) -> HostMemory:
    """Return the host with this one limit only."""
    return HostMemory((limit,), host.masters, host.php_cgi, host.others, host.tmpfs, host.ram_bytes, host.unknown)


def without_masters(host: HostMemory, units: Collection[str]) -> HostMemory:
    """Return the host as it is when the masters of these units have ended: what they use is free then."""
    ended = [master for master in host.masters if master.unit in units]

    def freed(limit: Limit) -> int:
        shared = sum(one.resident_bytes if limit.kind == TOUCHED else one.segment_bytes for one in ended)
        return shared if limit.name == SHARED_ONLY else shared + sum(one.private_bytes for one in ended)

    limits = tuple(
        replace(limit, used_bytes=max(0, limit.used_bytes - freed(limit)))
        if limit.scope == "host" and limit.used_bytes is not None
        else limit
        for limit in host.limits
    )
    return replace(host, limits=limits, masters=tuple(master for master in host.masters if master not in ended))


def _relieves(limit: Limit, plan: Plan, after: int, today: int) -> bool:
    """A host that promises more than it has today may still flip its sites: by a plan that does not raise the sum, and
    whose new masters find room beside what is really used now."""
    if limit.kind != TOUCHED or limit.limit_bytes is None or limit.used_bytes is None:
        return False
    new = sorted((site.shared_bytes + MASTER_BYTES for site in plan.sites), reverse=True)[: plan.at_once]
    # A live master's private memory may be a little less than what a planned one is taken for.
    unchanged = today + MASTER_BYTES * len(plan.sites)
    return today > limit.limit_bytes and after <= unchanged and limit.used_bytes + sum(new) <= limit.limit_bytes


def _live_lines(host: HostMemory, plan: Plan, everything: tuple[str, ...], private: tuple[str, ...]) -> list[Line]:
    replaced = {unit for site in plan.sites for unit in site.units}
    lines = [
        Line(master.name, "opcache", everything, master.segment_bytes, master.segment_bytes, "/proc/PID/maps")
        for master in host.masters
        if master.unit not in replaced
    ]
    if host.php_cgi is not None:
        cgi = host.php_cgi
        stays = max(0, cgi.processes - plan.php_cgi_ends_first)
        name = f"php-cgi ({stays} processes)"
        for kind, limits, size in (("opcache", everything, cgi.segment_bytes), ("cgi", private, cgi.private_bytes)):
            part = size * stays // max(1, cgi.processes)
            lines.append(Line(name, kind, limits, part, 0 if plan.php_cgi_leaves else part, "/proc/PID/maps, status"))
    for name, kind, reserved, _resident in host.others:
        lines.append(Line(name, kind, everything, reserved, reserved, "/proc/PID/maps, /proc/sysvipc/shm"))
    known = {tmpfs.path for tmpfs in host.tmpfs}
    new = tuple(Tmpfs(path, None, 0) for path in plan.tmpfs if path not in known)
    for tmpfs in host.tmpfs + new:
        size, why = tmpfs_charge(tmpfs, host.ram_bytes, plan.tmpfs.get(tmpfs.path))
        lines.append(Line(f"tmpfs {tmpfs.path}", "tmpfs", everything, size, size, why))
    return lines


def _planned_lines(host: HostMemory, plan: Plan, everything: tuple[str, ...], private: tuple[str, ...]) -> list[Line]:
    live: dict[str, Master] = {master.unit: master for master in host.masters if master.unit}
    lines = []
    both_shared, both_private, masters, workers = [], [], 0, 0
    for site in plan.sites:
        old = [live[unit] for unit in site.units if unit in live]
        old_shared = sum(master.segment_bytes for master in old)
        old_private = sum(master.private_bytes for master in old)
        source = "the plan: opcache.memory_consumption"
        lines.append(Line(f"site {site.name}", "opcache", everything, site.segment_bytes, site.segment_bytes, source))
        lines.append(
            Line(f"site {site.name}", "jit", everything, site.jit_bytes, site.jit_bytes, "the plan: JIT buffer")
        )
        more = max(0, old_shared - site.shared_bytes)
        lines.append(Line(f"site {site.name}, until replaced", "opcache", everything, more, 0, "/proc/PID/maps"))
        more = max(0, old_private - MASTER_BYTES)
        lines.append(Line(f"site {site.name}, until replaced", "master", private, more, 0, "/proc/PID/status: RssAnon"))
        both_shared.append(min(old_shared, site.shared_bytes))
        both_private.append(min(old_private, MASTER_BYTES))
        masters += 1
        workers += site.max_children * site.worker_bytes
    if plan.busy_workers is not None:
        workers = min(workers, plan.busy_workers * max([site.worker_bytes for site in plan.sites] or [0]))
    for kind, limits, sizes in (("flip", everything, both_shared), ("flip", private, both_private)):
        size = sum(sorted(sizes, reverse=True)[: plan.at_once])
        lines.append(Line("old beside new during a flip", kind, limits, size, 0, "the smaller one of the two masters"))
    size = masters * MASTER_BYTES
    lines.append(Line(f"{masters} idle masters", "master", private, size, size, "4 MiB each, as measured"))
    lines.append(Line("workers", "worker", private, workers, workers, "the plan: max_children x worker_bytes"))
    return lines


def _reservation_lines(
    host: HostMemory, reservations: Sequence[Reservation], everything: tuple[str, ...], private: tuple[str, ...]
) -> list[Line]:
    started = {master.unit for master in host.masters if master.segment_bytes}
    lines = []
    for one in reservations:
        if one.unit not in started:
            name, source = f"reserved for {one.unit}", "a flip that is running now"
            lines.append(Line(name, "reservation", everything, one.shared_bytes, one.shared_bytes, source))
            lines.append(Line(name, "reservation", private, one.private_bytes, one.private_bytes, source))
    return lines


def _rest(host: HostMemory, plan: Plan, limit: Limit) -> int:
    """Return what the limit counts as used and no line explains."""
    if limit.used_bytes is None:
        return 0
    touched = limit.kind == TOUCHED
    replaced = {unit for site in plan.sites for unit in site.units}
    known = sum(tmpfs.used_bytes for tmpfs in host.tmpfs)
    known += sum(resident if touched else reserved for _name, _kind, reserved, resident in host.others)
    for master in host.masters + ((host.php_cgi,) if host.php_cgi else ()):
        known += master.resident_bytes if touched else master.segment_bytes
        if limit.name != SHARED_ONLY and (master is host.php_cgi or master.unit in replaced):
            known += master.private_bytes
    return max(0, limit.used_bytes - known)
