# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.prime_cache import Figures
from ansible_collections.phpops.webhost.plugins.module_utils._core.prime_state import (
    Asked,
    CarryError,
    begin,
    progress,
    report,
    resume,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import EntryPoint
from hypothesis import given
from hypothesis import strategies as st

ENTRIES = [EntryPoint(path="/a.php"), EntryPoint(path="/b.php", query="x=1", method="POST")]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def test_what_is_carried_comes_back_through_json() -> None:
    state = begin(ENTRIES, "/s", "/w")
    state.round, state.next, state.seconds, state.requests, state.probes = 3, 1, 6.25, 5, 3
    state.first, state.last = Figures(scripts=1), Figures(scripts=412, keys=500, segment_bytes=None)
    state.asked[0] = Asked(200, 0.4, 0.03, 3)
    assert resume(json.loads(json.dumps(state.carry())), ENTRIES, "/s", "/w") == state
    assert len(json.dumps(state.carry())) < 2000


@pytest.mark.parametrize(
    ("entries", "socket", "root"),
    [(ENTRIES[:1], "/s", "/w"), (ENTRIES, "/t", "/w"), (ENTRIES, "/s", "/v")],
)
def test_another_primings_carry_is_refused(entries: list[EntryPoint], socket: str, root: str) -> None:
    carry = begin(ENTRIES, "/s", "/w").carry()
    with pytest.raises(CarryError, match="have changed since it began"):
        resume(carry, entries, socket, root)


@given(st.dictionaries(st.sampled_from(["asked", "round", "next", "first", "last", "seconds", "odd"]), JSON))
def test_no_carry_crashes(changes: dict[str, Any]) -> None:
    carry = {**begin(ENTRIES, "/s", "/w").carry(), **changes}
    try:
        resume(carry, ENTRIES, "/s", "/w")
    except CarryError as error:
        assert str(error).endswith(".")


def test_progress_says_how_long_which_round_and_what_is_waited_for() -> None:
    state = begin(ENTRIES, "/s", "/w")
    assert progress(state, ENTRIES, "wiki") == "wiki: priming 0 s, round 1, waiting for /a.php"
    state.seconds, state.round, state.next, state.last = 36.4, 3, 1, Figures(scripts=412)
    state.asked[1] = Asked(200, 31.0, 30.04, 2)
    expected = "wiki: priming 36 s, round 3, 412 scripts, waiting for /b.php?x=1, which took 30.0 s before"
    assert progress(state, ENTRIES, "wiki") == expected


def test_without_figures_the_cache_is_null() -> None:
    told = report(begin(ENTRIES, "/s", "/w"), ENTRIES, "/w")
    for key in (
        "scripts",
        "cached_keys",
        "max_keys",
        "used_bytes",
        "free_bytes",
        "wasted_bytes",
        "segment_bytes",
        "stable",
    ):
        assert told[key] is None
    assert told["entry_points"][1] == {
        "path": "/b.php",
        "query": "x=1",
        "method": "POST",
        "status": None,
        "first_seconds": None,
        "last_seconds": None,
        "requests": 0,
        "msg": "",
    }


def test_a_long_url_is_cut_for_the_terminal() -> None:
    assert progress(
        begin([EntryPoint(path="/" + "a" * 99)], "/s", "/w"), [EntryPoint(path="/" + "a" * 99)], "w"
    ).endswith("waiting for /" + "a" * 58 + "…")
