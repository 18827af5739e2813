# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The numbers of a host that a report shows at a glance, and the difference between two of its runs."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.report_limits import limits, tightest
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import (
    CRITICAL,
    WARNING,
    Facts,
    entries,
    number,
    section,
    sub,
)

# (key, words, unit): the first four are columns of the fleet's table, too.
COLUMNS = (
    ("tightest_ratio", "Tightest limit", "ratio"),
    ("opcache_bytes", "OPcache segments", "bytes"),
    ("dentry_bytes", "Dentry cache", "bytes"),
    ("oom_events", "OOM kills", "count"),
)
NUMBERS = (
    ("critical", "Critical verdicts", "count"),
    ("warning", "Warnings", "count"),
    *COLUMNS,
    ("opcache_segments", "OPcache segments, number", "count"),
    ("php_cgi", "php-cgi processes", "count"),
    ("shared_bytes", "Shared memory of the host", "bytes"),
    ("failed", "Refused requests for shared memory", "count"),
    ("slab_bytes", "Slab caches", "bytes"),
    ("swap_bytes", "Swap in use", "bytes"),
)


def numbers(facts: Facts, verdicts: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """Return the numbers by the keys of NUMBERS; None where the facts don't tell, never zero for that.

    The slab caches that a container sees are those of the kernel that it shares: they are no number of this host, and
    in a sum over hosts they would count once for each container.
    """
    shm, slab = section(facts, "phpops_shm"), section(facts, "phpops_slab")
    if (slab or {}).get("container"):
        slab = None
    groups, memory = entries(shm, "groups"), sub(shm, "memory")
    first = tightest(limits(facts))
    swap = memory.get("swap_total_bytes"), memory.get("swap_free_bytes")
    values: dict[str, float | None] = {
        "critical": sum(verdict.get("severity") == CRITICAL for verdict in verdicts),
        "warning": sum(verdict.get("severity") == WARNING for verdict in verdicts),
        "tightest_ratio": first["ratio"] if first else None,
        "opcache_bytes": _sum(shm, groups, "opcache_bytes"),
        "opcache_segments": _sum(shm, groups, "opcache_segments"),
        "php_cgi": _sum(shm, [group for group in groups if group.get("kind") == "php-cgi"], "processes"),
        "shared_bytes": _whole(memory.get("shmem_bytes")),
        "failed": _failed(facts),
        "slab_bytes": _whole((slab or {}).get("total_bytes")),
        "dentry_bytes": _whole(sub(slab, "dentry").get("bytes")),
        "swap_bytes": max(0, swap[0] - swap[1]) if isinstance(swap[0], int) and isinstance(swap[1], int) else None,
        "oom_events": _events(facts),
    }
    return values


def differences(before: Mapping[str, float | None], after: Mapping[str, float | None]) -> list[dict[str, Any]]:
    """Return each number of NUMBERS before and after, the change, and both as shares of the larger one.

    ``change`` is None when one side is not known; ``trend`` is ``better`` (less, as all of these are burdens),
    ``worse``, ``same`` or ``unknown``. Numbers that neither side knows are left out.
    """
    rows = []
    for key, label, unit in NUMBERS:
        one, other = before.get(key), after.get(key)
        if one is None and other is None:
            continue
        largest = max(one or 0, other or 0)
        change = None if one is None or other is None else other - one
        trend = "unknown" if change is None else "better" if change < 0 else "worse" if change > 0 else "same"
        rows.append(
            {
                **{"key": key, "label": label, "unit": unit, "before": one, "after": other},
                **{"change": change, "trend": trend},
                "before_share": (one or 0) / largest if largest else 0.0,
                "after_share": (other or 0) / largest if largest else 0.0,
            }
        )
    return rows


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _sum(shm: Facts | None, groups: Sequence[Facts], key: str) -> int | None:
    """A group that could not be read has null: a sum without it would be too small."""
    if shm is None or any(group.get(key) is None for group in groups if group.get("readable") is False):
        return None
    return sum(number(group, key) for group in groups)


def _failed(facts: Facts) -> int | None:
    containers = sub(section(facts, "phpops_beancounters"), "containers")
    counters = [sub(sub(sub(containers, uid), "resources"), "shmpages") for uid in containers]
    known = [_whole(counter.get("failcnt")) for counter in counters]
    told = [count for count in known if count is not None]
    return sum(told) if told else None


def _events(facts: Facts) -> int | None:
    oom = section(facts, "phpops_oom")
    return None if oom is None else len(entries(oom, "events"))
