# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import memory_limit
from ansible_collections.phpops.webhost.plugins.module_utils._core.memory_limit import LimitError, absent, present

NONE = {"memory_high_bytes": 0, "memory_max_bytes": 0}


def limits(high: int | None, most: int | None) -> dict[str, Any]:
    return {"memory_high_bytes": high, "memory_max_bytes": most}


def test_a_sites_own_limits_come_before_those_for_all() -> None:
    found = memory_limit.wanted(["a", "b"], limits(None, 100), [{"name": "b", **limits(50, None)}])
    assert found == {"a": {"memory_max_bytes": 100}, "b": {"memory_high_bytes": 50, "memory_max_bytes": 100}}
    assert memory_limit.wanted(["a"], limits(None, 100), [{"name": "a", **limits(None, 0)}]) == {
        "a": {"memory_max_bytes": 0}
    }


@pytest.mark.parametrize(
    ("sites", "said"),
    [
        ([{"name": "a"}, {"name": "a"}], "twice"),
        ([{"name": "a", **limits(200, 100)}], "memory_high_bytes 200 is above"),
    ],
)
def test_limits_that_contradict_each_other_are_refused(sites: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(LimitError, match=said):
        memory_limit.wanted(["a"], limits(None, None), sites)


def test_a_change_keeps_what_was_there_before() -> None:
    (change,) = present({"a": limits(None, 70)}, {"a": {"memory_max_bytes": 100}}, {})
    assert (change.name, change.options) == ("a", {"memory_max_bytes": 100})
    assert change.recorded == {"before": {**NONE, "memory_max_bytes": 70}, "set": {**NONE, "memory_max_bytes": 100}}


def test_a_second_change_keeps_the_first_before_and_one_by_hand_counts_anew() -> None:
    record = {"a": {"before": NONE, "set": {**NONE, "memory_max_bytes": 100}}}
    (change,) = present({"a": limits(None, 100)}, {"a": {"memory_max_bytes": 200}}, record)
    assert change.recorded == {"before": NONE, "set": {**NONE, "memory_max_bytes": 200}}
    (change,) = present({"a": limits(None, 150)}, {"a": {"memory_max_bytes": 200}}, record)
    assert change.recorded is not None
    assert change.recorded["before"] == {**NONE, "memory_max_bytes": 150}


def test_nothing_is_done_where_nothing_differs() -> None:
    assert present({"a": limits(None, 100)}, {"a": {"memory_max_bytes": 100}}, {}) == []
    assert present({"a": limits(None, None)}, {"a": {"memory_max_bytes": 0}}, {}) == []
    assert present({"a": limits(None, 100)}, {"a": {}}, {}) == []


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ({"a": limits(None, 100)}, [("a", NONE)]),
        # Changed by another hand, gone, or back already.
        ({"a": limits(None, 150)}, []),
        ({}, []),
        ({"a": limits(None, None)}, []),
    ],
)
def test_absent_gives_back_what_was_there(now: dict[str, Any], expected: list[Any]) -> None:
    record = {"a": {"before": NONE, "set": {**NONE, "memory_max_bytes": 100}}}
    assert [(change.name, change.options) for change in absent(now, record)] == expected


@pytest.mark.parametrize(
    ("text", "value"), [("infinity", None), ("18446744073709551615", None), ("1048576", 1048576), ("", None)]
)
def test_a_limit_as_systemd_prints_it(text: str, value: int | None) -> None:
    assert memory_limit.shown_bytes(text) == value


def test_the_summary_says_whether_a_limit_is_in_force() -> None:
    site = {"name": "a", **limits(None, 512 << 20), "used_bytes": 30 << 20, "in_force": True, "reason": ""}
    held = {**site, "name": "b", "used_bytes": None, "in_force": False, "reason": "No cgroup v2."}
    free = {**site, "name": "c", **limits(None, None)}
    assert memory_limit.summary([site, held, free], ["d"]) == [
        "a: MemoryMax 512 MiB, in force, it uses 30 MiB.",
        "b: MemoryMax 512 MiB, not in force. No cgroup v2.",
        "d: this host has no such site, so it got no limit.",
    ]
