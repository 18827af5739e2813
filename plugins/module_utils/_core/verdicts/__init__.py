# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Turns the facts of a host into verdicts, worst first. One small function per kind of verdict."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Callable

from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import (
    beancounters,
    fcgid,
    memory,
    oom,
    opcache,
    opcache_code,
    pools,
    sites,
    swap,
    temporary,
    workers,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import (
    SEVERITIES,
    Facts,
    Thresholds,
    Verdict,
)

# Their order decides between verdicts of one severity.
TABLE: tuple[Callable[[Facts, Thresholds], list[Verdict]], ...] = (
    sites.live_slot_down,
    beancounters.shmpages,
    sites.shm_allocation_errors,
    oom.unit_stopped_by_oom_kill,
    oom.oom_kills,
    oom.unit_ends_with_a_process,
    memory.reserved_near_limit,
    memory.budget_overrun,
    memory.segment_per_process,
    opcache.opcache_full,
    opcache.opcache_keys_full,
    opcache.opcache_restarted,
    opcache.opcache_strings_full,
    opcache.opcache_wasted,
    opcache_code.opcache_directive_ineffective,
    pools.max_children_reached,
    pools.deploy_blocked,
    fcgid.idle_php_cgi_stay,
    workers.php_workers_large,
    memory.dentry_share,
    temporary.dentry_growing,
    temporary.tmpdir_on_disk,
    memory.touched_near_limit,
    swap.swap_near_full,
    swap.swap_missing,
    memory.tmpfs_near_full,
    beancounters.beancounter_failed,
    beancounters.beancounter_near_limit,
    opcache_code.timestamps_validated,
    opcache_code.php_written_at_run_time,
    opcache_code.second_opcode_cache,
    temporary.memory_fragmented,
    opcache.opcache_oversized,
    opcache.opcache_reset,
    memory.master_shared,
    sites.sites_not_migratable,
    pools.opcache_unknown,
    sites.processes_unreadable,
    sites.error_logs_unreadable,
    sites.facts_unavailable,
)


def judge(facts: Facts, thresholds: Thresholds | None = None) -> list[dict[str, Any]]:
    """Return the verdicts of one host, worst first, as dicts.

    ``facts`` holds what the facts modules returned, by their names (phpops_shm, phpops_slab, phpops_beancounters,
    phpops_php_sites, phpops_slot, phpops_oom, phpops_oom_policy, phpops_opcache), and ``budget`` as memory_budget_info
    returns it. What is missing gives an info verdict.
    """
    marks = thresholds or Thresholds()
    found = [verdict for rule in TABLE for verdict in rule(facts, marks)]
    return [asdict(verdict) for verdict in sorted(found, key=lambda verdict: SEVERITIES.index(verdict.severity))]
