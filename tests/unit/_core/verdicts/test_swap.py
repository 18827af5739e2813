# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import judge
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.case_fixture import fires, keeps_quiet
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.facts_fixture import MIB, oom, shm_of, site, swap

# (code, severity, facts that fire it, words of its sentence)
FIRES = [
    ("swap_near_full", "warning", swap(100 * MIB, 10 * MIB), "Swap holds 90 MiB, 90 % of its 100 MiB."),
    ("swap_missing", "info", swap(0, 0), "The host has no swap: what is touched once and never again stays in memory."),
    ("swap_missing", "warning", {**oom("php-cgi"), **shm_of(swap(0, 0))}, "The host has no swap, and memory ran out."),
]
# (code, facts just below the mark)
QUIETS = [
    ("swap_near_full", swap(100 * MIB, 11 * MIB)),
    ("swap_near_full", swap(100 * MIB, 1 * MIB, container="openvz")),
    ("swap_near_full", swap(None, None)),
    ("swap_missing", swap(0, 0, container="podman")),
    ("swap_missing", swap(1, 1)),
    ("swap_missing", swap(None, None)),
]

test_a_verdict_fires_with_its_numbers = fires(FIRES)
test_a_verdict_keeps_quiet_below_its_mark = keeps_quiet(QUIETS)


def test_swap_is_told_by_whom() -> None:
    def user(name: str | None, size: int) -> dict[str, Any]:
        return {"user": name, "uid": 1000, "swap_bytes": size * MIB}

    found = swap(1000 * MIB, 10 * MIB)
    found["phpops_php_sites"]["sites"] = [
        site("shop.example.org", user="shop"),
        site("a", user="many"),
        site("b", user="many"),
    ]
    found["phpops_shm"]["groups"] = [
        {
            "kind": "php-fpm",
            "unit": "phpops-fpm@wiki-blue.service",
            "swap_bytes": 200 * MIB,
            "users": [user("wiki", 200)],
        },
        {"kind": "php-fpm", "unit": "phpops-fpm@wiki-green.service", "swap_bytes": 100 * MIB},
        {"kind": "php-cgi", "name": "php-cgi", "users": [user("shop", 90), user("many", 80), user("www-data", 1)]},
        {"kind": "other", "name": "other", "users": [user("mysql", 500), user(None, 2)]},
    ]
    (verdict,) = judge(found)
    assert verdict["sentence"].endswith("most is of mysql 500 MiB, site wiki 300 MiB, site shop.example.org 90 MiB.")
    assert {"name": "swap of mysql", "value": 500 * MIB, "unit": "bytes"} in verdict["evidence"]
    del found["phpops_shm"]["groups"][0]
    found["phpops_shm"]["groups"][-1]["users"] = []
    (verdict,) = judge(found)
    assert verdict["sentence"].endswith(
        "site wiki 100 MiB, site shop.example.org 90 MiB, 2 sites of many (php-cgi) 80 MiB."
    )
