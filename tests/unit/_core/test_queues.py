# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.queues import (
    Quiet,
    accept_queues,
    pool_status,
)
from hypothesis import given
from hypothesis import strategies as st

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "slot"


def test_the_queues_of_a_real_host() -> None:
    queues = accept_queues((FIXTURES / "ss-xlnH.txt").read_text())
    assert queues["/run/phpops/app-blue/php.sock"] == 8
    assert queues["/run/phpops/app-blue/status.sock"] == 0
    assert len(queues) == sum(1 for line in (FIXTURES / "ss-xlnH.txt").read_text().splitlines() if "LISTEN" in line)


@pytest.mark.parametrize("text", ["", "Netid State Recv-Q", "u_str LISTEN x 5 /a 1 * 0", "u_str ESTAB 1 0 /a 1 * 2"])
def test_other_lines_are_no_queues(text: str) -> None:
    assert accept_queues(text) == {}


def test_the_status_of_a_real_pool() -> None:
    status = pool_status((FIXTURES / "fpm-status.json").read_text())
    assert (status.active, status.total) == (4, 4)
    assert [worker.script.rsplit("/", 1)[1] for worker in status.workers] == ["slow.php"] * 4
    assert all(0.5 < worker.seconds < 10 and worker.pid > 1 for worker in status.workers)


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "File not found.\n", '{"active processes": "x"}', '{"processes": 1}']
)
def test_what_is_no_status_page(text: str) -> None:
    with pytest.raises(ValueError, match="no FPM status page"):
        pool_status(text)


def status_of(processes: list[dict[str, object]]) -> str:
    counters = {"active processes": 1, "total processes": 1, "accepted conn": 1}
    return json.dumps({**counters, "processes": processes})


def test_a_script_is_shown_as_one_short_line_whatever_the_site_says() -> None:
    (worker,) = pool_status(status_of([{"pid": 7, "script": "/a\x1b[2J\r\n" + "b" * 999}])).workers
    assert worker.script.startswith("/a?[2J??bbb") and len(worker.script) == 200


@pytest.mark.parametrize("state", ["Running", "Ending", "Finishing", "Reading headers"])
def test_a_worker_that_goes_on_after_its_answer_is_named(state: str) -> None:
    """FPM says Finishing after fastcgi_finish_request() and in shutdown functions (tried on 8.2)."""
    page = status_of([{"pid": 7, "script": "/mail.php", "state": state}, {"pid": 8, "state": "Idle"}])
    assert [worker.script for worker in pool_status(page).workers] == ["/mail.php"]


def test_more_workers_than_a_pool_can_have_are_no_status() -> None:
    with pytest.raises(ValueError, match="no FPM status page"):
        pool_status(status_of([{"pid": 7}] * 10001))


@given(st.text(max_size=200))
def test_any_text_never_crashes(text: str) -> None:
    accept_queues(text)
    with contextlib.suppress(ValueError):
        pool_status(text)


def test_quiet_is_two_looks_in_a_row() -> None:
    quiet = Quiet()
    looks = [(0, 0), (1, 0), (0, 0), (0, 1), (0, 0), (0, 0)]
    assert [quiet.look(*look) for look in looks] == [False, False, False, False, False, True]
