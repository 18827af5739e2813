# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_plan import (
    Choice,
    Wish,
    compiled_need,
    peak,
    plan,
    settle,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_settings import MIB, SettingsError
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_sizing import Need, Setting, setting_for
from hypothesis import given
from hypothesis import strategies as st

NEED = Need(23 * MIB, 3 * MIB, 5470)
MEASURED = Choice("measured", NEED)
GIVEN = Choice("given", None)


def wish(profile: str = "in_place", headroom: float = 1.3, blacklist: str | None = None, **directives: str) -> Wish:
    return Wish(profile, directives, headroom, blacklist)


def test_the_first_plan_takes_what_was_measured() -> None:
    found = plan(wish(), MEASURED, {}, "8.2")
    assert found["segment_bytes"] == 36 * MIB
    assert found["jit_bytes"] == 0
    assert found["opcache"]["opcache.memory_consumption"] == "36"
    assert not found["kept"]


@pytest.mark.parametrize(
    ("scripts", "memory"),
    [
        (23 * MIB, 36),  # as it was
        (25 * MIB, 36),  # more, but half of the headroom is left
        (28 * MIB, 42),  # less than that is left
        (20 * MIB, 36),  # less, but within 25 %
        (8 * MIB, 16),  # much less
    ],
)
def test_a_size_in_force_stays_while_it_fits(scripts: int, memory: int) -> None:
    current = plan(wish(), MEASURED, {}, "8.2")["opcache"]
    found = plan(wish(), MEASURED._replace(need=NEED._replace(scripts_bytes=scripts)), current, "8.2")
    assert found["opcache"]["opcache.memory_consumption"] == str(memory)
    assert found["kept"] == (memory == 36)


@pytest.mark.parametrize(
    ("keys", "setting"), [(5470, 7963), (6000, 7963), (6900, 7963), (7500, 16229), (3500, 7963), (1000, 1979)]
)
def test_keys_in_force_stay_while_they_fit(keys: int, setting: int) -> None:
    current = Setting(38, 6, 7963)
    assert settle(current, NEED._replace(keys=keys), 1.3, "8.2").max_accelerated_files == setting


@given(
    st.builds(Need, st.integers(0, 900 * MIB), st.integers(0, 90 * MIB), st.integers(0, 100000)),
    st.floats(1.0, 3.0),
    st.sampled_from(["8.2", "8.4"]),
)
def test_a_second_run_changes_nothing(need: Need, headroom: float, version: str) -> None:
    choice = MEASURED._replace(need=need)
    first = plan(wish(headroom=headroom), choice, {}, version)
    second = plan(wish(headroom=headroom), choice, first["opcache"], version)
    assert second["kept"]
    assert second["opcache"] == first["opcache"]


@given(st.integers(1, 900 * MIB), st.integers(8, 2000))
def test_what_is_settled_always_holds_half_of_the_headroom(scripts: int, memory: int) -> None:
    need = NEED._replace(scripts_bytes=scripts)
    found = settle(Setting(memory, 8, 10000), need, 1.3, "8.2")
    assert found.memory_consumption * MIB >= scripts * 1.15 + found.interned_strings_buffer * MIB
    assert found.memory_consumption <= max(setting_for(need, 1.3, "8.2").memory_consumption * 1.25 + 10, 20)


def test_overrides_win_and_memory_makes_room_for_them() -> None:
    found = plan(wish(interned_strings_buffer="64"), MEASURED, {}, "8.2")["opcache"]
    assert found["opcache.interned_strings_buffer"] == "64"
    assert int(found["opcache.memory_consumption"]) >= 64 + 23 * 1.3
    found = plan(wish(memory_consumption="100", validate_timestamps="0"), MEASURED, {}, "8.2")["opcache"]
    assert (found["opcache.memory_consumption"], found["opcache.validate_timestamps"]) == ("100", "0")


def test_a_given_size_needs_no_measurement() -> None:
    found = plan(wish("release", memory_consumption="32"), GIVEN, {}, "8.4")
    assert found["segment_bytes"] == 32 * MIB
    assert found["opcache"]["opcache.validate_timestamps"] == "0"


def test_carried_over_directives_stay_and_dropped_overrides_go() -> None:
    current = {
        "opcache.memory_consumption": "38",
        "opcache.preload": "/srv/preload.php",
        "opcache.jit": "tracing",
        "opcache.jit_buffer_size": "32M",
        "opcache.use_cwd": "0",
        "opcache.log_verbosity_level": "4",
        "opcache.fast_shutdown": "1",
        "opcache.blacklist_filename": "/old",
    }
    found = plan(wish(), MEASURED, current, "8.2", ["opcache.log_verbosity_level"])
    opcache = found["opcache"]
    assert opcache["opcache.preload"] == "/srv/preload.php"
    assert (opcache["opcache.jit"], found["jit_bytes"]) == ("tracing", 32 * MIB)
    assert opcache["opcache.use_cwd"] == "1"
    gone = {"opcache.log_verbosity_level", "opcache.fast_shutdown", "opcache.blacklist_filename"}
    assert not gone & set(opcache)


@pytest.mark.parametrize("where", ["current", "inherited"])
def test_an_opcache_that_is_off_stays_off_until_told_otherwise(where: str) -> None:
    off = {"opcache.enable": "0", "opcache.jit": "tracing", "opcache.jit_buffer_size": "32M"}
    tables = {"current": {}, "inherited": {}, where: off}
    found = plan(wish(), MEASURED, tables["current"], "8.2", (), tables["inherited"])
    assert (found["opcache"]["opcache.enable"], found["segment_bytes"], found["jit_bytes"]) == ("0", 0, 0)
    found = plan(wish(enable="1"), MEASURED, tables["current"], "8.2", (), tables["inherited"])
    assert found["opcache"]["opcache.enable"] == "1"
    assert (found["segment_bytes"], found["jit_bytes"]) == (36 * MIB, 32 * MIB)


def test_a_size_that_another_ini_sets_is_in_force_too() -> None:
    inherited = {"opcache.memory_consumption": "40", "opcache.validate_timestamps": "0"}
    found = plan(wish(), MEASURED, {}, "8.2", (), inherited)["opcache"]
    assert (found["opcache.memory_consumption"], found["opcache.validate_timestamps"]) == ("40", "1")


def test_other_lines_in_the_blacklist_mean_another_directive() -> None:
    one = plan(wish(blacklist="/etc/phpops/a/opcache-blacklist-1.txt"), MEASURED, {}, "8.2")["opcache"]
    two = plan(wish(blacklist="/etc/phpops/a/opcache-blacklist-2.txt"), MEASURED, one, "8.2")
    assert not two["kept"]
    assert two["opcache"]["opcache.blacklist_filename"].endswith("-2.txt")


@pytest.mark.parametrize(
    ("given_wish", "choice", "said"),
    [
        (wish(), GIVEN, "No size is known"),
        (wish(fast_shutdown="1"), MEASURED, "removed in PHP 7.2"),
        (wish(memory_consumption="4"), GIVEN, "below PHP's minimum of 8"),
        (wish("quick"), MEASURED, "does not exist"),
    ],
)
def test_what_cannot_be_planned(given_wish: Wish, choice: Choice, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        plan(given_wish, choice, {}, "8.2")


BIG, SMALL = Need(50, 5, 500), Need(20, 9, 100)


@pytest.mark.parametrize(
    ("now", "stored", "age", "expected"),
    [
        (SMALL, None, 10, SMALL),
        (SMALL, BIG, 10, Need(50, 9, 500)),
        (SMALL, BIG, 86400, SMALL),
        (BIG, SMALL, 10, Need(50, 9, 500)),
        (SMALL, BIG, None, Need(50, 9, 500)),
    ],
)
def test_a_young_master_does_not_shrink_what_was_needed(now: Need, stored: Any, age: Any, expected: Need) -> None:
    assert peak(now, stored, age, 86400) == expected


def test_compiled_need_adds_what_php_adds_at_run_time() -> None:
    # MediaWiki 1.39 with PHP 8.2: 1122 scripts took 22.67 MiB in a running master, 19.84 MiB compiled alone.
    assert compiled_need(int(19.84 * MIB), int(3.10 * MIB), 1122).scripts_bytes > 22.67 * MIB
    assert compiled_need(0, 0, 1122) == Need(0, MIB, 2244)
