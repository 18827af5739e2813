# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Facts about a host's memory as metrics: beancounters, slab, shared memory, tmpfs, swap, OOM kills, budget."""

from __future__ import annotations

from collections import Counter
from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_catalogue import CACHES, OTHER, UNITS
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_text import Samples
from ansible_collections.phpops.webhost.plugins.module_utils._core.swaps import Swap

Facts = Mapping[str, Any]
# Those that are asked about first, where a node has more containers than there is room for.
_FIRST = ("shmpages", "physpages", "privvmpages", "oomguarpages", "kmemsize", "dcachesize")


def beancounters(facts: Facts, samples: Samples) -> None:
    """Add phpops_beancounters: bytes for what is counted in bytes or pages, else items; limits where there are any."""
    rows = [
        (name, container, row)
        for container, found in facts["containers"].items()
        for name, row in found["resources"].items()
    ]
    for name, container, row in sorted(rows, key=lambda row: (row[0] not in _FIRST, row[1], row[0])):
        in_items = row["unit"] == "items"
        unit, suffix = ("items", "") if in_items else ("bytes", "_bytes")
        where = {"container": container, "resource": name}
        samples.add(f"phpops_beancounter_held_{unit}", row["held" + suffix], **where)
        limit = row[row["ceiling"] + suffix] if row["ceiling"] else None
        samples.add(f"phpops_beancounter_limit_{unit}", limit, **where)
        samples.add("phpops_beancounter_failures_total", row["failcnt"], **where)


def slab(facts: Facts, samples: Samples) -> None:
    """Add phpops_slab; ``caches`` must be all caches, the largest first."""
    caches, dentry = facts["caches"], facts["dentry"]
    rest = caches[CACHES:]
    for cache in caches[:CACHES]:
        samples.add("phpops_slab_cache_size_bytes", cache["bytes"], cache=cache["name"])
        samples.add("phpops_slab_cache_objects", cache["num_objs"], cache=cache["name"])
    if rest:
        samples.add("phpops_slab_cache_size_bytes", sum(one["bytes"] for one in rest), cache=OTHER)
        samples.add("phpops_slab_cache_objects", sum(one["num_objs"] for one in rest), cache=OTHER)
    samples.add("phpops_slab_size_bytes", facts["total_bytes"])
    samples.add("phpops_slab_reclaimable_bytes", facts["reclaimable_bytes"])
    samples.add("phpops_slab_unreclaimable_bytes", facts["unreclaimable_bytes"])
    samples.add("phpops_dentry_cache_size_bytes", dentry["bytes"])
    samples.add("phpops_dentry_cache_objects", dentry["objects"])
    samples.add("phpops_dentry_unused", dentry["unused"])
    samples.add("phpops_dentry_negative", dentry["negative"])


def shm(facts: Facts, samples: Samples) -> None:
    """Add phpops_shm without its tmpfs; the groups with most shared memory first."""
    for group in sorted(facts["groups"], key=lambda one: -(one["segments_bytes"] or 0)):
        where = {"group": group["name"], "kind": group["kind"]}
        for ours, theirs in (
            ("processes", "processes"),
            ("opcache_segments", "opcache_segments"),
            ("opcache_bytes", "opcache_bytes"),
            ("resident_bytes", "resident_bytes"),
            ("pss_bytes", "pss_bytes"),
            ("private_bytes", "anon_bytes"),
            ("swap_bytes", "swap_bytes"),
        ):
            samples.add(f"phpops_process_group_{ours}", group[theirs], **where)
    samples.add("phpops_processes_unreadable", facts["processes"]["unreadable"])
    totals, memory = facts["totals"], facts["memory"]
    samples.add("phpops_shared_memory_segments", totals["segments"])
    samples.add("phpops_shared_memory_reserved_bytes", totals["segments_bytes"])
    samples.add("phpops_shared_memory_resident_bytes", totals["resident_bytes"])
    for kind in ("sysv", "posix"):
        samples.add(f"phpops_{kind}_segments", facts[kind]["count"])
        samples.add(f"phpops_{kind}_reserved_bytes", facts[kind]["bytes"])
    samples.add("phpops_memory_size_bytes", memory["total_bytes"])
    samples.add("phpops_memory_available_bytes", memory["available_bytes"])
    samples.add("phpops_memory_committed_bytes", memory["committed_bytes"])
    _limits(facts["limits"], samples)


def _limits(limits: Sequence[Facts], samples: Samples) -> None:
    """Add the limits that are finite, those of the whole host first; each tmpfs has metrics of its own."""
    finite = [one for one in limits if one["limit_bytes"] is not None and one["name"] != "tmpfs"]
    for one in sorted(finite, key=lambda one: one["scope"] != "host"):
        where = {"limit": one["name"], "kind": one["kind"], "scope": one["scope"], "path": one["path"]}
        samples.add("phpops_memory_limit_bytes", one["limit_bytes"], **where)
        samples.add("phpops_memory_limit_used_bytes", one["used_bytes"], **where)


def tmpfs(mounts: Iterable[Facts], samples: Samples) -> None:
    """Add the tmpfs mounts that have a size, in their order of mounting; of several on one folder one is seen."""
    for mount in {mount["path"]: mount for mount in mounts}.values():
        samples.add("phpops_tmpfs_size_bytes", mount["size_bytes"], mountpoint=mount["path"])
        samples.add("phpops_tmpfs_used_bytes", mount["used_bytes"], mountpoint=mount["path"])


def swap(areas: Iterable[Swap], samples: Samples) -> None:
    """Add the swap areas, the largest first."""
    for area in sorted(areas, key=lambda one: -one.size_bytes):
        samples.add("phpops_swap_size_bytes", area.size_bytes, device=area.path)
        samples.add("phpops_swap_used_bytes", area.used_bytes, device=area.path)


def oom(facts: Facts, samples: Samples) -> None:
    """Add phpops_oom, whose events must be those of the last hour; without a log only the kernel's counter is known."""
    samples.add("phpops_oom_kills_total", facts["oom_kill_counter"])
    events = Counter((event["unit"] or "unknown", event["kind"]) for event in facts["events"])
    named = events.most_common()
    for (unit, kind), count in named[:UNITS]:
        samples.add("phpops_oom_recent_events", count, unit=unit, kind=kind)
    if named[UNITS:]:
        samples.add("phpops_oom_recent_events", sum(count for _key, count in named[UNITS:]), unit=OTHER, kind=OTHER)


def budget(facts: Facts, samples: Samples) -> None:
    """Add what memory_budget_info says of today."""
    samples.add("phpops_budget_fits", facts["fits"])
    samples.add("phpops_budget_missing_bytes", facts["short_bytes"])
    samples.add("phpops_budget_headroom_bytes", facts["headroom_bytes"])
    for limit in facts["limits"]:
        if limit["limit_bytes"] is not None:
            samples.add("phpops_budget_limit_bytes", limit["limit_bytes"], limit=limit["name"])
            samples.add("phpops_budget_spent_bytes", limit["peak_bytes"], limit=limit["name"])
