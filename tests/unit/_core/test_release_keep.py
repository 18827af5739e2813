# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases stay and why, and which old assets go along."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.release import Record
from ansible_collections.phpops.webhost.plugins.module_utils._core.release_keep import (
    Chain,
    Use,
    plan_assets,
    plan_prune,
)

IDS = [f"r{number}" for number in range(1, 8)]


def records(**assets: list[str]) -> dict[str, Record]:
    """Return seven releases, r1 built at second 1 and so on."""
    return {
        name: Record(name, "wiki", name, "", {}, "", 1, 1, float(name[1:]), 0.0, tuple(assets.get(name, ())))
        for name in IDS
    }


def prune(**changes: Any) -> tuple[dict[str, str], list[str]]:
    arguments: dict[str, Any] = {
        **{"there": IDS, "records": records(), "chain": Chain("r6", ("r1", "r2", "r3", "r4", "r5")), "keep": 2},
        **{"references": {}, "uses": {}, "early": (), "mounts": {}, **changes},
    }
    kept, gone = plan_prune(**arguments)
    return {one.id: one.why for one in kept}, gone


def test_the_live_one_and_those_before_it_stay() -> None:
    kept, gone = prune()
    assert kept == {"r6": "live", "r4": "one of the last 2 that were live", "r5": "one of the last 2 that were live"}
    assert gone == ["r1", "r2", "r3", "r7"]


@pytest.mark.parametrize(
    ("changes", "name", "why"),
    [
        ({"references": {"r1": "slot green of site shop names it"}}, "r1", "slot green of site shop names it"),
        ({"uses": {"r2": [Use(7, "php", "cwd")]}}, "r2", "process 7 (php) uses it: cwd"),
        ({"uses": {"r2": [Use(7, "a", "fd"), Use(8, "b", "fd")]}}, "r2", "process 7 (a) and 1 more uses it: fd"),
        ({"mounts": {"r3": "/srv/r3/x"}}, "r3", "/srv/r3/x is a mount point"),
        ({"there": [*IDS, "mine"]}, "mine", "not built by this module"),
        # Started by the stable path at second 2: what it runs was built by then.
        ({"early": [Use(9, "cron", "by the live path", 2.0)]}, "r2", "process 9 (cron) uses it: by the live path"),
    ],
)
def test_what_is_used_stays_with_its_reason(changes: dict[str, Any], name: str, why: str) -> None:
    kept, gone = prune(**changes)
    assert kept[name] == why
    assert name not in gone
    assert "r7" in gone


def test_a_process_holds_nothing_that_was_built_after_it_began() -> None:
    assert prune(early=[Use(9, "cron", "", 2.0)])[1] == ["r3", "r7"]


def test_keep_0_leaves_the_live_one() -> None:
    assert list(prune(keep=0)[0]) == ["r6"]


def test_without_a_live_release_the_newest_stay() -> None:
    kept, gone = prune(chain=Chain())
    assert list(kept) == ["r6", "r7"]
    assert gone == ["r1", "r2", "r3", "r4", "r5"]


def test_assets_of_the_last_releases_are_carried_and_no_others() -> None:
    found = records(r3=["js/3.js"], r4=["js/4.js", "js/same.js"], r5=["js/5.js", "js/same.js"], r6=["js/6.js"])
    plan = plan_assets({"js/6.js", "js/new.js"}, found, Chain("r6", ("r3", "r4", "r5")), 2)
    assert plan == {
        "js/5.js": ["r5", "r6", "r4"],
        "js/same.js": ["r5", "r6", "r4"],
        "js/4.js": ["r4", "r6", "r5"],
    }


def test_a_release_that_was_live_twice_counts_once() -> None:
    assert Chain("r2", ("r1", "r2", "r1")).last(3) == ("r2", "r1")


def test_without_a_live_release_nothing_is_carried() -> None:
    assert plan_assets(set(), records(r1=["a"]), Chain(), 5) == {}
