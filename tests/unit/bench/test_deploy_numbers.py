# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark's numbers count what they say."""

from __future__ import annotations

from ansible_collections.phpops.webhost.tests.bench.deploy_numbers import Window, ratios, table, under_load

QUIET, DEPLOY, ROLLBACK = Window(0, 10), Window(20, 24, "R1"), Window(30, 32, "R2")
EVENTS = [
    # When it was sent, how long it took, how it ended, which releases answered.
    (5.0, 0.1, "ok", ["R1"]),
    (19.9, 0.4, "ok", ["R1"]),
    (21.0, 0.2, "cut", []),
    (22.0, 0.3, "mixed", ["R1", "R2"]),
    (22.5, 0.5, "ok", ["R2"]),
    (25.0, 0.1, "ok", ["R1"]),
    (26.0, 0.1, "ok", ["R2"]),
    (31.0, 0.7, "503", []),
    (31.5, 0.2, "ok", ["R1"]),
    (33.0, 0.1, "ok", ["R2"]),
]


def test_failures_belong_to_the_deploy_or_to_the_rollback():
    found = under_load(EVENTS, QUIET, DEPLOY, ROLLBACK)
    assert {key: found[key] for key in ("requests", "failed_deploy", "failed_rollback", "mixed", "stale")} == {
        "requests": 10,
        "failed_deploy": 1,
        "failed_rollback": 1,
        "mixed": 1,
        "stale": 2,
    }


def test_latencies_are_of_what_was_in_flight_and_answered():
    found = under_load(EVENTS, QUIET, DEPLOY, ROLLBACK)
    assert (found["p99_quiet"], found["max_quiet"]) == (0.1, 0.1)
    assert found["p99_deploy"] == found["max_deploy"] == 0.5
    assert found["max_rollback"] == 0.2
    assert (found["wall_deploy_loaded"], found["wall_rollback_loaded"]) == (4, 2)


def test_the_switch_is_where_the_new_release_answered_first():
    only_late = [(19.0, 0.9, "ok", ["R1"]), (23.0, 0.4, "ok", ["R2"]), (27.0, 0.6, "ok", ["R2"])]
    assert under_load(only_late, QUIET, DEPLOY, ROLLBACK)["p99_switch"] == 0.4


def test_ratios_are_of_one_round_and_need_what_they_divide_by():
    numbers = {"p99_quiet": 0.1, "p99_deploy": 0.15, "p99_switch": 0.2, "first": 0.3, "warm": 0.0}
    found = ratios({**numbers, "wall_deploy": 5.0, "drain": 2.0})
    assert round(found["p99_ratio"], 6) == 1.5
    assert "first_ratio" not in found
    assert found["beyond_drain"] == 3.0


def test_the_table_sums_counts_takes_medians_and_leaves_out_what_nobody_has():
    rounds = [{"requests": 1200, "warm": seconds, "first": seconds} for seconds in (0.1, 0.2, 0.9)]
    text = table({"usual": rounds, "ours": [{"requests": 1}]})
    assert text.splitlines()[0].split() == ["usual", "ours"]
    cells = {line[:46].strip(): line[46:].split() for line in text.splitlines()[1:]}
    assert cells["requests, all rounds"] == ["3,600", "1"]
    assert cells["a warm one"] == ["200", "ms", "-"]
    assert cells["first against warm (goal 2)"] == ["1.00", "-"]
    assert "mixed answers" not in cells
