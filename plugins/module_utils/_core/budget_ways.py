# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Ways out of a memory budget that doesn't fit: each is tried against the same sum before it is proposed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable, Iterator, Mapping, Sequence, Tuple

from ansible_collections.phpops.webhost.plugins.module_utils._core.budget_model import (
    MIB,
    HostMemory,
    LimitSum,
    Plan,
    PlannedSite,
    Reservation,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.budget_sum import sum_up
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of, human_bytes


@dataclass(frozen=True)
class WayOut:
    """One change of the plan. `sites` maps a site to the values it gets; `php_cgi_ends_first` is for the whole host."""

    action: str
    text: str
    saves_bytes: int
    fits: bool
    sites: Mapping[str, Mapping[str, int]]
    php_cgi_ends_first: int = 0

    def as_dict(self) -> dict[str, object]:
        """Return what the module shows."""
        return {
            "action": self.action,
            "text": self.text,
            "saves_bytes": self.saves_bytes,
            "fits": self.fits,
            "sites": {name: dict(values) for name, values in self.sites.items()},
            "php_cgi_ends_first": self.php_cgi_ends_first,
        }


class _Attempts:
    """Changes of one plan, and what they come to."""

    def __init__(self, host: HostMemory, plan: Plan, reservations: Sequence[Reservation]) -> None:
        self.host, self.plan, self.reservations = host, plan, reservations
        self.before = self.worst(plan)

    def worst(self, plan: Plan) -> int:
        """Return the shortage in bytes of the tightest limit; 0 or less is a fit."""
        _lines, sums = sum_up(self.host, plan, self.reservations)
        return max([_short(one) for one in sums] or [0])

    def way(self, action: str, text: str, plan: Plan) -> WayOut | None:
        """Return the change as a way out, None when it saves nothing."""
        after = self.worst(plan)
        if after >= self.before:
            return None
        changed = _differences(self.plan, plan)
        return WayOut(action, text, self.before - after, after <= 0, changed, plan.php_cgi_ends_first)

    def largest(self, low: int, high: int, make: Callable[[int], Plan]) -> int:
        """Return the largest number in low..high whose plan fits, else low (smaller numbers need less)."""
        while low < high:
            middle = (low + high + 1) // 2
            if self.worst(make(middle)) <= 0:
                low = middle
            else:
                high = middle - 1
        return low


def _short(one: LimitSum) -> int:
    if one.relief:
        return 0
    return -(one.headroom_bytes or 0) if one.limit.limit_bytes is not None else 0


def _differences(old: Plan, new: Plan) -> dict[str, dict[str, int]]:
    before = {site.name: site for site in old.sites}
    changed = {}
    for site in new.sites:
        known = before.get(site.name)
        names = ("segment_bytes", "jit_bytes", "max_children")
        values = {
            name: getattr(site, name) for name in names if known is None or getattr(site, name) != getattr(known, name)
        }
        if values:
            changed[site.name] = values
    return changed


def ways_out(host: HostMemory, plan: Plan, reservations: Sequence[Reservation] = ()) -> list[WayOut]:
    """Return what would help, those that suffice alone first, and within that the cheapest first.

    Cheapest: a JIT that is not used, idle php-cgi that end a little earlier, smaller caches, fewer workers, a smaller
    tmpfs; dearest a master that several sites share, as they then share its restarts and its faults too.
    """
    attempts = _Attempts(host, plan, reservations)
    found = [way for way in _single(attempts) if way is not None]
    if not any(way.fits for way in found):
        found += _combined(attempts)
    return [way for way in found if way.fits] + [way for way in found if not way.fits]


def _single(attempts: _Attempts) -> Iterator[WayOut | None]:
    plan = attempts.plan
    yield attempts.way("no_jit", _NO_JIT, without_jit(plan))
    ended = _end_php_cgi(attempts, plan)
    yield attempts.way("end_idle_php_cgi", _end_text(ended), ended)
    smaller = _smaller_segments(attempts, plan)
    yield attempts.way("smaller_segments", _segments_text(plan, smaller), smaller)
    fewer = _fewer_workers(attempts, plan)
    yield attempts.way("fewer_workers", _workers_text(plan, fewer), fewer)
    cut = _smaller_tmpfs(attempts.host, plan)
    yield attempts.way("smaller_tmpfs", _tmpfs_text(plan, cut), cut)
    shared = shared_masters(plan)
    yield attempts.way("shared_master", _shared_text(plan, shared), shared)


_Step = Tuple[Callable[["_Attempts", Plan], Plan], Callable[[Plan, Plan], str]]


def _combined(attempts: _Attempts) -> Iterator[WayOut]:
    """Add one change after the other until it fits: php-cgi first, segments first, and both with shared masters."""
    jit: _Step = (lambda _attempts, old: without_jit(old), lambda _old, _new: _NO_JIT)
    ending: _Step = (_end_php_cgi, lambda _old, new: _end_text(new))
    smaller: _Step = (_smaller_segments, _segments_text)
    last: list[_Step] = [
        (_fewer_workers, _workers_text),
        (lambda found, old: _smaller_tmpfs(found.host, old), _tmpfs_text),
    ]
    share: _Step = (lambda _attempts, old: shared_masters(old), _shared_text)
    tried: list[Plan] = []
    for steps in ([jit, ending, smaller], [jit, smaller, ending], [share, jit, ending, smaller]):
        plan, texts = attempts.plan, []
        for change, describe in steps + last:
            new = change(attempts, plan)
            if new != plan and attempts.worst(new) < attempts.worst(plan):
                texts.append(describe(plan, new))
                plan = new
            if attempts.worst(plan) <= 0:
                break
        way = attempts.way("combined", " And: ".join(texts), plan)
        if way is not None and len(texts) > 1 and plan not in tried:
            tried.append(plan)
            yield way


_NO_JIT = "Set opcache.jit to disable, so that no JIT buffer is reserved."


def without_jit(plan: Plan) -> Plan:
    """Return the plan with no JIT buffers."""
    return replace(plan, sites=tuple(replace(site, jit_bytes=0) for site in plan.sites))


def _end_php_cgi(attempts: _Attempts, plan: Plan) -> Plan:
    count = attempts.host.php_cgi.processes if attempts.host.php_cgi else 0
    if not plan.php_cgi_leaves or count <= plan.php_cgi_ends_first:
        return plan

    def make(stay: int) -> Plan:
        return replace(plan, php_cgi_ends_first=count - stay)

    return make(attempts.largest(0, count - plan.php_cgi_ends_first, make))


def _end_text(new: Plan) -> str:
    what = count_of(new.php_cgi_ends_first, "idle php-cgi process", "idle php-cgi processes")
    return f"End {what} before the first master starts; each gives its segment back."


def _capped(site: PlannedSite, cap: int) -> PlannedSite:
    return replace(site, segment_bytes=min(site.segment_bytes, max(cap, site.min_segment_bytes)))


def _smaller_segments(attempts: _Attempts, plan: Plan) -> Plan:
    def make(mebibytes: int) -> Plan:
        return replace(plan, sites=tuple(_capped(site, mebibytes * MIB) for site in plan.sites))

    high = max([site.segment_bytes for site in plan.sites] or [0]) // MIB
    low = min([site.min_segment_bytes for site in plan.sites] or [0]) // MIB
    return make(attempts.largest(min(low, high), high, make))


def _segments_text(old: Plan, new: Plan) -> str:
    changed = [(one, two) for one, two in zip(old.sites, new.sites) if one.segment_bytes != two.segment_bytes]
    by_size: dict[tuple[int, int], list[str]] = {}
    for one, two in changed:
        by_size.setdefault((one.segment_bytes, two.segment_bytes), []).append(one.name)
    parts = [
        f"{human_bytes(before)} to {human_bytes(after)} for {_names(names)}"
        for (before, after), names in sorted(by_size.items(), reverse=True)
    ]
    return f"Lower opcache.memory_consumption from {', '.join(parts)}."


def _names(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} sites ({names[0]} to {names[-1]})"


def _fewer_workers(attempts: _Attempts, plan: Plan) -> Plan:
    def make(workers: int) -> Plan:
        sites = (replace(site, max_children=min(site.max_children, max(1, workers))) for site in plan.sites)
        return replace(plan, sites=tuple(sites))

    high = max([site.max_children for site in plan.sites if site.worker_bytes] or [1])
    return make(attempts.largest(1, high, make))


def _workers_text(old: Plan, new: Plan) -> str:
    cap = max([two.max_children for one, two in zip(old.sites, new.sites) if one != two] or [0])
    changed = [one.name for one, two in zip(old.sites, new.sites) if one != two]
    return f"Lower max_children to {cap} for {_names(changed)}."


def _smaller_tmpfs(host: HostMemory, plan: Plan) -> Plan:
    used = {tmpfs.path: tmpfs.used_bytes for tmpfs in host.tmpfs}
    # A quarter above what is used now, at least 16 MiB: less would only move the shortage.
    floors = {path: max(16 * MIB, used.get(path, 0) * 5 // 4 // MIB * MIB) for path in plan.tmpfs}
    return replace(plan, tmpfs={path: min(size, floors[path]) for path, size in plan.tmpfs.items()})


def _tmpfs_text(_old: Plan, new: Plan) -> str:
    return "Plan a smaller tmpfs: " + ", ".join(f"{path} {human_bytes(size)}" for path, size in new.tmpfs.items()) + "."


def shared_masters(plan: Plan) -> Plan:
    """Return the plan with one master per user and PHP version.

    Its segment is the largest of the members', or what they need together where that is more.
    """
    groups: dict[tuple[str, str], list[PlannedSite]] = {}
    for site in plan.sites:
        # A site whose user is not known shares with nobody.
        groups.setdefault((site.user or f"\0{site.name}", site.php_version), []).append(site)
    merged = []
    for (user, version), sites in groups.items():
        if len(sites) == 1:
            merged.append(sites[0])
            continue
        needed = sum(site.min_segment_bytes for site in sites)
        merged.append(
            PlannedSite(
                name=f"shared master of {user}" + (f" (PHP {version})" if version else ""),
                segment_bytes=max(needed, *(site.segment_bytes for site in sites)),
                jit_bytes=max(site.jit_bytes for site in sites),
                max_children=sum(site.max_children for site in sites),
                worker_bytes=max(site.worker_bytes for site in sites),
                user=user,
                php_version=version,
                min_segment_bytes=needed,
                replaces=tuple(unit for site in sites for unit in site.units),
            )
        )
    return replace(plan, sites=tuple(merged))


def _shared_text(old: Plan, new: Plan) -> str:
    sizes = ", ".join(human_bytes(site.segment_bytes) for site in new.sites[:5])
    return (
        "Let the sites of one user share a master (one site of the role fpm_site, whose socket all their virtual hosts"
        f" name): {count_of(len(new.sites), 'master')} instead of {len(old.sites)},"
        f" with segments of {sizes}{', …' if len(new.sites) > 5 else ''};"
        " the sites of one master share its restarts and its faults."
    )
