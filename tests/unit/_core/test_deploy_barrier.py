# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.deploy_barrier import State, decide

WEB = ["web1", "web2", "web3"]
FINE = {host: State(release="r1") for host in WEB}


def test_all_go_on_when_none_failed() -> None:
    verdict = decide(WEB, WEB, FINE, 0)
    assert (verdict.go, verdict.stopped, verdict.msg) == (True, {}, "")


def test_one_that_failed_stops_all_and_is_named() -> None:
    verdict = decide(WEB, WEB, {**FINE, "web2": State("the disk is full.")}, 0)
    assert not verdict.go
    assert verdict.stopped["web2"] == "The disk is full."
    assert verdict.stopped["web1"] == "Stopped because 1 of 3 hosts failed: web2: the disk is full."
    assert sorted(verdict.stopped) == WEB


def test_a_single_host_reads_its_own_sentence() -> None:
    assert decide(["web1"], ["web1"], {"web1": State("It broke.")}, 0).stopped == {"web1": "It broke."}


def test_one_that_cannot_be_reached_counts() -> None:
    verdict = decide(WEB, ["web1", "web3"], FINE, 0)
    assert not verdict.go
    assert "web2: it can't be reached any more." in verdict.stopped["web1"]


def test_one_that_never_said_anything_counts() -> None:
    verdict = decide(["web1", "web2"], ["web1", "web2"], {"web1": State()}, 0)
    assert "linear" in verdict.stopped["web1"]


@pytest.mark.parametrize(
    ("failed", "percentage", "go"),
    [(0, 0, True), (1, 0, False), (1, 33, False), (1, 33.4, True), (1, 34, True), (2, 50, False), (2, 67, True)],
)
def test_a_tolerated_share_stops_only_those_that_failed(failed: int, percentage: float, go: bool) -> None:
    states = {**FINE, **{host: State("it broke") for host in WEB[:failed]}}
    verdict = decide(WEB, WEB, states, percentage)
    assert verdict.go is go
    assert len(verdict.stopped) == (failed if go else 3)
    if not go and percentage:
        assert f"deploy_max_fail_percentage is {percentage:g}" in verdict.msg


def test_it_is_the_comparison_of_ansible() -> None:
    hosts = [f"web{number}" for number in range(10)]
    states = {host: State("x" if number < 3 else "") for number, host in enumerate(hosts)}
    assert decide(hosts, hosts, states, 30).go
    assert not decide(hosts, hosts, states, 29).go


def test_different_releases_stop_all() -> None:
    verdict = decide(WEB, WEB, {**FINE, "web3": State(release="r2")}, 50)
    assert not verdict.go
    assert "r1 on web1 and web2, r2 on web3" in verdict.msg
    assert sorted(verdict.stopped) == WEB


def test_a_release_of_one_that_failed_does_not_count() -> None:
    assert decide(WEB, WEB, {**FINE, "web3": State("it broke", "r2")}, 50).go


def test_not_all_of_many_are_named() -> None:
    hosts = [f"web{number}" for number in range(9)]
    verdict = decide(hosts, hosts, {host: State("it broke") for host in hosts}, 0)
    assert verdict.msg.endswith("And 6 more.")
