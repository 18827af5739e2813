# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_status import parse_status
from ansible_collections.phpops.webhost.plugins.module_utils._core.prime_cache import (
    Figures,
    Marks,
    complaint,
    figures_of,
    grown,
    no_room,
    too_young,
)
from hypothesis import given
from hypothesis import strategies as st

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "opcache"
MIB = 1024 * 1024
FIRST = Figures(max_keys=1979, total_bytes=64 * MIB, free_bytes=60 * MIB, started_seconds=1)
FINE = replace(FIRST, scripts=400, keys=450, free_bytes=20 * MIB, misses=400)


def status(name: str, **numbers: int) -> dict[str, Any]:
    raw = json.loads((FIXTURES / name).read_text(encoding="utf-8"))
    raw["opcache_statistics"].update(numbers)
    return parse_status(json.dumps(raw))


@pytest.mark.parametrize(("cached", "scripts", "keys", "misses"), [(True, 1091, 1216, 1093), (False, 1092, 1217, 1091)])
def test_the_probe_is_left_out(cached: bool, scripts: int, keys: int, misses: int) -> None:
    found = figures_of(status("php82-mediawiki-primed.json"), {"opcache.file_update_protection": "2"}, None, cached, 3)
    assert (found.scripts, found.keys, found.misses, found.protection_seconds) == (scripts, keys, misses, 2)
    assert (found.used_bytes, found.free_bytes, found.total_bytes) == (32201952, 9741088, 41943040)


def test_a_pool_that_lies_about_its_memory_is_not_believed() -> None:
    told = status("php82-pool-directive-512.json")
    segment = 128 * MIB
    found = figures_of(told, {}, segment, False, 1)
    assert (found.total_bytes, found.segment_bytes) == (segment, segment)
    assert found.used_bytes == segment - told["free_memory_bytes"] - told["wasted_memory_bytes"]
    assert found.used_bytes < told["used_memory_bytes"]


@pytest.mark.parametrize(
    ("told", "seconds"), [("0", 0), ("2", 2), ("", 0), ("-1", 0), ("\u00b2", 0), ("\u0662", 0), ("9" * 5000, 0)]
)
def test_a_protection_that_is_no_number_of_seconds_is_none(told: str, seconds: int) -> None:
    found = figures_of(status("php82-mediawiki-primed.json"), {"opcache.file_update_protection": told}, None, True, 1)
    assert found.protection_seconds == seconds


def test_the_jit_buffer_is_no_room_for_scripts() -> None:
    told = status("php84-mediawiki-primed.json")
    segment = told["memory_bytes"] + 4096 * -(-(told["jit_buffer_bytes"] or 0) // 4096)
    assert figures_of(told, {}, segment, False, 1).total_bytes == told["memory_bytes"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        (
            {"cache_full": True, "free_bytes": 100, "misses": 1200},
            "The cache is full after round 2: 400 scripts fill 64 MiB of 64 MiB; between 72351636 and 192937684 bytes"
            " are needed and 67108864 are there: raise opcache.memory_consumption to 148.",
        ),
        (
            {"free_bytes": 2 * MIB},
            "The cache is 96 % taken, above the mark of 95 %: 400 scripts fill 62 MiB of 64 MiB; 68433382 bytes are"
            " needed and 67108864 are there: raise opcache.memory_consumption to 66.",
        ),
        (
            {"keys": 1978, "misses": 800},
            "The cache's keys are all taken after round 2: 1978 of 1979 for 400 scripts, with 20971520 of 67108864"
            " bytes free; between 2061 and 3956 keys are needed: raise opcache.max_accelerated_files to 3713.",
        ),
        (
            {"keys": 1900},
            "The cache's keys are 96 % taken, above the mark of 95 %: 1900 of 1979 for 400 scripts, with 20971520 of"
            " 67108864 bytes free; 2000 keys are needed: raise opcache.max_accelerated_files to 2000.",
        ),
        (
            {"started_seconds": 2},
            "The master was started anew during round 2, so the cache is cold again; see its log.",
        ),
        (
            {"manual_restarts": 1},
            "OPcache was reset during round 2: one of these pages calls opcache_reset(); take that out of the request.",
        ),
        (
            {"oom_restarts": 1},
            "The cache restarted for lack of room in round 2: 400 scripts fill 44 MiB of 64 MiB; between 67108865 and"
            " 134217728 bytes are needed and 67108864 are there: raise opcache.memory_consumption to 118.",
        ),
    ],
)
def test_what_is_wrong_is_told_with_the_need_and_the_cure(changes: dict[str, Any], expected: str | None) -> None:
    assert complaint(FIRST, replace(FINE, **changes), 2, 24, Marks()) == expected


def test_growth_is_scripts_or_keys_and_not_memory() -> None:
    assert grown(FINE, replace(FINE, scripts=401)) and grown(FINE, replace(FINE, keys=451))
    assert not grown(FINE, replace(FINE, free_bytes=1, misses=500))


def test_only_a_protection_makes_files_too_young() -> None:
    assert too_young(replace(FINE, protection_seconds=2), replace(FINE, protection_seconds=2, misses=401))
    assert not too_young(FINE, replace(FINE, misses=401))
    assert not too_young(replace(FINE, protection_seconds=2), replace(FINE, protection_seconds=2))


NUMBER = st.integers(0, 2**40)


@given(st.tuples(*[NUMBER] * 10), st.tuples(*[NUMBER] * 10), st.floats(0.01, 1), st.floats(0.01, 1))
def test_any_figures_give_one_sentence_or_none(
    before: tuple[int, ...], after: tuple[int, ...], memory: float, keys: float
) -> None:
    names = ("scripts", "keys", "max_keys", "free_bytes", "wasted_bytes", "total_bytes", "oom_restarts")
    names += ("hash_restarts", "misses", "started_seconds")
    first, now = (Figures(**dict(zip(names, numbers))) for numbers in (before, after))
    said = complaint(first, replace(now, cache_full=True), 1, 1, Marks(memory, keys))
    assert said is not None and said.endswith(".") and "\n" not in said


def test_with_one_request_the_need_is_exact() -> None:
    said = complaint(FIRST, replace(FINE, cache_full=True, free_bytes=0, misses=1200), 1, 1, Marks())
    assert said is not None and "; 192937984 bytes are needed" in said


@pytest.mark.parametrize(
    ("changes", "ratio", "told"),
    [
        ({"misses": 404}, 0.95, True),
        ({}, 0.95, False),
        # Half of the room is free: another reason than its lack.
        ({"misses": 404, "free_bytes": 33 * MIB}, 0.95, False),
        # Files that are too young are another matter, and so is a cache that still grows.
        ({"misses": 404, "protection_seconds": 2}, 0.95, False),
        ({"misses": 404, "scripts": 404}, 0.95, False),
        ({"misses": 404}, 1.0, False),
    ],
)
def test_files_that_find_no_room_in_a_cache_that_is_not_full_are_told(
    changes: dict[str, Any], ratio: float, told: bool
) -> None:
    said = no_room(FINE, replace(FINE, **changes), Marks(memory_ratio=ratio))
    assert (said is not None) == told
    if said is not None:
        assert said.startswith("4 loads of files in the last round found no room in the cache")
        assert "raise opcache.memory_consumption" in said
