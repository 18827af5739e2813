# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_settings import MIB, validate
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_sizing import (
    Need,
    Setting,
    as_directives,
    explain,
    interned_buffer_mib,
    interned_capacity_bytes,
    interned_table_bytes,
    memory_mib,
    setting_for,
    setting_of,
)
from hypothesis import given
from hypothesis import strategies as st

NEEDS = st.builds(Need, st.integers(0, 4 * 1024 * MIB), st.integers(0, 512 * MIB), st.integers(0, 900000))


# used_memory of an empty buffer on PHP 8.2.35, less the 168192 bytes of PHP's own 3630 strings.
@pytest.mark.parametrize(
    ("mib", "used"),
    [
        (1, 430336),
        (2, 692480),
        (4, 1216768),
        (8, 2265344),
        (12, 2265344),
        (16, 4362496),
        (17, 4362496),
        (32, 8556800),
        (33, 8556800),
        (64, 16945408),
        (128, 33722624),
    ],
)
def test_interned_table_is_what_php_takes(mib: int, used: int) -> None:
    assert interned_table_bytes(mib) == used - 168192


def test_a_larger_buffer_can_hold_less() -> None:
    assert interned_capacity_bytes(16) < interned_capacity_bytes(15)
    assert interned_buffer_mib(12 * MIB + 1, "8.2") == 15


@pytest.mark.parametrize(
    ("strings", "version", "mib"),
    [
        (0, "8.2", 1),
        (500000, "8.2", 1),
        (7 * MIB, "8.2", 9),
        (20 * MIB, "8.2", 24),
        (10**12, "8.3", 4095),
        (10**12, "8.4", 32767),
    ],
)
def test_interned_buffer_mib(strings: int, version: str, mib: int) -> None:
    assert interned_buffer_mib(strings, version) == mib


# used_memory of an empty cache with a buffer of 8 MiB on 8.2 and 8.4: 48 bytes a key and 336 more.
@pytest.mark.parametrize(("keys", "rest"), [(200, 11040), (10000, 779328), (100000, 6287712), (1000000, 50342400)])
def test_memory_holds_buffer_and_key_table(keys: int, rest: int) -> None:
    free = 2 * MIB * 40 - 8 * MIB - rest
    assert memory_mib(free, 8, keys) == 80
    assert memory_mib(free + 1, 8, keys) == 82


def test_the_least_setting() -> None:
    assert setting_for(Need(0, 0, 0), 1.3, "8.2") == Setting(8, 1, 1979)


def test_a_compiled_mediawiki() -> None:
    setting = setting_for(Need(106994729, 21640528, 10936), 1.0, "8.2")
    assert setting == Setting(128, 25, 16229)


@given(NEEDS, st.floats(1.0, 3.0))
def test_every_setting_is_valid_and_holds_the_need(need: Need, factor: float) -> None:
    setting = setting_for(need, factor, "8.2")
    assert validate(as_directives(setting), "8.2") == []
    assert interned_capacity_bytes(setting.interned_strings_buffer) >= int(need.interned_bytes * factor)
    assert setting.memory_consumption * MIB >= need.scripts_bytes + setting.interned_strings_buffer * MIB
    assert setting_of(as_directives(setting), "8.2") == setting


def test_setting_of_takes_the_defaults() -> None:
    assert setting_of({"opcache.memory_consumption": "64"}, "8.2") == Setting(64, 8, 10000)


def test_explain_says_where_each_number_comes_from() -> None:
    need = Need(20 * MIB, 3 * MIB, 1262)
    told = explain(need, 1.3, setting_for(need, 1.3, "8.2"), "for 1122 scripts", "for 5470 files")
    assert told["memory_consumption"]["value"] == 32
    assert "20.0 MiB for 1122 scripts, times 1.3" in told["memory_consumption"]["reason"]
    assert "3.0 MiB of strings, times 1.3" in told["interned_strings_buffer"]["reason"]
    assert told["max_accelerated_files"] == {
        "value": 1979,
        "prime": 1979,
        "unit": "keys",
        "reason": "1262 keys for 5470 files, times 1.3; PHP takes the next prime of its list, 1979.",
    }
