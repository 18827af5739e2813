# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load client must see every way in which a request can fail: zero failures mean nothing otherwise."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.phpops.webhost.tests.load.client import TICK_SECONDS, Event, Load, Result, read_switches


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        if self.path == "/cut":
            self.close_connection = True
        elif self.path == "/half":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"x")
            self.close_connection = True
        elif self.path == "/idle-closed":
            self.answer(200, b"main=R1")
            self.close_connection = True
        elif self.path == "/hung":
            time.sleep(0.5)
            self.close_connection = True
        else:
            time.sleep(0.01)
            self.answer(*{"/500": (500, b"no"), "/mixed": (200, b"main=R1 late=R2")}.get(self.path, (200, b"main=R1")))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, b"main=R1 late=R1")

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()


def run(url: str, path: str, **options: Any) -> Result:
    # Long enough for a busy machine, but where the server is to be too slow.
    load = Load(url, path, clients=2, timeout_seconds=0.2 if path == "/hung" else 10.0, **options).start()
    time.sleep(0.5)
    return load.stop()


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/cut", "cut"), ("/half", "cut"), ("/hung", "hung"), ("/500", "wrong_status"), ("/mixed", "mixed")],
)
def test_every_failure_is_counted_as_what_it_is(url: str, path: str, kind: str) -> None:
    result = run(url, path)
    assert result.sent == result.failed == getattr(result, kind) > 0


def test_good_answers_are_kept_over_one_connection_each(url: str) -> None:
    result = run(url, "/", post="/post")
    assert result.ok == result.sent > 10
    assert (result.failed, result.connections) == (0, 2)
    assert set(result.releases) == {"R1"}
    assert 0 < result.percentile(0.5) <= result.percentile(0.99) <= max(result.latencies)
    assert result.posted == result.acknowledged


def test_a_connection_closed_while_idle_is_no_lost_request(url: str) -> None:
    result = run(url, "/idle-closed", pause_seconds=0.1)
    assert (result.failed, result.ok) == (0, result.sent)
    assert result.connections == result.sent > 2


@pytest.mark.parametrize(
    ("path", "outcome", "releases"),
    [("/", "ok", ["R1"]), ("/mixed", "mixed", ["R1", "R2"]), ("/500", "500", []), ("/hung", "hung", [])],
)
def test_recorded_events_say_when_and_how_each_request_ended(
    url: str, path: str, outcome: str, releases: list[str]
) -> None:
    begun = time.time()
    result = run(url, path, record=True)
    assert len(result.events) == result.sent > 0
    assert {(event.outcome, *event.releases) for event in result.events} == {(outcome, *releases)}
    assert all(begun <= event.sent <= event.sent + event.seconds <= time.time() for event in result.events)
    assert run(url, path).events == []


def test_a_pause_keeps_the_clients_quiet(url: str) -> None:
    assert run(url, "/", pause_seconds=0.3).sent <= 4


def test_lost_doubled_and_unacknowledged_posts() -> None:
    result = Result(posted={"a", "b", "c", "d"}, acknowledged={"a", "b", "c"})
    assert result.posts("a\nb\nb\nd\nother\n") == {"lost": ["c"], "doubled": ["b"], "unacknowledged": ["d"]}


SWITCHES = read_switches("100.0 R1\n\n200.5 R2\n300.0 R1\n")


@pytest.mark.parametrize(
    ("begun", "ended", "release", "stale"),
    [
        (99.0, 99.5, "R0", 0),
        (99.0, 100.5, "R1", 0),
        (101.0, 101.5, "R1", 0),
        (101.0, 101.5, "R0", 1),
        (101.0, 101.5, "R2", 1),
        # In flight across the switch, it may come from either side, but from no third release.
        (200.0, 201.0, "R1", 0),
        (200.0, 201.0, "R2", 0),
        (200.0, 201.0, "R3", 1),
        # Begun after the switch: the file's time may be a tick early, no more.
        (200.5 + TICK_SECONDS / 2, 201.0, "R1", 0),
        (200.5 + TICK_SECONDS * 2, 201.0, "R1", 1),
        # A release that is live again is not stale.
        (301.0, 302.0, "R1", 0),
        (301.0, 302.0, "R2", 1),
        (150.0, 301.0, "R2", 0),
    ],
)
def test_an_answer_is_stale_when_its_release_was_not_live_while_it_was_asked(
    begun: float, ended: float, release: str, stale: int
) -> None:
    result = Result(events=[Event(begun, ended - begun, "ok", [release])])
    assert result.stale(SWITCHES) == stale


def test_nothing_is_stale_without_a_switch() -> None:
    assert Result(events=[Event(1.0, 1.0, "ok", ["R1"])]).stale([]) == 0


def test_what_the_load_recorded_tells_what_is_stale(url: str) -> None:
    before = time.time()
    result = run(url, "/", post="/post", record=True)
    assert result.stale([(before - 1, "R1")]) == 0
    assert result.stale([(before - 1, "R2")]) == result.ok > 10


def test_an_answer_of_two_releases_is_mixed_and_not_stale(url: str) -> None:
    assert run(url, "/mixed", record=True).stale([(0.0, "R3")]) == 0
