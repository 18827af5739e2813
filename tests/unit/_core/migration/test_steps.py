# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.steps import MIB, state


def spec(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "user": name, "php_version": "8.2", "process_manager": {"max_children": 4}, **more}


PLAN: dict[str, Any] = {
    "sites": [
        {"name": "a.example", "site": "a", "refused": None, "spec": spec("a"), "carried": [1, 2], "reported": ["Odd."]},
        {"name": "b.example", "site": "b", "refused": None, "spec": spec("b"), "carried": [], "reported": []},
        {"name": "c.example", "site": "c", "refused": None, "spec": spec("c"), "carried": [], "reported": []},
        {"name": "d.example", "site": "d", "refused": "It is odd.", "spec": {}, "carried": [], "reported": []},
    ],
    "specs": [spec("a"), spec("b", opcache={"opcache.memory_consumption": "64"}), spec("c")],
    "handlers": [{"site": "a"}, {"site": "b"}, {"site": "c"}],
    "refused": ["d.example: It is odd."],
    "migrated": [],
    "others": [],
}
SIZES: dict[str, Any] = {
    "summary": ["a: 16 MiB (compiled: long) opcache.use_cwd unset -> 1."],
    "sites": [
        {
            "name": "a",
            "source": "compiled",
            "reason": None,
            "warnings": ["Files may be missing."],
            "compiled": {"available": True, "scripts": 5469, "used_bytes": int(11.3 * MIB), "whole": True},
        },
        {
            "name": "b",
            "source": "compiled",
            "reason": None,
            "warnings": [],
            "compiled": {"available": True, "scripts": 3, "used_bytes": MIB, "whole": True},
        },
        {
            "name": "c",
            "source": "given",
            "reason": "No size is known.",
            "warnings": [],
            "compiled": {"available": False, "reason": "No PHP."},
        },
    ],
    "slots": [
        {"name": "a", "opcache": {"opcache.memory_consumption": "16", "opcache.use_cwd": "1"}},
        {"name": "b", "opcache": {"opcache.memory_consumption": "8", "opcache.use_cwd": "1"}},
    ],
    "budget": [{"name": "a", "segment_bytes": 16 * MIB, "jit_bytes": 5, "min_segment_bytes": 9}],
}


def test_sizes_are_joined_and_what_the_site_had_wins() -> None:
    found = state(PLAN, SIZES)
    assert found["specs"][0]["opcache"]["opcache.memory_consumption"] == "16"
    assert found["specs"][1]["opcache"] == {"opcache.memory_consumption": "64", "opcache.use_cwd": "1"}
    assert "opcache" not in found["specs"][2]
    assert found["budget"] == [
        {"name": "a", "segment_bytes": 16 * MIB, "jit_bytes": 5, "min_segment_bytes": 9, "user": "a",
         "php_version": "8.2", "max_children": 4},
        {"name": "b", "segment_bytes": 64 * MIB, "user": "b", "php_version": "8.2", "max_children": 4},
        {"name": "c", "segment_bytes": 128 * MIB, "user": "c", "php_version": "8.2", "max_children": 4},
    ]  # fmt: skip
    assert found["php_cgi_leaves"] is False
    assert state({**PLAN, "refused": []})["php_cgi_leaves"] is True
    assert state({**PLAN, "refused": [], "others": ["e"]})["php_cgi_leaves"] is False


def test_only_sites_that_started_are_handed_over() -> None:
    slots = {"sites": [{"name": "a"}, {"name": "b", "failed": True, "step": "ready", "msg": "No."}]}
    found = state(PLAN, SIZES, slots)
    assert found["ready"] == [{"site": "a"}]
    assert found["failed"] == ["b.example stays on php-cgi; it failed at the step ready: No."]


def test_the_report_tells_of_every_site() -> None:
    slots = {"sites": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}
    handlers = {
        "sites": [
            {"site": "a", "failed": False},
            {"site": "b", "failed": True, "step": "compare", "msg": "Other body."},
            {"site": "c", "failed": False},
        ],
        "reload": {
            "reloads": 2,
            "seconds": [0.5, 0.4],
            "idle_wait_seconds": 3,
            "busy_at_reload": 1,
            "warnings": ["W."],
        },
    }
    found = state({**PLAN, "migrated": ["c"]}, SIZES, slots, handlers)
    lines = found["report"]
    assert lines[:3] == [
        "a.example: PHP-FPM as a, OPcache 16 MiB (5,469 scripts compiled: 11.3 MiB; an upper bound),"
        " 2 settings carried.",
        "a.example: Files may be missing.",
        "a.example: Odd.",
    ]
    assert "unset" not in " ".join(lines)
    assert "c.example: runs by PHP-FPM already." in lines
    assert "d.example: not migrated. It is odd." in lines
    assert "b.example stays on php-cgi; it failed at the step compare: Other body." in lines
    assert any(line.startswith("Apache was reloaded 2 times (0.5, 0.4 s)") for line in lines)
    assert lines[-1] == "W."
    assert found["unwanted"] == [{"name": "b"}]
    assert state({**PLAN, "migrated": ["b"]}, SIZES, slots, handlers)["unwanted"] == []


@pytest.mark.parametrize(
    ("one", "own", "said"),
    [
        ({"scripts": 1, "used_bytes": MIB, "whole": False, "available": True}, {},
         "OPcache 16 MiB (1 script compiled: 1 MiB; not all of its files), no settings carried."),
        ({"available": False}, {"opcache.memory_consumption": "64"}, "OPcache 64 MiB as before, no settings carried."),
        ({"available": False}, {}, "OPcache 128 MiB (PHP's default: No size is known.), no settings carried."),
        ({"available": False}, {"opcache.enable": "0"}, "OPcache off as before, no settings carried."),
    ],
)  # fmt: skip
def test_the_sentence_of_a_site(one: dict[str, Any], own: dict[str, str], said: str) -> None:
    site = {**PLAN["sites"][2], "spec": spec("c", opcache=own)}
    plan = {**PLAN, "sites": [site], "specs": [site["spec"]]}
    sized = [{"name": "c", "opcache": {"opcache.memory_consumption": "16"}}] if one["available"] else []
    reason = None if one["available"] else "No size is known."
    sizes = {"slots": sized, "sites": [
        {"name": "c", "source": "compiled" if one["available"] else "given", "reason": reason, "warnings": [],
         "compiled": one}]}  # fmt: skip
    assert state(plan, sizes)["report"][0] == "c.example: PHP-FPM as c, " + said


WAY = {"action": "end_idle_php_cgi", "text": "End 3 idle php-cgi.", "fits": True, "php_cgi_ends_first": 3}


@pytest.mark.parametrize(
    ("budget", "count"),
    [
        ({"fits": True, "message": "It fits.", "ways_out": []}, 0),
        ({"fits": False, "message": "Short.", "ways_out": [WAY]}, 3),
        ({"fits": False, "message": "Short.", "ways_out": [{**WAY, "fits": False}]}, 0),
        ({"fits": False, "message": "Short.", "ways_out": [{**WAY, "action": "combined"}]}, 0),
    ],
)
def test_the_way_out_by_idle_php_cgi(budget: dict[str, Any], count: int) -> None:
    found = state(PLAN, budget=budget)
    assert found["php_cgi_to_end"] == count
    assert ("set fpm_migrate_end_idle_php_cgi to true" in found["refusal"]) is (count > 0)
    assert found["refusal"].startswith("Nothing was changed. " + budget["message"])


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        ({"ended": [7], "short": 0}, "1 idle php-cgi process was ended before the masters started;"),
        ({"ended": [7, 8], "short": 1}, "2 idle php-cgi processes were ended before the masters started, 1 fewer than"),
        ({"ended": [], "short": 1}, "No idle php-cgi process was ended before the masters started, 1 fewer than"),
    ],
)
def test_ended_php_cgi_are_told(ended: dict[str, Any], said: str) -> None:
    lines = [line for line in state(PLAN, ended=ended)["report"] if "idle php-cgi" in line]
    assert len(lines) == 1
    assert lines[0].startswith(said)
    assert lines[0].endswith("mod_fcgid starts new ones on demand.")
    assert not any("idle php-cgi" in line for line in state(PLAN, ended={"skipped": True})["report"])


def test_a_sentence_that_holds_for_several_sites_is_told_once() -> None:
    sites = [
        {**PLAN["sites"][0], "reported": ["Slow.", "Mine."]},
        {**PLAN["sites"][1], "reported": ["Slow."]},
        {**PLAN["sites"][2], "reported": ["Slow.", "Late."]},
        {**PLAN["sites"][3], "reported": ["Late."]},
    ]
    lines = state({**PLAN, "sites": sites})["report"]
    assert [line for line in lines if line.endswith((" Slow.", " Mine.", " Late."))] == [
        "a.example: Mine.",
        "c.example: Late.",
        "a.example, b.example, c.example: Slow.",
    ]


@pytest.mark.parametrize(("count", "said"), [(1, "once (0.5 s)"), (2, "2 times (0.5, 0.5 s)")])
def test_the_reload_is_told(count: int, said: str) -> None:
    reload = {"reloads": count, "seconds": [0.5] * count, "idle_wait_seconds": 3, "busy_at_reload": count}
    busy = "1 request was" if count == 1 else "2 requests were"
    assert state(PLAN, handlers={"reload": reload})["report"][-1] == (
        f"Apache was reloaded {said} after 3 s of waiting for idle php-cgi; {busy} in php-cgi then."
    )


def test_nothing_new_says_nothing_of_differences() -> None:
    plan = {**PLAN, "migrated": ["a", "b", "c"], "packages": []}
    assert not any("All sites that move" in line for line in state(plan)["report"])
    assert any("All sites that move" in line for line in state(PLAN)["report"])
