# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Verdicts over shared memory, its limits, tmpfs and the slab caches."""

from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of, human_bytes, human_percent
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import cures
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import (
    CRITICAL,
    INFO,
    WARNING,
    Cure,
    Evidence,
    Facts,
    Thresholds,
    Verdict,
    entries,
    number,
    ratio,
    section,
    sub,
)


def _reserved_limits(facts: Facts) -> list[Facts]:
    limits = entries(section(facts, "phpops_shm"), "limits")
    return [limit for limit in limits if limit.get("kind") == "reserved" and number(limit, "limit_bytes")]


def segment_per_process(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """php-cgi processes hold an OPcache segment each, which PHP-FPM's workers would share."""
    found = []
    smallest = min((number(limit, "limit_bytes") for limit in _reserved_limits(facts)), default=0)
    for group in entries(section(facts, "phpops_shm"), "groups"):
        segments, size = number(group, "opcache_segments"), number(group, "opcache_bytes")
        if group.get("kind") != "php-cgi" or segments < marks.own_segments:
            continue
        sites = max(1, len(cures.movable(facts)))
        after = size // segments * sites
        sentence = (
            f"{count_of(number(group, 'processes'), 'php-cgi process', 'php-cgi processes')} with "
            f"{count_of(segments, 'OPcache segment')} of their own, {human_bytes(size)} reserved; "
            f"under PHP-FPM {count_of(sites, 'site')} would take about {human_bytes(after)}."
        )
        heavy = smallest and size >= marks.own_segments_share_critical * smallest
        evidence = [
            Evidence("php-cgi processes", number(group, "processes"), "processes"),
            Evidence("OPcache segments", segments, "segments"),
            Evidence("reserved by them", size, "bytes"),
            Evidence("estimate after a migration", after, "bytes"),
        ]
        severity = CRITICAL if heavy else WARNING
        found.append(Verdict("opcache_segment_per_process", severity, sentence, evidence, cures.migrate(facts)))
    return found


def master_shared(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """Several pools run under one PHP-FPM master and so share one OPcache segment."""
    found = []
    for group in entries(section(facts, "phpops_shm"), "groups"):
        listed = group.get("pools") if group.get("kind") == "php-fpm" else None
        names_of_all = [str(pool) for pool in listed] if isinstance(listed, (list, tuple)) else []
        # pm.status_listen makes FPM run a pool of its own for the status page.
        pools = [pool for pool in names_of_all if pool[: -len("_status")] not in names_of_all]
        if len(pools) >= max(2, marks.shared_pools):
            names = ", ".join(pools[:5]) + (", …" if len(pools) > 5 else "")
            sentence = (
                f"One PHP-FPM master ({group.get('unit') or group.get('name')}) runs {len(pools)} pools ({names}): "
                "they share one OPcache, and a full cache or a restart meets all of them."
            )
            evidence = [Evidence("pools of the master", len(pools), "pools")]
            cure = Cure("Give each site a master of its own where the budget allows it.", "phpops.webhost.site")
            found.append(Verdict("master_shared", INFO, sentence, evidence, cure))
    return found


def _near(limit: Facts, mark: float, code: str, severity: str, kind: str, cure: Cure) -> list[Verdict]:
    size, used = number(limit, "limit_bytes"), number(limit, "used_bytes")
    if not size or used / size < mark:
        return []
    where = f" ({limit.get('path')})" if limit.get("path") else ""
    sentence = (
        f"{kind} memory is {human_bytes(used)}, {human_percent(used / size)} of the limit {limit.get('name')}{where} "
        f"of {human_bytes(size)}."
    )
    evidence = [
        Evidence(f"{limit.get('name')} used", used, "bytes"),
        Evidence(f"{limit.get('name')} limit", size, "bytes"),
    ]
    return [Verdict(code, severity, sentence, evidence, cure)]


def reserved_near_limit(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """Reserved memory is near the limit that leaves the least room. shmpages has a verdict of its own."""
    own = section(facts, "phpops_beancounters") is not None
    limits = [limit for limit in _reserved_limits(facts) if not (own and limit.get("name") == "shmpages")]
    if not limits:
        return []
    tightest = min(limits, key=lambda limit: number(limit, "limit_bytes") - number(limit, "used_bytes"))
    cure = Cure(
        "Reserve less: smaller OPcache segments, php-cgi replaced by PHP-FPM.", "phpops.webhost.tune", tags=["opcache"]
    )
    return _near(tightest, marks.near_limit, "reserved_near_limit", CRITICAL, "Reserved", cure)


def touched_near_limit(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """Memory in use is near a memory cgroup's limit, or near all of the host's RAM."""
    text = "Lower pm.max_children or the segments of the sites, or raise the limit."
    cure = Cure(text, "phpops.webhost.tune", tags=["opcache"])
    found = []
    for limit in entries(section(facts, "phpops_shm"), "limits"):
        if limit.get("kind") == "touched" and limit.get("name") != "tmpfs":
            found += _near(limit, marks.memory_near_limit, "memory_near_limit", WARNING, "Used", cure)
    return found


def tmpfs_near_full(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """A tmpfs is nearly full: uploads and temporary files there fail soon."""
    found = []
    for mount in entries(section(facts, "phpops_shm"), "tmpfs"):
        size, used = number(mount, "size_bytes"), number(mount, "used_bytes")
        # Nobody can fill a read-only one (systemd's credentials are such).
        writable = "ro" not in str(mount.get("options") or "").split(",")
        if size and writable and used / size >= marks.tmpfs_near_full:
            sentence = (
                f"The tmpfs {mount.get('path')} holds {human_bytes(used)}, {human_percent(used / size)} of its "
                f"{human_bytes(size)}."
            )
            evidence = [
                Evidence(f"{mount.get('path')} used", used, "bytes"),
                Evidence(f"{mount.get('path')} size", size, "bytes"),
            ]
            cure = Cure("Remove stale files there, or give it a larger size within the host's budget.")
            found.append(Verdict("tmpfs_near_full", WARNING, sentence, evidence, cure))
    return found


def dentry_share(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """The dentry cache holds much of the slabs and much of the host's memory."""
    slab = section(facts, "phpops_slab")
    dentry = sub(slab, "dentry")
    size, memory, share = number(dentry, "bytes"), number(slab, "memory_total_bytes"), ratio(dentry, "share")
    if not memory or share < marks.dentry_slab_share or size / memory < marks.dentry_memory_share:
        return []
    of_memory = size / memory
    container = (slab or {}).get("container")
    sentence = (
        f"The dentry cache holds {human_bytes(size)} in {number(dentry, 'objects')} entries, "
        f"{human_percent(of_memory)} of the host's memory and {human_percent(share)} of all slab caches"
    )
    sentence += f"; these are numbers of the kernel that this container ({container}) shares." if container else "."
    evidence = [
        Evidence("dentry cache", size, "bytes"),
        Evidence("dentries", number(dentry, "objects"), "items"),
        Evidence("share of the slab caches", share, "ratio"),
        Evidence("share of the host's memory", round(of_memory, 4), "ratio"),
    ]
    if dentry.get("negative") is not None:
        evidence.append(Evidence("negative dentries", number(dentry, "negative"), "items"))
    text = "Put temporary files on a tmpfs (TMPDIR below /dev/shm): each one on disk leaves a dentry."
    cure = Cure(text, "phpops.webhost.tune", tags=["tmpdir", "dentry_cache"])
    severity = CRITICAL if of_memory >= marks.dentry_memory_share_critical else WARNING
    return [Verdict("dentry_share", severity, sentence, evidence, cure)]


def budget_overrun(facts: Facts, _marks: Thresholds) -> list[Verdict]:
    """What is planned or running on the host does not fit its limits."""
    budget = sub(facts, "budget")
    if budget.get("fits") is not False:
        return []
    short = number(budget, "short_bytes")
    over = [str(limit.get("name")) for limit in entries(budget, "limits") if limit.get("fits") is False]
    sentence = f"The memory budget is overrun by {human_bytes(short)}"
    sentence += f" (limit {', '.join(over)})." if over else "."
    ways = [str(way.get("text")) for way in entries(budget, "ways_out")]
    text = ways[0] if ways else "Lower the segments or the workers of the sites."
    cure = Cure(text, "phpops.webhost.tune", tags=["opcache"])
    return [Verdict("budget_overrun", CRITICAL, sentence, [Evidence("missing", short, "bytes")], cure)]
