# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.fpm_status import (
    StatusPageError,
    load,
    parse_page,
    seconds_of,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.queues import pool_status
from hypothesis import given
from hypothesis import strategies as st

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
SAMPLES = FIXTURES / "samples" / "fpmstatus"


def text_of(name: str) -> str:
    return (SAMPLES / name).read_text(encoding="utf-8")


COUNTS = ("pool", "process_manager", "accepted", "idle", "active", "total", "listen_queue", "slow_requests")
PAGES: list[tuple[str, tuple[Any, ...], int | None, int]] = [
    ("01-netdata-status-text.txt", ("www", "dynamic", 19, 1, 1, 2, 0, 0), 0, 0),
    ("02-netdata-status-full-text-duration-underflow.txt", ("www", "dynamic", 20, 1, 1, 2, 0, 0), 0, 3),
    ("03-netdata-status-full-json.txt", ("www", "dynamic", 22, 1, 1, 2, 0, 0), 0, 3),
    ("04-telegraf-json-full-static-10procs.txt", ("www", "static", 3879, 9, 1, 10, 0, 0), 0, 10),
    ("05-telegraf-text-maxchildren2-slow1.txt", ("www", "dynamic", 3, 1, 1, 2, 1, 1), 2, 0),
    ("06-hipages-json-UNESCAPED-quotes-in-uri.txt", ("www", "dynamic", 1577112, 16, 1, 17, 0, 0), 0, 2),
    ("07-hipages-json-issue10-duration-underflow.txt", ("www", "dynamic", 44144, 1, 1, 2, 0, 0), 0, 2),
]
OTHERS = {
    "10-phpsrc5723-openmetrics-dev-buggy.txt": "a page of metrics",
    "11-exporter-prometheus-labels-not-native.txt": "a page of metrics",
}


def test_each_sample_is_tried() -> None:
    assert sorted(path.name for path in SAMPLES.iterdir()) == sorted([*[page[0] for page in PAGES], *OTHERS])


@pytest.mark.parametrize(("name", "counts", "reached", "workers"), PAGES)
def test_a_page_as_fpm_sent_it(name: str, counts: tuple[Any, ...], reached: int | None, workers: int) -> None:
    page = parse_page(text_of(name))
    assert tuple(page[key] for key in COUNTS) == counts
    assert (page["max_children_reached"], len(page["workers"])) == (reached, workers)
    assert all(worker["pid"] and worker["state"] in ("Idle", "Running") for worker in page["workers"])


@pytest.mark.parametrize(("name", "said"), OTHERS.items())
def test_metrics_are_named_as_such(name: str, said: str) -> None:
    with pytest.raises(StatusPageError, match=said):
        parse_page(text_of(name))


@pytest.mark.parametrize(
    ("name", "pid"),
    [
        ("02-netdata-status-full-text-duration-underflow.txt", 67860),
        ("03-netdata-status-full-json.txt", 67860),
        ("07-hipages-json-issue10-duration-underflow.txt", 24),
    ],
)
def test_a_duration_below_zero_is_none(name: str, pid: int) -> None:
    (worker,) = [one for one in parse_page(text_of(name))["workers"] if one["pid"] == pid]
    assert worker["request_seconds"] == 0.0


def test_unescaped_quotes_lose_no_number() -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(text_of("06-hipages-json-UNESCAPED-quotes-in-uri.txt"))
    raw = load(text_of("06-hipages-json-UNESCAPED-quotes-in-uri.txt"))
    assert raw["processes"][0]["request uri"].endswith('%3Becho%20""%20%3B%20id%00')
    assert raw["processes"][0]["script"] == "/www/forum.example.com/vbseo.php"
    worker = parse_page(text_of("06-hipages-json-UNESCAPED-quotes-in-uri.txt"))["workers"][0]
    assert (worker["pid"], worker["requests"], worker["last_request_bytes"]) == (15873, 853, 786432)


@pytest.mark.parametrize("field", ["request method", "request uri", "user", "script"])
@pytest.mark.parametrize("value", ['a"b', 'a\\b"', '"', 'a", "b', "a\tb"])
def test_what_a_client_sends_unescaped_is_read_back(field: str, value: str) -> None:
    page = json.loads((FIXTURES / "slot" / "fpm-status.json").read_text(encoding="utf-8"))
    page["processes"][0][field] = "MARK"
    assert load(json.dumps(page).replace("MARK", value))["processes"][0][field] == value


def test_a_drain_survives_such_a_page() -> None:
    status = pool_status(text_of("06-hipages-json-UNESCAPED-quotes-in-uri.txt"))
    assert (status.active, status.total, status.workers) == (1, 17, [])
    (worker,) = pool_status(text_of("07-hipages-json-issue10-duration-underflow.txt")).workers
    assert (worker.pid, worker.seconds) == (24, 0.0)


def test_a_captured_page_of_today() -> None:
    page = parse_page((FIXTURES / "slot" / "fpm-status.json").read_text(encoding="utf-8"))
    assert (page["active"], page["total"], len(page["workers"])) == (4, 4, 4)


@pytest.mark.parametrize(("peak", "told"), [({}, None), ({"memory peak": 2097152}, 2097152)])
def test_the_memory_peak_is_there_from_php_8_4_on(peak: dict[str, int], told: int | None) -> None:
    page = {"pool": "www", "accepted conn": 1, "active processes": 1, "total processes": 1}
    assert parse_page(json.dumps({**page, **peak}))["memory_peak_bytes"] == told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "an empty text"),
        ("<!DOCTYPE html>", "HTML or XML"),
        ("File not found.\n", "text of another kind"),
        ("[]", "text of another kind"),
        ("pool: www\n", "has no 'accepted conn'"),
        ("{}", "has no 'pool'"),
        ("[" * 100000, "text of another kind"),
    ],
)
def test_what_is_no_page(text: str, said: str) -> None:
    with pytest.raises(StatusPageError, match=said):
        parse_page(text)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(1500000, 1.5), (2**64 - 389, 0.0), (-5, 0.0), ("536", 0.001), (None, 0.0), ("x", 0.0), (True, 0.0)],
)
def test_seconds(value: object, seconds: float) -> None:
    assert seconds_of(value) == seconds


def test_a_page_made_to_be_slow_is_read_in_time() -> None:
    with contextlib.suppress(StatusPageError):
        parse_page('{"pool":' + '"user":"' * 20000)


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda data: data.decode("utf-8", "replace")))
def test_any_text_never_crashes(text: str) -> None:
    for page in (text, '{"pool":"a","processes":[{"user":"' + text + '","script":"'):
        try:
            parse_page(page)
        except StatusPageError as error:
            assert str(error)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
)


@given(JSON, JSON, JSON)
def test_any_json_never_crashes(count: Any, worker: Any, processes: Any) -> None:
    page = {"pool": count, "accepted conn": count, "active processes": count, "total processes": count}
    for listed in (processes, [worker, {"pid": worker, "request duration": worker, "script": worker}]):
        found = parse_page(json.dumps({**page, "processes": listed}))
        assert isinstance(found["workers"], list)
