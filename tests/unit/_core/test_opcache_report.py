# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_directives import DIRECTIVES
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_report import EMPTY, report
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_settings import default_of, exists
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_status import need_of, parse_status
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


# Captured are 8.2.35 and 8.4.27 only (fixtures/opcache). The others are synthetic, made after opcache_get_status() in
# zend_accelerator_module.c of each: no JIT before 8.0, and the strings' table left out up to php-src's pull 11717.
TABLE_LEFT_OUT = {"buffer_size": 6291008, "used_memory": 2291008, "free_memory": 4000000, "number_of_strings": 9000}
WHOLE = {"buffer_size": 8 * MIB, "used_memory": 4388160, "free_memory": 4000448, "number_of_strings": 9000}
OFF = {"enabled": False, "on": False, "kind": 0, "opt_level": 0, "opt_flags": 0, "buffer_size": 0, "buffer_free": 0}
TRACING = {**OFF, "enabled": True, "on": True, "kind": 5, "opt_level": 4, "opt_flags": 6, "buffer_size": 64 * MIB - 16}
BY_VERSION: list[tuple[str, dict[str, Any], dict[str, Any] | None, dict[str, str], set[str]]] = [
    # (PHP, strings, JIT, defaults that differ, directives that it does not have)
    ("7.4", TABLE_LEFT_OUT, None, {"consistency_checks": "0"}, {"jit", "jit_buffer_size", "record_warnings"}),
    ("8.0", TABLE_LEFT_OUT, OFF, {"jit": "tracing", "jit_buffer_size": "0"}, {"file_cache_read_only"}),
    ("8.1", WHOLE, OFF, {"jit": "tracing", "consistency_checks": "0"}, {"file_cache_read_only"}),
    ("8.2", WHOLE, OFF, {"jit_buffer_size": "0", "consistency_checks": "0"}, {"file_cache_read_only"}),
    ("8.3", WHOLE, TRACING, {"jit_buffer_size": "0"}, {"consistency_checks", "file_cache_read_only"}),
    ("8.4", WHOLE, OFF, {"jit": "disable", "jit_buffer_size": "64M"}, {"consistency_checks", "file_cache_read_only"}),
    ("8.5", WHOLE, TRACING, {"jit": "disable", "file_cache_read_only": "0"}, {"consistency_checks"}),
]


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    ("php", "strings", "jit", "defaults", "unknown"), BY_VERSION, ids=[row[0] for row in BY_VERSION]
)
def test_a_synthetic_answer_of_each_version(
    php: str,
    strings: dict[str, int],
    jit: dict[str, Any] | None,
    defaults: dict[str, str],
    unknown: set[str],
    full: bool,
) -> None:
    raw = json.loads((FIXTURES / "opcache" / "php82-mediawiki-primed.json").read_text(encoding="utf-8"))
    del raw["jit"]
    raw.update(cache_full=full, interned_strings_usage=strings, preload_statistics={"memory_consumption": 704})
    raw.update({"jit": jit} if jit else {})
    directives = {f"opcache.{name}": default_of(name, php) for name in DIRECTIVES if exists(name, php)}
    status = parse_status(json.dumps(raw))
    buffer = (jit or OFF)["buffer_size"]
    found = report(status, directives, 40 * MIB + (64 * MIB if buffer else 0), 60)
    assert (found["directives_disagree"], found["memory_bytes"], found["keys"]) == (False, 40 * MIB, 1217)
    assert (found["interned_bytes"], found["interned_strings"]) == (strings["buffer_size"], 9000)
    # The same strings, however the version counts their table.
    assert need_of(status).interned_bytes == 2291008
    told = {"enabled": jit["enabled"], "on": jit["on"], "buffer_bytes": buffer} if jit else None
    assert told == ({name: found["jit"][name] for name in told} if told else found["jit"])
    assert found["preload"] == {"memory_bytes": 704, "functions": 0, "classes": 0, "scripts": 0}
    assert (found["cache_full"], found["healthy"], len(found["problems"])) == (full, not full, int(full))
    assert {name: found["config"][f"opcache.{name}"] for name in defaults} == defaults
    assert not {f"opcache.{name}" for name in unknown} & set(found["config"])
    assert found["notes"] == []


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
