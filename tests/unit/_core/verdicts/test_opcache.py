# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.phpops.webhost.tests.unit._core.verdicts.case_fixture import fires, keeps_quiet
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.facts_fixture import (
    FULL,
    MIB,
    limit,
    master,
    opcache,
    shm,
)

KEYS_GONE = {"cache_full": True, "keys": 3907}
OLD = {"age_seconds": 86400, "used_bytes": 20 * MIB}
LIMITED = shm(limits=[limit("shmpages", "reserved", 0, 1024 * MIB)])["phpops_shm"]

# (code, severity, facts that fire it, words of its sentence)
FIRES = [
    (
        "opcache_full",
        "critical",
        opcache(master(**FULL)),
        "OPcache is full and no restart is due, so files that are new to it run uncached: wiki (127 MiB of 128 MiB "
        "taken, 4 MiB of it wasted).",
    ),
    (
        "opcache_full",
        "warning",
        opcache(master(free_bytes=6 * MIB), master(None, free_bytes=96 * MIB)),
        "OPcache is nearly full: wiki (122 MiB of 128 MiB taken, 0 B of it wasted).",
    ),
    ("opcache_full", "warning", opcache(master(**FULL, restart_pending=True)), "OPcache is nearly full"),
    (
        "opcache_keys_full",
        "critical",
        opcache(master(**KEYS_GONE)),
        "OPcache has no key left and no restart is due, so files that are new to it run uncached: wiki (3907 of 3907 "
        "keys).",
    ),
    (
        "opcache_keys_full",
        "warning",
        opcache(master(keys=3517)),
        "OPcache has few keys left: wiki (3517 of 3907 keys).",
    ),
    (
        "opcache_strings_full",
        "warning",
        opcache(master(interned_used_bytes=8 * MIB)),
        "each script then keeps its own copies: wiki (8 MiB of 8 MiB, 100 %).",
    ),
    (
        "opcache_wasted",
        "warning",
        opcache(master(wasted_bytes=13 * MIB, wasted_ratio=0.1016)),
        "OPcache holds scripts that are no longer valid, until it restarts: wiki (13 MiB, 10 % of the cache).",
    ),
    (
        "opcache_restarted",
        "warning",
        opcache(master(oom_restarts=2, hash_restarts=1)),
        "OPcache restarted for lack of room, and was empty each time: wiki (2 for memory, 1 for keys).",
    ),
    ("opcache_reset", "info", opcache(master(manual_restarts=1)), "A script or a tool reset OPcache: wiki (1 time)."),
    (
        "opcache_oversized",
        "info",
        opcache(master(**OLD)),
        "OPcache reserves far more than it needs: wiki (20 MiB of 128 MiB used).",
    ),
    ("opcache_oversized", "warning", opcache(master(**OLD), phpops_shm=LIMITED), "far more than it needs"),
]
# (code, facts just below the mark)
QUIETS = [
    ("opcache_full", opcache(master(free_bytes=7 * MIB), master(None, **KEYS_GONE))),
    ("opcache_full", opcache(master(reason="It does not answer.", **FULL), master(free_bytes=None))),
    ("opcache_keys_full", opcache(master(keys=3516), master(max_keys=0))),
    ("opcache_strings_full", opcache(master(interned_used_bytes=7 * MIB), master(interned_bytes=None))),
    ("opcache_wasted", opcache(master(wasted_bytes=12 * MIB, wasted_ratio=0.0999))),
    ("opcache_restarted", opcache(master(manual_restarts=3))),
    ("opcache_reset", opcache(master(oom_restarts=3))),
    ("opcache_oversized", opcache(master(age_seconds=86399, used_bytes=20 * MIB))),
    ("opcache_oversized", opcache(master(age_seconds=86400, used_bytes=33 * MIB))),
    ("opcache_oversized", opcache(master(age_seconds=86400, used_bytes=MIB, memory_bytes=32 * MIB))),
]

test_a_verdict_fires_with_its_numbers = fires(FIRES)
test_a_verdict_keeps_quiet_below_its_mark = keeps_quiet(QUIETS)
