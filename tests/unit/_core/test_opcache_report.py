# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_report import EMPTY, report
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_status import parse_status
from hypothesis import given
from hypothesis import strategies as st

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
MIB = 1024 * 1024
SIZES = st.none() | st.integers(min_value=0, max_value=2**62)


def status_of(name: str, **changes: Any) -> dict[str, Any]:
    return {**parse_status((FIXTURES / "opcache" / name).read_text(encoding="utf-8")), **changes}


@pytest.mark.parametrize("php", ["php82", "php84"])
def test_a_pool_that_names_another_size_is_flagged_and_computed(php: str) -> None:
    found = report(status_of(f"{php}-pool-directive-512.json"), {}, 128 * MIB, 5)
    assert found["directives_disagree"] is True
    assert (found["reported_bytes"], found["memory_bytes"]) == (512 * MIB, 128 * MIB)
    assert found["used_bytes"] == 128 * MIB - found["free_bytes"] - found["wasted_bytes"]
    assert 0 < found["used_bytes"] < 32 * MIB
    assert "a pool sets opcache.memory_consumption" in found["notes"][0]
    assert found["healthy"] is True


def test_what_php_says_is_used_may_be_below_zero() -> None:
    raw = json.loads((FIXTURES / "opcache" / "php82-pool-directive-512.json").read_text(encoding="utf-8"))
    memory = raw["memory_usage"]
    memory["used_memory"] = 16 * MIB - memory["free_memory"] - memory["wasted_memory"]
    assert memory["used_memory"] < 0
    found = report(parse_status(json.dumps(raw)), {}, 128 * MIB, None)
    assert (found["reported_bytes"], found["memory_bytes"]) == (16 * MIB, 128 * MIB)
    assert found["used_bytes"] == 128 * MIB - memory["free_memory"] > 0


def test_the_jit_buffer_is_no_part_of_the_cache() -> None:
    status = status_of("php84-jit-off-64m.json")
    agreed = report(status, {}, 192 * MIB, None)
    assert (agreed["directives_disagree"], agreed["memory_bytes"]) == (False, 128 * MIB)
    assert agreed["jit"]["enabled"] is True and agreed["jit"]["on"] is False
    assert agreed["jit"]["buffer_bytes"] == 67108848
    assert 0 <= agreed["jit"]["buffer_used_bytes"] < MIB
    flagged = report(status, {}, 320 * MIB, None)
    assert (flagged["directives_disagree"], flagged["memory_bytes"]) == (True, 256 * MIB)


def test_a_segment_that_can_not_be_read_leaves_what_php_says() -> None:
    status = status_of("php82-mediawiki-primed.json")
    found = report(status, {"opcache.max_accelerated_files": "10000"}, None, 60)
    assert (found["directives_disagree"], found["used_bytes"]) == (False, status["used_memory_bytes"])
    assert (found["scripts"], found["keys"], found["max_keys"]) == (1092, 1217, 16229)
    assert found["keys_ratio"] == 0.075
    assert found["hit_ratio"] == round(found["hits"] / (found["hits"] + found["misses"]), 4)
    assert (found["notes"], found["problems"], found["age_seconds"]) == ([], [], 60)


@pytest.mark.parametrize("php", ["php82", "php84"])
def test_a_full_cache_without_a_restart_is_not_healthy(php: str) -> None:
    status = status_of(f"{php}-key-table-full.json")
    assert status["oom_restarts"] + status["hash_restarts"] == 0
    found = report(status, {"opcache.max_wasted_percentage": "5"}, None, None)
    assert found["healthy"] is False
    assert "full (all keys are taken) and no restart is due" in found["problems"][0]
    assert "it takes 5%" in found["problems"][0]


def test_out_of_memory_is_told_from_out_of_keys() -> None:
    found = report(status_of("php82-mediawiki-primed.json", cache_full=True), {}, None, None)
    assert "full (memory ran out)" in found["problems"][0]


@pytest.mark.parametrize("change", [{"restart_pending": True}, {"restart_in_progress": True}])
def test_a_full_cache_that_restarts_is_no_problem(change: dict[str, bool]) -> None:
    assert report(status_of("php82-key-table-full.json", **change), {}, None, None)["healthy"] is True


def test_a_full_buffer_of_strings_is_a_problem() -> None:
    found = report(status_of("php82-mediawiki-primed.json", interned_free_bytes=8), {}, None, None)
    assert "interned strings is full" in found["problems"][0]


@pytest.mark.parametrize(("setting", "notes"), [("10000", 0), ("16229", 0), ("", 0), ("20000", 1), ("200", 1)])
def test_a_table_of_another_size_than_the_pool_says_is_noted(setting: str, notes: int) -> None:
    found = report(status_of("php84-mediawiki-primed.json"), {"opcache.max_accelerated_files": setting}, None, None)
    assert len(found["notes"]) == notes


def test_php_7_4_has_no_jit_and_may_preload() -> None:
    numbers = {
        "num_cached_scripts": 1000,
        "num_cached_keys": 1000,
        "max_cached_keys": 130987,
        "hits": 128,
        "misses": 25,
    }
    raw = {
        "opcache_enabled": True,
        "memory_usage": {"used_memory": 28023040, "free_memory": 777282624, "wasted_memory": 704},
        "interned_strings_usage": {"buffer_size": 6291008, "used_memory": 4359696, "free_memory": 1931312},
        "opcache_statistics": numbers,
        "preload_statistics": {"memory_consumption": 12108632, "functions": ["a\\{closure}"] * 3, "scripts": ["/a"]},
    }
    found = report(parse_status(json.dumps(raw)), {}, None, None)
    assert found["jit"] is None
    assert found["preload"] == {"memory_bytes": 12108632, "functions": 3, "classes": 0, "scripts": 1}
    assert found["hit_ratio"] == 0.8366


def test_an_old_status_without_strings() -> None:
    raw = {"memory_usage": {"used_memory": 117104, "free_memory": 268318352, "wasted_memory": 0}}
    found = report(parse_status(json.dumps(raw)), {}, None, None)
    assert (found["interned_bytes"], found["keys_ratio"], found["hit_ratio"]) == (None, None, None)
    assert found["healthy"] is True


def test_a_master_that_was_not_asked_has_the_same_keys() -> None:
    found = report(status_of("php82-mediawiki-primed.json"), {}, None, None)
    assert set(found) == {*EMPTY, "problems", "notes"}
    assert set(EMPTY.values()) == {None}


@given(st.integers(-(2**62), 2**62), SIZES, SIZES, st.text(max_size=20))
def test_no_numbers_crash_it(used: int, segment: int | None, jit: int | None, setting: str) -> None:
    status = status_of("php82-mediawiki-primed.json", memory_bytes=used, jit_buffer_bytes=jit)
    found = report(status, {"opcache.max_accelerated_files": setting}, segment, None)
    assert found["memory_bytes"] is not None


BIG = st.integers(-(10**400), 10**400)


@given(BIG, BIG, BIG, BIG, st.dictionaries(st.sampled_from(["opcache.max_accelerated_files", "x"]), st.text()))
def test_what_a_site_makes_up_does_not_crash_it(a: int, b: int, c: int, d: int, directives: dict[str, str]) -> None:
    raw = {
        "memory_usage": {"used_memory": a, "free_memory": b, "wasted_memory": c},
        "opcache_statistics": {"hits": a, "misses": d, "num_cached_keys": b, "max_cached_keys": c},
        "jit": {"buffer_size": a, "buffer_free": b},
        "cache_full": True,
    }
    found = report(parse_status(json.dumps(raw)), directives, 128 * MIB, None)
    assert found["healthy"] is False


def test_what_a_site_says_is_bounded() -> None:
    directives = {f"opcache.{number}": "x" * 10**6 for number in range(1000)}
    found = report(status_of("php82-mediawiki-primed.json"), directives, None, None)
    assert len(json.dumps(found)) < 10**6
