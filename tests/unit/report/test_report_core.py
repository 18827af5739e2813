# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The model of the report: limits, numbers, gauges, geometry, and what a record keeps."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import report_charts as charts
from ansible_collections.phpops.webhost.plugins.module_utils._core.report_fleet import fleet_model
from ansible_collections.phpops.webhost.plugins.module_utils._core.report_limits import MOST_PARTS, limits, tightest
from ansible_collections.phpops.webhost.plugins.module_utils._core.report_numbers import differences, numbers
from ansible_collections.phpops.webhost.plugins.module_utils._core.report_opcache import gauges
from ansible_collections.phpops.webhost.plugins.module_utils._core.report_record import record
from ansible_collections.phpops.webhost.plugins.plugin_utils.report_page import render
from ansible_collections.phpops.webhost.tests.unit.report.fleet import EVIL, MIB, fleet, group, master, shm
from hypothesis import given, settings
from hypothesis import strategies as st

SECTIONS = ("phpops_shm", "phpops_slab", "phpops_beancounters", "phpops_oom", "phpops_opcache", "budget")
KEYS = (
    *("groups", "limits", "lines", "memory", "events", "masters", "containers", "caches", "dentry", "total_bytes"),
    *("name", "kind", "notes", "units", "victim", "resources", "shmpages", "held_bytes", "limit_bytes", "used_bytes"),
    *("bytes", "time", "parts", "problems", "fpm", "segments_bytes", "after_bytes", "swap_total_bytes", "tmpfs"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


def line(name: str, size: int, kind: str = "opcache", limit: str = "shmpages") -> dict[str, Any]:
    return {"name": name, "kind": kind, "limits": [limit], "bytes": 9 * size, "after_bytes": size}


def test_the_budgets_lines_are_the_parts_of_its_limits() -> None:
    budget = {
        "limits": [
            {"name": "shmpages", "kind": "reserved", "limit_bytes": 100, "used_bytes": 1},
            {"name": "ram", "kind": "touched", "limit_bytes": None, "used_bytes": 1},
        ],
        "lines": [line("wiki", 30), line("shop", 60), line("x", 7, limit="ram"), line("nothing", 0)],
    }
    first, second = limits({"budget": budget})
    assert [(part["name"], part["bytes"]) for part in first["parts"]] == [("shop", 60), ("wiki", 30)]
    assert (first["name"], first["used_bytes"], first["ratio"]) == ("shmpages", 90, 0.9)
    assert (second["limit_bytes"], second["ratio"]) == (None, None)


def test_lines_of_one_name_are_told_apart() -> None:
    budget = {
        "limits": [{"name": "shmpages", "limit_bytes": 900}],
        "lines": [line("php-cgi", 30), line("php-cgi", 20, "cgi"), line("wiki", 10)],
    }
    (found,) = limits({"budget": budget})
    assert [part["name"] for part in found["parts"]] == ["php-cgi: OPcache", "php-cgi: private memory", "wiki"]


def test_many_parts_are_told_as_one() -> None:
    budget = {
        "limits": [{"name": "shmpages", "limit_bytes": 900}],
        "lines": [line(f"s{index:02}", 20 + index) for index in range(20)],
    }
    (found,) = limits({"budget": budget})
    assert len(found["parts"]) == MOST_PARTS
    assert found["parts"][-1]["name"] == "14 more"
    assert sum(part["bytes"] for part in found["parts"]) == found["used_bytes"] == sum(range(20, 40))


def test_without_a_budget_the_rest_is_what_processes_do_not_explain() -> None:
    facts = {"phpops_shm": shm(group("php-cgi", "php-cgi", 3, 3), limit=1024 * MIB)}
    found = {limit["name"]: limit for limit in limits(facts)}["commit_limit"]
    assert [(part["kind"], part["bytes"]) for part in found["parts"]] == [("php-cgi", 192 * MIB), ("rest", 24 * MIB)]


def test_processes_that_come_to_more_than_the_kernel_counts_explain_nothing() -> None:
    facts = {"phpops_shm": shm(group("php-cgi", "php-cgi", 3, 3))}
    facts["phpops_shm"]["limits"] = [{"name": "x", "kind": "reserved", "limit_bytes": 99, "used_bytes": 50}]
    (found,) = limits(facts)
    assert [(part["kind"], part["bytes"]) for part in found["parts"]] == [("rest", 50)]


def test_beancounters_of_two_containers_keep_apart() -> None:
    counter = {"shmpages": {"held_bytes": 1, "limit_bytes": 2}}
    facts = {"phpops_beancounters": {"available": True, "containers": {"7": {"resources": counter}, "8": {}}}}
    assert [limit["name"] for limit in limits(facts)] == ["shmpages of 7"]


def test_no_limit_is_the_tightest_of_none() -> None:
    assert tightest(limits({})) is None


def test_what_the_facts_do_not_tell_is_none() -> None:
    found = numbers({}, [])
    assert {key for key, value in found.items() if value is not None} == {"critical", "warning"}


def test_a_container_has_no_slab_caches_of_its_own() -> None:
    slab = {"available": True, "total_bytes": 9, "dentry": {"bytes": 4}, "container": None}
    found = numbers({"phpops_slab": slab}, [])
    assert (found["slab_bytes"], found["dentry_bytes"]) == (9, 4)
    found = numbers({"phpops_slab": {**slab, "container": "podman"}}, [])
    assert (found["slab_bytes"], found["dentry_bytes"]) == (None, None)


def test_a_group_that_could_not_be_read_makes_no_sum() -> None:
    unread = group("php-fpm", "x", 2, 0, readable=False, opcache_bytes=None, opcache_segments=None)
    found = numbers({"phpops_shm": shm(group("php-cgi", "php-cgi", 2, 2), {**unread, "pss_bytes": 1})}, [])
    assert (found["opcache_bytes"], found["php_cgi"]) == (None, 2)


@pytest.mark.parametrize(
    ("before", "after", "trend", "difference"),
    [
        (2, 1, "better", -1),
        (1, 2, "worse", 1),
        (1, 1, "same", 0),
        (None, 1, "unknown", None),
        (1, None, "unknown", None),
    ],
)
def test_the_difference_says_which_way_it_went(before: Any, after: Any, trend: str, difference: Any) -> None:
    (row,) = differences({"php_cgi": before}, {"php_cgi": after})
    assert (row["trend"], row["change"]) == (trend, difference)


def test_gauges_of_a_master() -> None:
    facts = {"phpops_opcache": {"available": True, "masters": [master("wiki", 60, 2, keys=7900, interned_bytes=None)]}}
    (found,) = gauges(facts)
    memory, keys = found["gauges"]
    assert (memory["used"], memory["whole"], memory["level"]) == (62 * MIB, 64 * MIB, "critical")
    assert (keys["used"], keys["whole"], keys["level"]) == (7900, 7963, "critical")
    assert found["flags"] == []


@pytest.mark.parametrize(
    ("part", "flag"),
    [
        ({"cache_full": True}, "The cache is full"),
        ({"restart_pending": True}, "A restart is pending"),
        ({"directives_disagree": True}, "A pool overrides"),
        ({"hash_restarts": 2, "oom_restarts": 1}, "Restarted 3 times"),
    ],
)
def test_flags_of_a_master(part: dict[str, Any], flag: str) -> None:
    (found,) = gauges({"phpops_opcache": {"available": True, "masters": [master("wiki", 9, 9, **part)]}})
    assert [text[: len(flag)] for text in found["flags"]] == [flag]


def test_a_master_says_itself_what_is_wrong_and_why_it_said_nothing() -> None:
    told = master("wiki", 9, 9, cache_full=True, problems=["Keys are short."])
    silent = {"master_pid": 7, "reason": "restrict_api forbids it.", "problems": []}
    first, second = gauges({"phpops_opcache": {"available": False, "masters": [told, silent]}})
    assert (first["flags"], first["fpm"]["max_children_reached"]) == (["Keys are short."], 4)
    assert (second["name"], second["gauges"], second["reason"]) == ("7", [], "restrict_api forbids it.")
    assert second["fpm"]["total"] is None


@pytest.mark.parametrize("facts", [{}, {"phpops_opcache": {"available": False, "reason": "No master runs."}}])
def test_without_opcache_facts_there_are_no_gauges(facts: dict[str, Any]) -> None:
    assert gauges(facts) == []


@given(sizes=st.lists(st.integers(0, 2**50), max_size=9), whole=st.integers(0, 2**50))
def test_a_stack_stays_in_its_box(sizes: list[int], whole: int) -> None:
    for size, box in zip(sizes, charts.stack(sizes, whole)):
        assert 0 <= box["x"] <= box["x"] + box["width"] <= charts.WIDTH + 0.01
        assert (box["width"] > 0) == (size > 0)


def test_a_limit_that_is_exceeded_has_its_mark_inside() -> None:
    assert charts.limit_mark(200, 100) == 500
    assert charts.limit_mark(50, 100) == 1000


@pytest.mark.parametrize(
    ("share", "end"), [(0, "10.00 50.00"), (0.5, "50.00 10.00"), (1, "90.00 50.00"), (9, "90.00 50.00")]
)
def test_a_gauge_ends_where_its_share_does(share: float, end: str) -> None:
    assert charts.arc(share).endswith(end)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-06-20T12:47:50", 1781959670.0),
        ("2026-06-20T12:47:50Z", 1781959670.0),
        ("2026-06-20T14:47:50+02:00", 1781959670.0),
        ("yesterday", None),
        (None, None),
        ("2026-13-01T00:00:00", None),
    ],
)
def test_times_of_events(text: Any, seconds: float | None) -> None:
    assert charts.moment(text) == seconds


def test_a_time_line_spans_its_events() -> None:
    assert charts.time_line([100.0, 150.0, 200.0]) == [30, 500, 970]
    assert charts.time_line([5.0, 5.0]) == [500, 500]
    assert charts.time_line([]) == []


def test_a_record_keeps_the_sums_of_workers_and_not_their_list() -> None:
    fpm = {"active": 1, "memory_by_worker": [{"pid": 1}] * 100}
    masters = [{"site": "wiki", "fpm": fpm, "pools": [{"pool": "wiki", "fpm": fpm}]}, {"site": "shop"}]
    kept = record("a", "answered", "t", {"phpops_opcache": {"available": True, "masters": masters}})
    short = {"active": 1}
    assert kept["facts"]["phpops_opcache"] == {
        "available": True,
        "masters": [{"site": "wiki", "fpm": short, "pools": [{"pool": "wiki", "fpm": short}]}, {"site": "shop"}],
    }


def test_a_record_keeps_no_secret_of_a_site() -> None:
    wrapper = {"environment": {"DB_PASSWORD": "hunter2"}, "ini": {"x": "hunter2"}}
    site = {"name": EVIL, "wrapper": wrapper, "php": {"method": "fcgid_wrapper", "findings": ["hunter2"]}}
    slot = {"name": "wiki", "spec": {"environment": {"A": "hunter2"}}, "live_slot": "blue", "lease": "hunter2"}
    facts = {
        "phpops_php_sites": {"available": True, "sites": [{**site, "php_values": [{"value": "hunter2"}]}]},
        "phpops_slot": {"available": True, "sites": [slot]},
        "phpops_oom": {"available": True, "events": [{"time": None, "processes": ["hunter2"]}]},
        "env": {"SECRET": "hunter2"},
    }
    kept = record("a", "answered", "t", facts)
    assert "hunter2" not in json.dumps(kept)
    assert kept["facts"]["phpops_php_sites"]["sites"][0]["name"] == EVIL
    assert kept["facts"]["phpops_slot"]["sites"] == [{"name": "wiki", "live_slot": "blue"}]


def test_a_record_outlives_json() -> None:
    for one in fleet():
        assert fleet_model([json.loads(json.dumps(one))]) == fleet_model([one])


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(SECTIONS), st.dictionaries(st.sampled_from(KEYS), JSON), max_size=4))
def test_odd_facts_never_end_the_report(facts: dict[str, Any]) -> None:
    for part in facts.values():
        part["available"] = True
    one = {"format": 1, "host": "a", "state": "answered", "time": "t", "facts": facts, "verdicts": []}
    assert "<h1>" in render(fleet_model([one], [one]))
