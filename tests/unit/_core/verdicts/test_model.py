# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import judge
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import BadThreshold, Thresholds
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.facts_fixture import (
    MIB,
    counters,
    grown,
    keeping,
    large,
    limit,
    master,
    on_disk,
    oom,
    opcache,
    php_cgi,
    pieces,
    pool,
    shm,
    slab,
    swap,
    written,
    zone,
)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"nearlimit": 0.5}, "nearlimit is no threshold: use one of near_limit,"),
        ({"near_limit": 90}, "near_limit is 90: give a share"),
        ({"near_limit": "0.9"}, "near_limit is '0.9': give a share"),
        ({"near_limit": 0}, "near_limit is 0: give a share"),
        ({"near_limit": True}, "near_limit is True: give a share"),
        ({"own_segments": 0}, "own_segments is 0: give a whole number"),
        ({"own_segments": 2.5}, "own_segments is 2.5: give a whole number"),
        ({"shm_errors": None}, "shm_errors is None: give a whole number"),
    ],
)
def test_a_threshold_that_makes_no_sense_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(BadThreshold, match="^" + message.replace("(", r"\(")):
        Thresholds.of(values)


@pytest.mark.parametrize(
    ("name", "value", "code", "found"),
    [
        ("near_limit", 0.5, "shmpages_near_limit", counters("shmpages 60 99 100 100 0")),
        ("near_limit", 0.5, "beancounter_near_limit", counters("numproc 60 99 100 100 0")),
        ("near_limit", 0.5, "reserved_near_limit", shm(limits=[limit("commit_limit", "reserved", 60, 100)])),
        ("memory_near_limit", 0.5, "memory_near_limit", shm(limits=[limit("ram", "touched", 60, 100)])),
        ("tmpfs_near_full", 0.5, "tmpfs_near_full", shm(tmpfs=[{"path": "/", "size_bytes": 9, "used_bytes": 6}])),
        ("dentry_slab_share", 0.1, "dentry_share", slab(100 * MIB, 0.2)),
        ("dentry_memory_share", 0.01, "dentry_share", slab(20 * MIB, 0.5)),
        ("kept_php_cgi", 5, "idle_php_cgi_stay", keeping(2, 3)),
        ("own_segments", 1, "opcache_segment_per_process", php_cgi(1, 1)),
        ("worker_bytes", 64 * MIB, "php_workers_large", large(3, 200 * MIB, "php-fpm")),
        ("swap_near_full", 0.5, "swap_near_full", swap(100 * MIB, 50 * MIB)),
        ("opcache_near_full", 0.2, "opcache_full", opcache(master())),
        ("opcache_keys_near_full", 0.1, "opcache_keys_full", opcache(master())),
        ("opcache_strings_near_full", 0.5, "opcache_strings_full", opcache(master())),
        ("opcache_wasted", 0.05, "opcache_wasted", opcache(master(wasted_ratio=0.06))),
        ("opcache_oversized", 0.5, "opcache_oversized", opcache(master(age_seconds=86400, used_bytes=60 * MIB))),
        ("opcache_settled_seconds", 60, "opcache_oversized", opcache(master(age_seconds=60, used_bytes=20 * MIB))),
        ("written_php_files", 1, "php_written_at_run_time", written(1, "0")),
        ("dentry_growth", 0.001, "dentry_growing", grown(36000.0, bytes=50 * MIB)),
        ("removed_files_per_second", 1, "tmpdir_on_disk", on_disk("ext4", **grown(60.0, negative=60))),
        ("fragmented", 0.5, "memory_fragmented", pieces(zone(9000, 200, 50, 500))),
    ],
)
def test_a_threshold_moves_its_mark(name: str, value: float, code: str, found: dict[str, Any]) -> None:
    assert code not in [verdict["code"] for verdict in judge(found)]
    assert code in [verdict["code"] for verdict in judge(found, Thresholds.of({name: value}))]


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("dentry_memory_share_critical", 0.05, slab(100 * MIB, 0.5)),
        (
            "own_segments_share_critical",
            0.1,
            php_cgi(3, 3, limits=[limit("shmpages", "reserved", 0, 1024 * MIB)]),
        ),
    ],
)
def test_a_threshold_moves_its_severity(name: str, value: float, found: dict[str, Any]) -> None:
    assert judge(found)[0]["severity"] == "warning"
    assert judge(found, Thresholds.of({name: value}))[0]["severity"] == "critical"


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("opcache_restarts", 2, opcache(master(oom_restarts=1))),
        ("opcache_restarts", 2, opcache(master(manual_restarts=1))),
        ("max_children_reached", 4, opcache(master(pools=[pool(max_children_reached=3)]))),
        ("shared_pools", 3, shm(groups=[{"kind": "php-fpm", "unit": "x", "pools": ["www", "shop"]}])),
        ("oom_kills", 3, oom("php-fpm", "php-fpm")),
    ],
)
def test_a_threshold_that_is_raised_silences(name: str, value: int, found: dict[str, Any]) -> None:
    assert len(judge(found)) == 1
    assert judge(found, Thresholds.of({name: value})) == []
