# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import lease as core
from hypothesis import given
from hypothesis import strategies as st


def at(seconds: float, back: float = 0.0) -> core.Now:
    """Return the host's clocks ``seconds`` after the epoch of these tests, with the wall's set back."""
    return core.Now(seconds - back, seconds)


LEASE = core.begin("d1", "alice on control", "deploy", at(1000.0), 60.0)


def test_a_lease_begins_with_its_first_step_and_ends_after_its_time() -> None:
    assert (LEASE.step, LEASE.steps, LEASE.expires) == ("lease", ("lease",), 1060.0)
    assert core.is_live(LEASE, at(1059.9))
    assert not core.is_live(LEASE, at(1060.0))
    assert not core.is_live(None, at(0.0))


def test_a_renewed_lease_counts_anew_and_remembers_its_steps() -> None:
    later = core.renew(core.renew(LEASE, at(1050.0), 60.0, "prime"), at(1055.0), 30.0)
    assert (later.step, later.steps, later.started, later.renewed, later.expires) == (
        "prime",
        ("lease", "prime"),
        1000.0,
        1055.0,
        1085.0,
    )


def test_a_run_goes_on_when_it_makes_calls() -> None:
    once = core.call(LEASE, at(1001.0), 60.0)
    assert (LEASE.calls, once.calls, once.renewed) == (1, 2, 1001.0)
    twice = core.call(once, at(1002.0), 60.0)
    assert [core.goes_on(lease, "d1", 1) for lease in (LEASE, once, twice)] == [False, False, True]
    assert not core.goes_on(core.renew(twice, at(1003.0), 1.0, "unlock"), "d1", 1)
    assert core.goes_on(LEASE, "d0", 1)


@pytest.mark.parametrize("back", [3 * 3600.0, -3 * 3600.0])
def test_a_clock_that_was_set_changes_nothing(back: float) -> None:
    assert core.left_seconds(LEASE, at(1020.0, back)) == 40.0
    assert not core.is_live(LEASE, at(1061.0, back))


def test_a_lease_of_an_earlier_boot_is_none() -> None:
    assert not core.is_live(LEASE, at(999.0))


@pytest.mark.parametrize(
    ("action", "said"), [("deploy", "deployed"), ("rollback", "rolled back"), ("roll", "rolled to a new master")]
)
def test_the_one_who_is_kept_out_reads_holder_action_step_and_seconds(action: str, said: str) -> None:
    lease = dataclasses.replace(LEASE, action=action, step="drain")
    text = core.held("wiki", lease, at(1017.5))
    assert f"wiki is being {said} by alice on control (step drain, deploy d1, 43 s left" in text


def test_the_one_who_lost_the_lease_reads_who_has_it() -> None:
    text = core.lost("wiki", "d0", LEASE, at(1001.0))
    assert "d0" in text
    assert "alice on control took over (deploy, step lease, deploy d1, 59 s left)" in text
    assert "start it again" in core.lost("wiki", "d0", None, at(1001.0))


def test_a_holder_is_one_short_line() -> None:
    assert core.begin("d", "a\nb\x1b[2J  c", "roll", at(0), 1).holder == "a?b?[2J c"
    assert len(core.begin("d", "x" * 500, "roll", at(0), 1).holder) == 100
    assert core.begin("d", " ", "roll", at(0), 1).holder == "unknown"


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
        core.begin(deploy_id, "alice", action, at(0.0), seconds)


def test_what_was_written_is_read_back() -> None:
    lease = core.renew(LEASE, at(1001.5), 60.0, "prime")
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
