# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import lease as core
from hypothesis import given
from hypothesis import strategies as st

LEASE = core.begin("d1", "alice on control", "deploy", 1000.0, 60.0)


def test_a_lease_begins_with_its_first_step_and_ends_after_its_time() -> None:
    assert (LEASE.step, LEASE.steps, LEASE.expires) == ("lease", ("lease",), 1060.0)
    assert core.is_live(LEASE, 1059.9)
    assert not core.is_live(LEASE, 1060.0)
    assert not core.is_live(None, 0.0)


def test_a_renewed_lease_counts_anew_and_remembers_its_steps() -> None:
    later = core.renew(core.renew(LEASE, 1050.0, 60.0, "prime"), 1055.0, 30.0)
    assert (later.step, later.steps, later.started, later.renewed, later.expires) == (
        "prime",
        ("lease", "prime"),
        1000.0,
        1055.0,
        1085.0,
    )


def test_a_run_goes_on_when_it_makes_calls() -> None:
    once = core.call(LEASE, 1001.0, 60.0)
    assert (LEASE.calls, once.calls, once.renewed) == (1, 2, 1001.0)
    twice = core.call(once, 1002.0, 60.0)
    assert [core.goes_on(lease, "d1", 1) for lease in (LEASE, once, twice)] == [False, False, True]
    assert not core.goes_on(core.renew(twice, 1003.0, 1.0, "unlock"), "d1", 1)
    assert core.goes_on(LEASE, "d0", 1)


def test_a_clock_that_was_set_back_locks_nobody_out_for_longer_than_the_lease() -> None:
    assert core.left_seconds(LEASE, -1e9) == 60.0


@pytest.mark.parametrize(
    ("action", "said"), [("deploy", "deployed"), ("rollback", "rolled back"), ("roll", "rolled to a new master")]
)
def test_the_one_who_is_kept_out_reads_holder_action_step_and_seconds(action: str, said: str) -> None:
    lease = dataclasses.replace(LEASE, action=action, step="drain")
    text = core.held("wiki", lease, 1017.5)
    assert f"wiki is being {said} by alice on control (step drain, deploy d1, 43 s left" in text


def test_the_one_who_lost_the_lease_reads_who_has_it() -> None:
    text = core.lost("wiki", "d0", LEASE, 1001.0)
    assert "d0" in text
    assert "alice on control took over (deploy, step lease, deploy d1, 59 s left)" in text
    assert "start it again" in core.lost("wiki", "d0", None, 1001.0)


def test_a_holder_is_one_short_line() -> None:
    assert core.begin("d", "a\nb\x1b[2J  c", "roll", 0, 1).holder == "a?b?[2J c"
    assert len(core.begin("d", "x" * 500, "roll", 0, 1).holder) == 100
    assert core.begin("d", " ", "roll", 0, 1).holder == "unknown"


@pytest.mark.parametrize(
    ("deploy_id", "action", "seconds", "said"),
    [
        ("", "deploy", 60, "deploy_id ''"),
        ("a b", "deploy", 60, "deploy_id 'a b'"),
        ("../x", "deploy", 60, "deploy_id"),
        ("x" * 65, "deploy", 60, "deploy_id"),
        ("d", "destroy", 60, "'destroy'"),
        ("d", "deploy", 0.5, "0.5 seconds"),
        ("d", "deploy", float("inf"), "inf seconds"),
        ("d", "deploy", float("nan"), "nan seconds"),
    ],
)
def test_what_is_no_lease_is_refused_by_name(deploy_id: str, action: str, seconds: float, said: str) -> None:
    with pytest.raises(core.LeaseError, match=said.replace("(", r"\(")):
        core.begin(deploy_id, "alice", action, 0.0, seconds)


def test_what_was_written_is_read_back() -> None:
    lease = core.renew(LEASE, 1001.5, 60.0, "prime")
    assert core.parse(core.render(lease)) == lease


@given(st.text())
def test_no_text_crashes_the_reader(text: str) -> None:
    assert core.parse(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"deploy_id": "a"}',
        core.render(LEASE)[:-9],
        core.render(LEASE).replace("1060.0", "NaN"),
    ],
)
def test_what_is_no_whole_lease_is_none(text: str) -> None:
    assert core.parse(text) is None
