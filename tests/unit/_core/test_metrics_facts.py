# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of real samples, and made ones of hosts that can't be had here, as metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import metrics_memory, metrics_php
from ansible_collections.phpops.webhost.plugins.module_utils._core.beancounter_risk import container_facts
from ansible_collections.phpops.webhost.plugins.module_utils._core.beancounters import parse_beancounters
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_catalogue import CACHES, LOGS, METRICS, UNITS
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_text import Samples
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_report import EMPTY, report
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_status import parse_status
from ansible_collections.phpops.webhost.plugins.module_utils._core.swaps import Swap

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
# Neither what another program printed, nor answers without a cache in memory: the readers refuse both.
BEANCOUNTERS = sorted(
    path for path in (FIXTURES / "samples" / "beancounters").glob("*.txt") if "NOT-proc" not in path.name
)
STATUSES = sorted(path for path in (FIXTURES / "opcache").glob("*.json") if "memory_usage" in path.read_text())
POOL: dict[str, Any] = {
    "source": "status",
    "active": 3,
    "idle": 1,
    "max_children": 5,
    "max_children_reached": None,
    "listen_queue": 7,
    "slow_requests": 2,
    "memory_by_worker": [{"pss_bytes": 10}, {"pss_bytes": 30}, {"pss_bytes": None}],
}


def values(samples: Samples, name: str, *labels: str) -> dict[Any, float]:
    """Return the values of a family by what its labels say."""
    found = {}
    for one in samples.found:
        if one.name == f"phpops_{name}":
            key = tuple(dict(one.labels)[label] for label in labels)
            found[key[0] if len(key) == 1 else key] = one.value
    return found


def measured(function: Any, facts: Any) -> Samples:
    samples = Samples(METRICS)
    function(facts, samples)
    return samples


@pytest.mark.parametrize("path", BEANCOUNTERS, ids=lambda path: path.name)
def test_beancounters_of_real_hosts_are_bytes_or_items(path: Path) -> None:
    text = path.read_text(encoding="utf-8", errors="replace")
    containers = container_facts(parse_beancounters(text, 4096), 0.9, 4096)
    samples = measured(metrics_memory.beancounters, {"containers": containers})
    held = {
        **values(samples, "beancounter_held_bytes", "container", "resource"),
        **values(samples, "beancounter_held_items", "container", "resource"),
    }
    limits = {
        **values(samples, "beancounter_limit_bytes", "container", "resource"),
        **values(samples, "beancounter_limit_items", "container", "resource"),
    }
    failures = values(samples, "beancounter_failures_total", "container", "resource")
    seen = 0
    for container, found in containers.items():
        for name, row in found["resources"].items():
            if row["held"] is None or (container, name) not in held:
                continue
            seen += 1
            pages = 4096 if row["unit"] == "pages" else 1
            assert held[container, name] == row["held"] * pages
            assert failures[container, name] == row["failcnt"]
            assert limits.get((container, name)) == (row[row["ceiling"]] * pages if row["ceiling"] else None)
    assert seen + samples.dropped > 5


def test_a_node_with_many_containers_keeps_what_matters_first() -> None:
    row = {"unit": "pages", "held": 1, "held_bytes": 4096, "ceiling": None, "failcnt": 0}
    resources = dict.fromkeys(("zzz", "shmpages"), row)
    facts = {"containers": {str(number): {"resources": resources} for number in range(200)}}
    samples = measured(metrics_memory.beancounters, facts)
    held = values(samples, "beancounter_held_bytes", "resource", "container")
    assert len([name for name, _container in held if name == "shmpages"]) == 200
    assert len(held) == METRICS["phpops_beancounter_held_bytes"].most
    assert samples.dropped == 2 * (400 - len(held))


def test_slab_caches_beyond_the_largest_are_one_series() -> None:
    caches = [{"name": f"c{number}", "bytes": 1000 - number, "num_objs": number} for number in range(CACHES + 5)]
    dentry = {"bytes": 1, "objects": 2, "unused": 3, "negative": None}
    sizes = {"total_bytes": 5, "reclaimable_bytes": 6, "unreclaimable_bytes": None}
    samples = measured(metrics_memory.slab, {"caches": caches, "dentry": dentry, **sizes})
    found = values(samples, "slab_cache_size_bytes", "cache")
    assert len(found) == CACHES + 1
    assert found["other"] == sum(one["bytes"] for one in caches[CACHES:])
    assert values(samples, "slab_cache_objects", "cache")["other"] == sum(range(CACHES, CACHES + 5))
    assert "phpops_dentry_negative" not in {one.name for one in samples.found}
    assert samples.dropped == 0


def test_oom_events_are_counted_by_unit_and_the_rest_is_one_series() -> None:
    events = [{"unit": "apache2.service", "kind": "global"}] * 3 + [{"unit": None, "kind": "memcg"}]
    events += [{"unit": f"u{number}", "kind": "unit"} for number in range(UNITS + 3)]
    samples = measured(metrics_memory.oom, {"oom_kill_counter": 12, "events": events})
    found = values(samples, "oom_recent_events", "unit", "kind")
    assert found["apache2.service", "global"] == 3
    assert found["unknown", "memcg"] == 1
    assert found["other", "other"] == len(events) - sum(count for key, count in found.items() if key[0] != "other")
    assert len(found) == UNITS + 1
    assert values(samples, "oom_kills_total") == {(): 12}


def test_a_log_that_is_closed_leaves_the_counter() -> None:
    samples = measured(metrics_memory.oom, {"oom_kill_counter": 12, "events": []})
    assert [one.name for one in samples.found] == ["phpops_oom_kills_total"]


def test_shared_memory_is_told_by_group_and_limit() -> None:
    group = {"name": "php-cgi", "kind": "php-cgi", "processes": 11, "opcache_segments": 11, "opcache_bytes": 704}
    group.update(resident_bytes=5, pss_bytes=6, anon_bytes=7, swap_bytes=None, segments_bytes=704)
    limit = {"kind": "reserved", "path": "/proc/user_beancounters", "used_bytes": 9, "scope": "host"}
    facts = {
        "groups": [group],
        "processes": {"unreadable": 2},
        "totals": {"segments": None, "segments_bytes": None, "resident_bytes": None},
        "memory": {"total_bytes": 100, "available_bytes": 50, "committed_bytes": None},
        "sysv": {"count": 1, "bytes": 2},
        "posix": {"count": None, "bytes": None},
        "limits": [
            {**limit, "name": "shmpages", "limit_bytes": 10},
            {**limit, "name": "physpages", "limit_bytes": None},
            {**limit, "name": "tmpfs", "limit_bytes": 10},
        ],
    }
    samples = measured(metrics_memory.shm, facts)
    assert values(samples, "process_group_opcache_segments", "kind") == {"php-cgi": 11}
    assert values(samples, "process_group_private_bytes", "group") == {"php-cgi": 7}
    assert values(samples, "process_group_swap_bytes", "group") == {}
    assert values(samples, "memory_limit_bytes", "limit") == {"shmpages": 10}
    assert values(samples, "memory_limit_used_bytes", "limit") == {"shmpages": 9}
    assert values(samples, "processes_unreadable") == {(): 2}
    assert values(samples, "shared_memory_segments") == {}
    assert values(samples, "sysv_reserved_bytes") == {(): 2}


def test_a_tmpfs_on_top_of_another_is_the_one_that_is_seen() -> None:
    mounts = [
        {"path": "/dev/shm", "size_bytes": 10, "used_bytes": 1},
        {"path": "/dev/shm", "size_bytes": 20, "used_bytes": 2},
        {"path": "/none", "size_bytes": None, "used_bytes": None},
    ]
    samples = measured(metrics_memory.tmpfs, mounts)
    assert values(samples, "tmpfs_size_bytes", "mountpoint") == {"/dev/shm": 20}
    assert samples.dropped == 0


def test_swap_areas_have_a_series_each() -> None:
    samples = measured(metrics_memory.swap, [Swap("/swap", "file", 10, 4, -2), Swap("/dev/b", "partition", 20, 0, -3)])
    assert values(samples, "swap_size_bytes", "device") == {"/swap": 10, "/dev/b": 20}
    assert values(samples, "swap_used_bytes", "device") == {"/swap": 4, "/dev/b": 0}


def test_the_budget_tells_what_is_missing_and_of_which_limit() -> None:
    limits = [
        {"name": "ram", "limit_bytes": 10, "peak_bytes": 15},
        {"name": "x", "limit_bytes": None, "peak_bytes": None},
    ]
    facts = {"fits": False, "short_bytes": 5, "headroom_bytes": -5, "limits": limits}
    samples = measured(metrics_memory.budget, facts)
    assert values(samples, "budget_fits") == {(): 0}
    assert values(samples, "budget_missing_bytes") == {(): 5}
    assert values(samples, "budget_spent_bytes", "limit") == {"ram": 15}


def master(**more: Any) -> dict[str, Any]:
    found = {"master_pid": 1, "unit": "phpops-fpm@wiki-blue.service", "site": "wiki", "slot": "blue", "reason": None}
    pools = [{"pool": "wiki", "fpm": POOL}]
    return {**found, "segment_bytes": 2**27, "sockets": ["/run/x"], **EMPTY, "pools": pools, **more}


@pytest.mark.parametrize("path", STATUSES, ids=lambda path: path.name)
def test_real_answers_of_opcache_become_metrics(path: Path) -> None:
    told = report(parse_status(path.read_text(encoding="utf-8")), {}, None, 60)
    samples = measured(metrics_php.opcache, {"masters": [master(**told)]})
    assert values(samples, "opcache_up", "site") == {"wiki": 1}
    assert values(samples, "opcache_used_bytes", "site") == {"wiki": told["used_bytes"]}
    assert values(samples, "opcache_max_keys", "unit") == {"phpops-fpm@wiki-blue.service": told["max_keys"]}
    assert values(samples, "opcache_full", "slot") == {"blue": int(told["cache_full"])}
    assert values(samples, "opcache_restarts_total", "cause") == {
        cause: told[f"{cause}_restarts"] for cause in ("oom", "hash", "manual")
    }
    assert samples.dropped == 0


def test_a_master_that_does_not_answer_is_down_and_its_segment_is_known() -> None:
    samples = measured(metrics_php.opcache, {"masters": [master(reason="It hangs.")]})
    assert values(samples, "opcache_up", "site") == {"wiki": 0}
    assert values(samples, "opcache_segment_bytes", "site") == {"wiki": 2**27}
    assert values(samples, "opcache_used_bytes", "site") == {}
    assert values(samples, "opcache_restart_pending", "site") == {}


@pytest.mark.parametrize("change", [{"sockets": []}, {"sockets": [], "master_pid": None}])
def test_a_master_that_nobody_here_can_ask_is_not_down(change: dict[str, Any]) -> None:
    assert measured(metrics_php.opcache, {"masters": [master(**change)]}).found == []


def test_a_pool_tells_of_its_workers() -> None:
    samples = measured(metrics_php.opcache, {"masters": [master()]})
    assert values(samples, "fpm_workers", "pool", "state") == {("wiki", "active"): 3, ("wiki", "idle"): 1}
    assert values(samples, "fpm_listen_queue", "pool") == {"wiki": 7}
    assert values(samples, "fpm_max_children_reached_total", "pool") == {}
    assert values(samples, "fpm_slow_requests_total", "pool") == {"wiki": 2}
    assert values(samples, "fpm_largest_worker_bytes", "pool") == {"wiki": 30}


@pytest.mark.parametrize(("source", "exported"), [("status", {"wiki": 4}), ("processes", {})])
def test_a_count_from_a_log_is_no_counter(source: str, exported: dict[str, int]) -> None:
    """The log's end forgets lines, so that its count falls, which would look like a master that began anew."""
    pools = [{"pool": "wiki", "fpm": {**POOL, "source": source, "max_children_reached": 4}}]
    samples = measured(metrics_php.opcache, {"masters": [master(pools=pools)]})
    assert values(samples, "fpm_max_children_reached_total", "pool") == exported
    assert values(samples, "fpm_max_children", "pool") == {"wiki": 5}


def test_more_masters_than_the_bound_are_dropped_and_counted() -> None:
    masters = [master(unit=f"u{number}", pools=[]) for number in range(150)]
    samples = measured(metrics_php.opcache, {"masters": masters})
    assert len(values(samples, "opcache_up", "unit")) == 100
    assert samples.dropped == 100


def test_the_slots_of_a_site() -> None:
    slots = {"blue": {"active": True}, "green": {"active": False}}
    site = {"name": "wiki", "live_slot": "green", "lease": {"id": "x"}, "slots": slots}
    unknown = {"blue": {"active": None}, "green": {"active": None}}
    broken = {"name": "blog", "live_slot": None, "lease": None, "slots": unknown}
    samples = measured(metrics_php.sites, [site, broken])
    live = values(samples, "site_slot_live", "site", "slot")
    assert live == {("blog", "blue"): 0, ("blog", "green"): 0, ("wiki", "blue"): 0, ("wiki", "green"): 1}
    assert values(samples, "site_slot_active", "site", "slot") == {("wiki", "blue"): 1, ("wiki", "green"): 0}
    assert values(samples, "site_lease_held", "site") == {"wiki": 1, "blog": 0}


def test_logs_beyond_the_bound_are_one_series() -> None:
    counts = {f"/var/log/{number:03}": number for number in range(LOGS + 10)}
    samples = measured(metrics_php.error_logs, counts)
    found = values(samples, "segments_refused_total", "log")
    assert len(found) == LOGS + 1
    assert found["other"] == sum(range(10))
    assert sum(found.values()) == sum(counts.values())
