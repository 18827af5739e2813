# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_settings import MIB
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_status import (
    StatusError,
    disagreement,
    need_of,
    parse_status,
    real_used_bytes,
    starved,
)
from hypothesis import given
from hypothesis import strategies as st

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
SAMPLES = FIXTURES / "samples" / "opcache"
# What the index calls each number.
NAMES = {
    "scripts": "num_cached_scripts",
    "keys": "num_cached_keys",
    "max_keys": "max_cached_keys",
    "used": "used_memory_bytes",
    "memory": "memory_bytes",
    "told": "memory_bytes",
    "jit_buffer": "jit_buffer_bytes",
    "cache_full": "cache_full",
    "restarts": "oom_restarts",
    "jit_on": "jit_on",
    "jit_enabled": "jit_enabled",
}


def rows() -> list[dict[str, str]]:
    with (FIXTURES / "opcache" / "INDEX.tsv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def status_of(name: str) -> dict[str, Any]:
    return parse_status((FIXTURES / "opcache" / name).read_text(encoding="utf-8"))


def test_each_fixture_is_in_the_index() -> None:
    assert sorted(row["file"] for row in rows()) == sorted(path.name for path in (FIXTURES / "opcache").glob("*.json"))


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["file"])
def test_captured_status(row: dict[str, str]) -> None:
    if row["expected"] == "refused":
        with pytest.raises(StatusError, match="with file_cache_only there is no shared memory"):
            status_of(row["file"])
        return
    expected = dict(pair.split("=") for pair in row["expected"].split())
    expected.pop("real", None)
    found = status_of(row["file"])
    assert {key: json.dumps(found[NAMES[key]]) for key in expected} == expected


def test_the_json_sample() -> None:
    found = parse_status((SAMPLES / "05-lit-json-php8-jit-enabled-but-off.txt").read_text(encoding="utf-8"))
    assert (found["used_memory_bytes"], found["free_memory_bytes"]) == (106993152, 429877760)
    assert found["memory_bytes"] == 512 * MIB
    assert (found["num_cached_scripts"], found["num_cached_keys"], found["max_cached_keys"]) == (922, 1817, 262237)
    assert (found["jit_enabled"], found["jit_on"], found["jit_buffer_bytes"]) == (True, False, 67108848)
    need = need_of(found)
    assert need.keys == 1817
    assert need.interned_bytes == 21033368 - 16 * MIB
    assert need.scripts_bytes == 106993152 - 64 * MIB - 262237 * 48 - 336
    assert starved(found) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("01-phpdoc-vardump-xdebug-style-php83.txt", "a dump by var_dump() or print_r()"),
        ("02-cloudpanel-printr-preload-php74-truncated.txt", "a dump by var_dump() or print_r()"),
        ("06-lit-human-text-same-data.txt", "text of another kind"),
        ("08-magento-vardump-php55-no-interned-truncated.txt", "a dump by var_dump() or print_r()"),
        ("09-config-vardump-php55-commented.txt", "a dump by var_dump() or print_r()"),
        ("11-rlerdorf-data-sample-php-array.txt", "PHP source"),
    ],
)
def test_what_is_no_json_is_refused_by_its_kind(name: str, said: str) -> None:
    with pytest.raises(StatusError) as error:
        parse_status((SAMPLES / name).read_text(encoding="utf-8"))
    assert str(error.value) == f"This is {said}, not the JSON of opcache_get_status(false): encode it as JSON."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "an empty text"),
        ("false", "returned false"),
        ("[1]", "not an object"),
        ('{"a": 1}', "it is no status"),
        ("[" * 100000, "not the JSON"),
    ],
)
def test_other_json_is_refused(text: str, said: str) -> None:
    with pytest.raises(StatusError, match=said):
        parse_status(text)


@pytest.mark.parametrize("php", ["php82", "php84"])
def test_a_pool_that_lies_about_its_size_is_found_out(php: str) -> None:
    status = status_of(f"{php}-pool-directive-512.json")
    assert real_used_bytes(status, 128 * MIB) == 128 * MIB - status["free_memory_bytes"]
    assert need_of(status, 128 * MIB).scripts_bytes < 64
    assert need_of(status).scripts_bytes >= 384 * MIB
    assert "speaks of 512.0 MiB, but the master's segment has 128.0 MiB" in str(disagreement(status, 128 * MIB))


@pytest.mark.parametrize(("segment", "agrees"), [(192 * MIB, True), (None, True), (128 * MIB, False)])
def test_the_jit_buffer_is_part_of_the_segment(segment: int | None, agrees: bool) -> None:
    assert (disagreement(status_of("php84-jit-off-64m.json"), segment) is None) == agrees


@pytest.mark.parametrize("php", ["php82", "php84"])
def test_a_full_table_is_no_measure_although_nothing_restarted(php: str) -> None:
    assert "The cache is full" in str(starved(status_of(f"{php}-key-table-full.json")))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hash_restarts": 2, "oom_restarts": 1}, "restarted 3 times"),
        ({"interned_free_bytes": 8}, "strings buffer is full"),
    ],
)
def test_starved(change: dict[str, int], said: str) -> None:
    assert said in str(starved({**status_of("php82-mediawiki-primed.json"), **change}))


def test_php_7_4_tells_its_string_buffer_without_the_table() -> None:
    status = status_of("php82-mediawiki-primed.json")
    old = {**status, "interned_buffer_bytes": 6291008, "interned_used_bytes": 4359696, "used_memory_bytes": 28023040}
    need = need_of({**old, "max_cached_keys": 130987})
    assert need.interned_bytes == 4359696
    assert need.scripts_bytes == 28023040 - 8 * MIB - 130987 * 48 - 336


@given(st.binary(max_size=400))
def test_no_bytes_crash_the_parser(data: bytes) -> None:
    try:
        parse_status(data.decode("utf-8", "replace"))
    except StatusError as error:
        assert str(error)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
)


@given(JSON, JSON, JSON, JSON)
def test_no_json_crashes_the_parser(memory: Any, strings: Any, numbers: Any, jit: Any) -> None:
    raw = {"memory_usage": memory, "interned_strings_usage": strings, "opcache_statistics": numbers, "jit": jit}
    found = parse_status(json.dumps(raw))
    assert need_of(found).scripts_bytes >= 0
    starved(found)
