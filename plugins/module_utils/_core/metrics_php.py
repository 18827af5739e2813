# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Facts about a host's PHP as metrics: OPcache, the pools of PHP-FPM, the sites' slots, refused segments."""

from __future__ import annotations

from typing import Any, Iterable, Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_catalogue import (
    CAUSES,
    LOGS,
    OTHER,
    SLOTS,
    STATES,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_text import Samples

Facts = Mapping[str, Any]
_GAUGES = {
    "segment_bytes": "segment_bytes",
    "size_bytes": "memory_bytes",
    "used_bytes": "used_bytes",
    "free_bytes": "free_bytes",
    "wasted_bytes": "wasted_bytes",
    "keys": "keys",
    "max_keys": "max_keys",
    "scripts": "scripts",
    "interned_used_bytes": "interned_used_bytes",
    "interned_size_bytes": "interned_bytes",
    "full": "cache_full",
    "size_disagrees": "directives_disagree",
    "age_seconds": "age_seconds",
    "hits_total": "hits",
    "misses_total": "misses",
}


def can_be_asked(master: Facts) -> bool:
    """Return whether a master has a socket that this host can reach; one in a container has none."""
    return bool(master["sockets"])


def opcache(facts: Facts, samples: Samples) -> None:
    """Add phpops_opcache: each master's cache, and the workers of each of its pools."""
    for master in facts["masters"]:
        if not can_be_asked(master):
            continue
        where = {"unit": master["unit"] or "none", "site": master["site"], "slot": master["slot"]}
        samples.add("phpops_opcache_up", master["reason"] is None, **where)
        for ours, theirs in _GAUGES.items():
            samples.add(f"phpops_opcache_{ours}", master[theirs], **where)
        if master["restart_pending"] is not None:
            waits = bool(master["restart_pending"] or master["restart_in_progress"])
            samples.add("phpops_opcache_restart_pending", waits, **where)
        for cause in CAUSES:
            samples.add("phpops_opcache_restarts_total", master[f"{cause}_restarts"], cause=cause, **where)
        jit = master["jit"] or {}
        samples.add("phpops_opcache_jit_size_bytes", jit.get("buffer_bytes"), **where)
        samples.add("phpops_opcache_jit_used_bytes", jit.get("buffer_used_bytes"), **where)
        for pool in master["pools"]:
            _pool(pool["fpm"], {**where, "pool": pool["pool"]}, samples)


def _pool(told: Facts, where: Mapping[str, str], samples: Samples) -> None:
    for state in STATES:
        samples.add("phpops_fpm_workers", told[state], state=state, **where)
    samples.add("phpops_fpm_max_children", told["max_children"], **where)
    samples.add("phpops_fpm_listen_queue", told["listen_queue"], **where)
    # A log's end forgets old lines: a count from there can fall, which a counter must not.
    if told["source"] == "status":
        samples.add("phpops_fpm_max_children_reached_total", told["max_children_reached"], **where)
    samples.add("phpops_fpm_slow_requests_total", told["slow_requests"], **where)
    sizes = [worker["pss_bytes"] for worker in told["memory_by_worker"] if worker["pss_bytes"] is not None]
    samples.add("phpops_fpm_largest_worker_bytes", max(sizes) if sizes else None, **where)


def sites(found: Iterable[Facts], samples: Samples) -> None:
    """Add which slot of each site is live, whether its master runs, and whether a deploy is under way."""
    for site in sorted(found, key=lambda one: str(one["name"])):
        for slot in SLOTS:
            active = site["slots"][slot]["active"]
            samples.add("phpops_site_slot_live", site["live_slot"] == slot, site=site["name"], slot=slot)
            samples.add("phpops_site_slot_active", active, site=site["name"], slot=slot)
        samples.add("phpops_site_lease_held", site["lease"] is not None, site=site["name"])


def error_logs(counts: Mapping[str, int], samples: Samples) -> None:
    """Add the lines that were counted, by log; logs with most lines first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    for log, count in ordered[:LOGS]:
        samples.add("phpops_segments_refused_total", count, log=log)
    if ordered[LOGS:]:
        samples.add("phpops_segments_refused_total", sum(count for _log, count in ordered[LOGS:]), log=OTHER)
