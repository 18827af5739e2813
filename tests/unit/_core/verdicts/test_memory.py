# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import judge
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.case_fixture import fires, keeps_quiet
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.facts_fixture import (
    MIB,
    counters,
    facts,
    limit,
    php_cgi,
    shm,
    slab,
)

# (code, severity, facts that fire it, words of its sentence)
FIRES = [
    (
        "opcache_segment_per_process",
        "warning",
        php_cgi(11, 11),
        "11 php-cgi processes with 11 OPcache segments of their own, 704 MiB reserved; "
        "under PHP-FPM 1 site would take about 64 MiB.",
    ),
    (
        "opcache_segment_per_process",
        "critical",
        php_cgi(11, 11, limits=[limit("shmpages", "reserved", 0, 1024 * MIB)]),
        "704 MiB reserved",
    ),
    (
        "reserved_near_limit",
        "critical",
        shm(limits=[limit("commit_limit", "reserved", 95, 100), limit("shmpages", "reserved", 10, 100)]),
        "Reserved memory is 95 B, 95 % of the limit commit_limit (/x) of 100 B.",
    ),
    (
        "memory_near_limit",
        "warning",
        shm(limits=[limit("memory_cgroup", "touched", 96, 100)]),
        "Used memory is 96 B, 96 % of the limit memory_cgroup (/x) of 100 B.",
    ),
    (
        "tmpfs_near_full",
        "warning",
        shm(tmpfs=[{"path": "/dev/shm", "size_bytes": 100, "used_bytes": 85}]),
        "The tmpfs /dev/shm holds 85 B, 85 % of its 100 B.",
    ),
    (
        "dentry_share",
        "warning",
        slab(100 * MIB, 0.5),
        "The dentry cache holds 100 MiB in 1880000 entries, 10 % of the host's memory and 50 % of all slab caches.",
    ),
    ("dentry_share", "critical", slab(375 * MIB, 0.8), "37 % of the host's memory"),
    ("dentry_share", "warning", slab(100 * MIB, 0.5, container="podman"), "this container (podman) shares."),
    (
        "master_shared",
        "info",
        shm(groups=[{"kind": "php-fpm", "unit": "php8.2-fpm.service", "pools": ["www", "shop"]}]),
        "One PHP-FPM master (php8.2-fpm.service) runs 2 pools (www, shop)",
    ),
    (
        "budget_overrun",
        "critical",
        facts(budget={"fits": False, "short_bytes": 64 * MIB, "limits": [{"name": "shmpages", "fits": False}]}),
        "The memory budget is overrun by 64 MiB (limit shmpages).",
    ),
]
# (code, facts just below the mark)
QUIETS = [
    ("opcache_segment_per_process", php_cgi(1, 1)),
    (
        "opcache_segment_per_process",
        shm(groups=[{"kind": "php-fpm", "processes": 11, "opcache_segments": 11, "opcache_bytes": 11}]),
    ),
    ("reserved_near_limit", shm(limits=[limit("commit_limit", "reserved", 89, 100), limit("x", "reserved", 9, None)])),
    ("memory_near_limit", shm(limits=[limit("ram", "touched", 94, 100), limit("tmpfs", "touched", 99, 100)])),
    ("tmpfs_near_full", shm(tmpfs=[{"path": "/tmp", "size_bytes": 100, "used_bytes": 84}, {"size_bytes": None}])),
    ("tmpfs_near_full", shm(tmpfs=[{"path": "/run/x", "size_bytes": 9, "used_bytes": 9, "options": "ro,nr_inodes=9"}])),
    ("dentry_share", slab(100 * MIB, 0.39)),
    ("dentry_share", slab(49 * MIB, 0.9)),
    ("dentry_share", slab(100 * MIB, 0.9, memory_total_bytes=None)),
    ("master_shared", shm(groups=[{"kind": "php-fpm", "pools": ["www"]}, {"kind": "php-cgi", "pools": ["a", "b"]}])),
    ("master_shared", shm(groups=[{"kind": "php-fpm", "pools": ["shop", "shop_status"]}])),
    ("budget_overrun", facts(budget={"fits": True, "short_bytes": 0})),
    ("budget_overrun", facts()),
]

test_a_verdict_fires_with_its_numbers = fires(FIRES)
test_a_verdict_keeps_quiet_below_its_mark = keeps_quiet(QUIETS)


def test_shmpages_among_the_limits_is_not_told_twice() -> None:
    found = counters("shmpages 99 99 100 100 0")
    found["phpops_shm"]["limits"] = [limit("shmpages", "reserved", 99, 100)]
    assert [verdict["code"] for verdict in judge(found)] == ["shmpages_near_limit"]
