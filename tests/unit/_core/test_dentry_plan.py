# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dentry cache: which options are refused, which settings are made, when a drop is worth it."""

from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.dentry_plan import (
    Threshold,
    complaint,
    droppable_bytes,
    over,
    settings,
    warnings,
)

MIB = 1 << 20
NONE = Threshold(None, None)
TENTH = Threshold(0.1, None)


@pytest.mark.parametrize(
    ("pressure", "threshold", "drop", "begin"),
    [
        (0, NONE, False, "vfs_cache_pressure is 0: with 0 the kernel never frees"),
        (-1, NONE, False, "vfs_cache_pressure is -1"),
        (2**31, NONE, False, "vfs_cache_pressure is 2147483648: the kernel takes at most"),
        (None, Threshold(0, None), True, "drop_over_share is 0"),
        (None, Threshold(1.1, None), True, "drop_over_share is 1.1"),
        (None, Threshold(None, 0), True, "drop_over_bytes is 0"),
        (None, NONE, True, "drop is true without a threshold"),
    ],
)
def test_options_that_are_refused(pressure, threshold, drop, begin):
    assert complaint(pressure, threshold, drop).startswith(begin)


@pytest.mark.parametrize("pressure", [None, 1, 100, 10000])
def test_options_that_are_fine(pressure):
    assert complaint(pressure, NONE, False) == ""
    assert complaint(pressure, TENTH, True) == ""


def test_much_pressure_is_warned_of():
    assert warnings(None) == warnings(1000) == []
    assert warnings(1001)[0].startswith("vfs_cache_pressure is 1001: over 1000")


def test_settings_of_a_kernel_that_has_both():
    assert settings(200, True, True, "6.13.1") == (
        {"vm.vfs_cache_pressure": "200", "fs.dentry-negative": "1"},
        [],
    )
    assert settings(None, False, True, "6.13.1") == ({"fs.dentry-negative": "0"}, [])


def test_a_kernel_without_the_younger_one_says_so_where_it_is_wanted():
    wanted, notes = settings(200, True, False, "6.1.0-40-cloud-amd64")
    assert wanted == {"vm.vfs_cache_pressure": "200"}
    assert notes[0].startswith("This kernel (6.1.0-40-cloud-amd64) has no fs.dentry-negative, which came with")
    assert settings(None, False, False, "6.1") == ({}, [])


@pytest.mark.parametrize(
    ("dentry", "expected"),
    [
        ({"unused": None, "objects": 10, "bytes": 2000}, None),
        ({"unused": 5, "objects": 10, "bytes": 2000}, 1000),
        ({"unused": 5, "objects": None, "bytes": None}, 5 * 192),
    ],
)
def test_what_a_drop_could_free(dentry, expected):
    assert droppable_bytes(dentry) == expected


@pytest.mark.parametrize(
    ("threshold", "droppable", "does"),
    [
        (TENTH, 101 * MIB, True),
        (TENTH, 100 * MIB, False),
        (Threshold(None, 50 * MIB), 51 * MIB, True),
        (Threshold(0.01, 50 * MIB), 40 * MIB, False),
        (Threshold(0.01, 50 * MIB), 51 * MIB, True),
        (NONE, 999 * MIB, False),
    ],
)
def test_each_threshold_that_is_given_must_be_exceeded(threshold, droppable, does):
    assert over(threshold, droppable, 1000 * MIB)[0] is does


def test_the_numbers_are_told():
    assert over(Threshold(0.1, MIB), 375 * MIB, 1000 * MIB)[1] == (
        "Unused dentries hold 375 MiB, 37 % of the memory: more than 10 % and 1 MiB."
    )
    assert over(TENTH, MIB, 1000 * MIB)[1] == "Unused dentries hold 1 MiB, 0 % of the memory: not more than 10 %."
    assert over(TENTH, None, 1000 * MIB) == (
        False,
        "Nothing was dropped: the kernel doesn't tell how many dentries are unused.",
    )
