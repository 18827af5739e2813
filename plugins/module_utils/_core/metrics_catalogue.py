# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""All metrics of the exporter: name, type, meaning, labels, and how many series there are at most."""

from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_text import COUNTER, GAUGE, Metric

# In the order in which they run.
PROBES = (*("beancounters", "slab", "shm", "tmpfs", "swap", "oom", "opcache", "sites", "budget", "error_logs"),)
# The bounds: entities of a kind, each of which has one series in a family.
SITES, MASTERS, POOLS, GROUPS, LIMITS, MOUNTS, DEVICES = 100, 100, 200, 120, 150, 64, 32
# These have one more, "other", for the sum of the rest.
CACHES, UNITS, LOGS = 10, 20, 50
OTHER = "other"
# 10 containers with 24 resources each; a node has more containers.
RESOURCES = 240
CAUSES, STATES, SLOTS = ("oom", "hash", "manual"), ("active", "idle"), ("blue", "green")

_MASTER = ("unit", "site", "slot")
_POOL = ("unit", "site", "slot", "pool")
_GROUP = ("group", "kind")


def _gauges(probe: str, labels: tuple[str, ...], most: int, **helps: str) -> list[Metric]:
    return [Metric(f"phpops_{name}", GAUGE, probe, text, labels, most) for name, text in helps.items()]


def _counters(probe: str, labels: tuple[str, ...], most: int, **helps: str) -> list[Metric]:
    return [Metric(f"phpops_{name}", COUNTER, probe, text, labels, most) for name, text in helps.items()]


_EXPORTER = [
    *_gauges(
        *("", ("probe",), len(PROBES)),
        probe_success="Whether the probe got all that it wanted.",
        probe_available="Whether the host has what the probe looks at.",
        probe_duration_seconds="How long the probe took.",
        exporter_dropped_series="Series that the probe left out because a bound was reached or they were there twice.",
    ),
    *_gauges(
        *("", (), 1),
        exporter_last_run_timestamp_seconds="When the exporter ended its last run, in seconds since 1970.",
        exporter_interval_seconds="Seconds from the end of one run to the next.",
    ),
]
_MEMORY = [
    *_gauges(
        *("beancounters", ("container", "resource"), RESOURCES),
        beancounter_held_bytes="What is held of a beancounter that counts bytes or pages.",
        beancounter_limit_bytes="The barrier or limit that stops it, if it has one.",
        beancounter_held_items="What is held of a beancounter that counts items.",
        beancounter_limit_items="The barrier or limit that stops it, if it has one.",
    ),
    *_counters(
        *("beancounters", ("container", "resource"), RESOURCES),
        beancounter_failures_total="Requests that were refused since the container started.",
    ),
    *_gauges(
        *("slab", ("cache",), CACHES + 1),
        slab_cache_size_bytes="Memory of the largest slab caches, and of all others together.",
        slab_cache_objects="Objects that these caches have room for.",
    ),
    *_gauges(
        *("slab", (), 1),
        slab_size_bytes="Memory of all slab caches.",
        slab_reclaimable_bytes="Slab memory that the kernel can take back.",
        slab_unreclaimable_bytes="Slab memory that it can not take back.",
        dentry_cache_size_bytes="Memory of the cache of directory entries.",
        dentry_cache_objects="Directory entries that it has room for.",
        dentry_unused="Directory entries that nobody holds.",
        dentry_negative="Those of them whose names don't exist.",
    ),
    *_gauges(
        *("shm", _GROUP, GROUPS),
        process_group_processes="Processes of a PHP-FPM master, of all php-cgi, of the web server and so on.",
        process_group_opcache_segments="OPcache segments that the group maps, each counted once.",
        process_group_opcache_bytes="What these segments reserve, the JIT buffer included.",
        process_group_resident_bytes="What of the group's shared segments was touched.",
        process_group_pss_bytes="Proportional set size of the group.",
        process_group_private_bytes="Private anonymous memory of the group.",
        process_group_swap_bytes="What of the group's memory is in swap.",
    ),
    *_gauges(
        *("shm", (), 1),
        processes_unreadable="Processes whose memory could not be looked at.",
        shared_memory_segments="Shared segments of all processes, each counted once.",
        shared_memory_reserved_bytes="What these segments reserve.",
        shared_memory_resident_bytes="What of them was touched.",
        sysv_segments="System V segments.",
        sysv_reserved_bytes="What these reserve.",
        posix_segments="Files in /dev/shm.",
        posix_reserved_bytes="The sum of their sizes.",
        memory_size_bytes="The host's memory, MemTotal.",
        memory_available_bytes="What of it is available, MemAvailable.",
        memory_committed_bytes="Memory that is promised, Committed_AS.",
    ),
    *_gauges(
        *("shm", ("limit", "kind", "scope", "path"), LIMITS),
        memory_limit_bytes="A limit on memory that is reserved or touched.",
        memory_limit_used_bytes="What is used of this limit.",
    ),
    *_gauges(
        *("tmpfs", ("mountpoint",), MOUNTS),
        tmpfs_size_bytes="The size of a tmpfs.",
        tmpfs_used_bytes="What its files take.",
    ),
    *_gauges(
        *("swap", ("device",), DEVICES),
        swap_size_bytes="The size of a swap area.",
        swap_used_bytes="What of it is in use.",
    ),
    *_counters("oom", (), 1, oom_kills_total="Processes that the kernel killed for want of memory since it started."),
    *_gauges(
        *("oom", ("unit", "kind"), UNITS + 1),
        oom_recent_events="OOM events of the last hour in the log, by the unit of the victim.",
    ),
    *_gauges(
        *("budget", (), 1),
        budget_fits="Whether all that runs fits into the memory budget.",
        budget_missing_bytes="By how much the budget is overrun.",
        budget_headroom_bytes="What is left of the tightest limit, below 0 where it is overrun.",
    ),
    *_gauges(
        *("budget", ("limit",), LIMITS),
        budget_limit_bytes="A limit of the budget.",
        budget_spent_bytes="What is spent of it at the worst moment.",
    ),
]
_PHP = [
    *_gauges(
        *("opcache", _MASTER, MASTERS),
        opcache_up="Whether the PHP-FPM master told of its OPcache.",
        opcache_segment_bytes="The real size of the segment by the kernel, the JIT buffer included.",
        opcache_size_bytes="The cache's real size, without the JIT buffer.",
        opcache_used_bytes="What is used of it.",
        opcache_free_bytes="What is free of it.",
        opcache_wasted_bytes="What scripts that are no longer valid take of it.",
        opcache_keys="Keys in use; a script can have several.",
        opcache_max_keys="Keys that there are.",
        opcache_scripts="Scripts in the cache.",
        opcache_interned_used_bytes="What is used of the buffer of interned strings.",
        opcache_interned_size_bytes="The size of this buffer.",
        opcache_full="Whether the cache found no room for a script.",
        opcache_restart_pending="Whether the cache waits for a restart or restarts now.",
        opcache_size_disagrees="Whether PHP reports another size than the segment has.",
        opcache_age_seconds="Seconds since the cache started or restarted.",
        opcache_jit_size_bytes="The size of the JIT buffer.",
        opcache_jit_used_bytes="What is used of it.",
    ),
    *_counters(
        *("opcache", _MASTER, MASTERS),
        opcache_hits_total="How often a script was found in the cache.",
        opcache_misses_total="How often it was not; each run of the exporter is one.",
    ),
    *_counters(
        *("opcache", (*_MASTER, "cause"), MASTERS * len(CAUSES)),
        opcache_restarts_total="Restarts of the cache for lack of memory (oom), for lack of keys (hash), by a script.",
    ),
    *_gauges(
        *("opcache", (*_POOL, "state"), POOLS * len(STATES)),
        fpm_workers="Workers of a pool with a request, and without one.",
    ),
    *_gauges(
        *("opcache", _POOL, POOLS),
        fpm_max_children="The most workers that the pool may have.",
        fpm_listen_queue="Connections that wait to be accepted, as the kernel counts them.",
        fpm_largest_worker_bytes="Proportional set size of the pool's largest worker.",
    ),
    *_counters(
        *("opcache", _POOL, POOLS),
        fpm_max_children_reached_total="How often the most workers ran, by the pool's status page.",
        fpm_slow_requests_total="Requests that took too long, by the pool's status page.",
    ),
    *_gauges(
        *("sites", ("site", "slot"), SITES * len(SLOTS)),
        site_slot_live="Whether the slot takes the site's traffic.",
        site_slot_active="Whether the slot's master runs.",
    ),
    *_gauges("sites", ("site",), SITES, site_lease_held="Whether a deploy holds the site's lease."),
    *_counters(
        *("error_logs", ("log",), LOGS + 1),
        segments_refused_total="Lines that say that no shared memory segment could be had, since the log is watched.",
    ),
]
METRICS: dict[str, Metric] = {metric.name: metric for metric in [*_EXPORTER, *_MEMORY, *_PHP]}


def bound() -> int:
    """Return how many series there can be at most, whatever the host is."""
    return sum(metric.most for metric in METRICS.values())
