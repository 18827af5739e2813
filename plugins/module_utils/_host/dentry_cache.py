# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Sets how the kernel keeps directory entries, and drops the unused ones once when they hold much."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Callable, Dict

from ansible_collections.phpops.webhost.plugins.module_utils._core.dentry_plan import (
    NEGATIVE,
    Threshold,
    droppable_bytes,
    over,
    settings,
    warnings,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import human_bytes
from ansible_collections.phpops.webhost.plugins.module_utils._host import slab
from ansible_collections.phpops.webhost.plugins.module_utils._host.sysctl import Sysctl

ROLE, NAME = "dentry_cache", "dentry"
# Dentries and inodes that nobody uses; 1 would drop the page cache: linux Documentation/admin-guide/sysctl/vm.rst.
_DROP, _SLABS = "vm.drop_caches", "2"
Gather = Callable[[], Dict[str, Any]]  # evaluated at run time, so typing's own names


@dataclass(frozen=True)
class Options:
    """What is wanted: see the module's options."""

    state: str
    pressure: int | None
    negative: bool | None
    drop: bool
    threshold: Threshold


def gather() -> dict[str, Any]:
    """Return the facts of this host's own slab caches, as slab_facts has them."""
    paths = (slab.DEFAULT_PATH, slab.DEFAULT_MEMINFO_PATH, slab.DEFAULT_DENTRY_STATE_PATH)
    return slab.gather(*paths, 1, os.sysconf("SC_PAGE_SIZE"), None, os.uname().release)


def apply(
    options: Options, check_mode: bool, sysctl: Sysctl | None = None, look: Gather = gather, release: str = ""
) -> dict[str, Any]:
    """Bring the host to the options; returns what the module returns. Raises SysctlError, Unreadable, OSError."""
    host = sysctl or Sysctl()
    wanted: dict[str, str] = {}
    notes: list[str] = []
    if options.state == "present":
        notes = warnings(options.pressure)
        wanted, lacking = settings(
            options.pressure, options.negative, host.exists(NEGATIVE), release or os.uname().release
        )
        notes += lacking
    facts = look()
    outcome = host.apply(ROLE, NAME, wanted, check_mode)
    before = after = _numbers(facts)
    does, verdict = False, ""
    if options.state == "present" and options.drop:
        does, verdict = over(options.threshold, before["droppable_bytes"], facts["memory_total_bytes"])
    if does and not check_mode:
        host.write_only(_DROP, _SLABS)
        after = _numbers(look())
    return {
        "changed": outcome.changed or does,
        "settings": outcome.settings,
        "dropped": does and not check_mode,
        "before": before,
        "after": after,
        "freed_bytes": _less(before, after, "reclaimable_bytes"),
        "freed_dentries": _less(before, after, "unused"),
        "notes": notes + outcome.notes,
        "summary": _summary(before, after, does, verdict, check_mode),
        "diff": outcome.diff + _diff(before, does),
    }


def _numbers(facts: dict[str, Any]) -> dict[str, Any]:
    dentry = facts["dentry"]
    return {
        "dentries": dentry["active"],
        "unused": dentry["unused"],
        "negative": dentry["negative"],
        "bytes": dentry["bytes"],
        "droppable_bytes": droppable_bytes(dentry),
        "reclaimable_bytes": facts["reclaimable_bytes"],
    }


def _less(before: dict[str, Any], after: dict[str, Any], name: str) -> int | None:
    if before[name] is None or after[name] is None:
        return None
    return max(0, int(before[name]) - int(after[name]))


def _summary(before: dict[str, Any], after: dict[str, Any], does: bool, verdict: str, check_mode: bool) -> str:
    if not does:
        return verdict or f"The dentry cache holds {human_bytes(before['bytes'] or 0)}; nothing was to be dropped."
    if check_mode:
        return f"{verdict} They would be dropped."
    freed = _less(before, after, "reclaimable_bytes") or 0
    return (
        f"{verdict} They were dropped: {before['unused']} unused dentries before, {after['unused']} after;"
        f" {human_bytes(freed)} of slab memory came back."
    )


def _diff(before: dict[str, Any], does: bool) -> list[dict[str, str]]:
    if not does:
        return []
    header = "unused dentries"
    return [{"before_header": header, "after_header": header, "before": f"{before['unused']}\n", "after": "dropped\n"}]
