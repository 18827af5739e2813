# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any, Callable

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import TABLE, judge
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import Thresholds
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.text import render_text
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.all_cases import FIRES_OF, QUIETS_OF, module_of
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.facts_fixture import QUIET, counters, php_cgi
from hypothesis import given
from hypothesis import strategies as st

KEYS = (
    *("available", "groups", "limits", "tmpfs", "sites", "containers", "resources", "shmpages", "numproc", "kind"),
    *("masters", "fpm", "growth", "seconds", "bytes", "fragmentation", "blocks", "zone", "trigger", "order"),
    *("events", "config", "jit", "site", "slot", "spec", "opcache", "release", "live_slot", "php_files"),
    *("web_findings", "line", "memory_bytes", "free_bytes", "users", "opcode_caches", "temp_folders", "fstype"),
    *("units", "result", "reason", "pools", "processes", "dentry", "shm_errors", "php", "reasons", "failcnt"),
    *("used_ratio", "held", "ceiling"),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    ),
    max_leaves=20,
)


def test_every_verdict_has_a_case_that_fires_it_and_one_that_does_not() -> None:
    fired = {(module, case[0]) for module, cases in FIRES_OF.items() for case in cases}
    assert fired == {(module, case[0]) for module, cases in QUIETS_OF.items() for case in cases}


@pytest.mark.parametrize("rule", TABLE, ids=lambda rule: str(rule.__name__))
def test_every_rule_fires_in_a_case_of_its_module(rule: Callable[[Any, Thresholds], list[Any]]) -> None:
    assert any(rule(case[2], Thresholds()) for case in FIRES_OF[module_of(rule)])


def test_a_quiet_host_has_no_verdict() -> None:
    assert judge(QUIET) == []
    assert render_text("web1", []) == "web1: no problem found."


def test_nothing_gathered_is_never_taken_for_healthy() -> None:
    assert [verdict["code"] for verdict in judge({})] == ["facts_unavailable"] * 9


def test_the_worst_come_first() -> None:
    found = {**php_cgi(11, 11), **counters("shmpages 99 99 99 99 9", "numproc 99 99 99 99 0")}
    found["phpops_shm"] = php_cgi(11, 11)["phpops_shm"]
    del found["phpops_slab"]
    assert [(verdict["severity"], verdict["code"]) for verdict in judge(found)] == [
        ("critical", "shmpages_failing"),
        ("warning", "opcache_segment_per_process"),
        ("warning", "beancounter_near_limit"),
        ("info", "facts_unavailable"),
    ]


@given(
    st.dictionaries(st.sampled_from(sorted(QUIET)), JSON, max_size=5),
    st.dictionaries(st.sampled_from(KEYS), JSON, max_size=9),
)
def test_facts_of_any_shape_give_verdicts_that_can_be_shown(found: dict[str, Any], part: dict[str, Any]) -> None:
    whole = {key: {**part, "available": True} for key in QUIET}
    text = render_text("web1", judge(json.loads(json.dumps({**whole, **found}))))
    assert text.startswith("web1: ")
