# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.prime_cache import Marks
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import EntryPoint, build
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_prime
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_prime import (
    Bounds,
    PrimeFailed,
    Primer,
    Target,
    prime,
    script_root,
    token_of,
)
from ansible_collections.phpops.webhost.tests.unit._host.played_pool import Page, Pool, served
from hypothesis import given
from hypothesis import strategies as st


def run(pool: Pool, folder: Path | None, *paths: str, carry: dict[str, Any] | None = None, **bounds: Any) -> Any:
    """Prime a played pool; each path is an entry point."""
    target = Target("wiki", "/run/x.sock", "/w", [str(folder)] if folder else [], os.getgid())
    return Primer(target, [EntryPoint(path=path) for path in paths], Bounds(**bounds), pool.request).run(carry)


def growing(rounds: int) -> Page:
    """A page that loads a further file in each of its first requests."""
    return Page(files=lambda n: [f"/{number}.inc" for number in range(min(n, rounds))])


def test_rounds_go_on_until_the_cache_grows_no_more(tmp_path: Path) -> None:
    pool = Pool({"/a.php": growing(3), "/b.php": Page()})
    result = run(pool, tmp_path, "/a.php", "/b.php")
    assert (result["rounds"], result["requests"], result["stable"]) == (4, 8, True)
    assert (result["scripts"], result["cached_keys"], result["restarts"], result["cache_full"]) == (5, 5, 0, False)
    assert (result["pending"], result["progress"], result["carry"], result["msg"]) == (False, "", {}, "")
    assert [entry["requests"] for entry in result["entry_points"]] == [4, 4]


@pytest.mark.parametrize("looks_at_times", [True, False])
def test_the_probe_is_no_growth_and_leaves_one_key_at_most(tmp_path: Path, looks_at_times: bool) -> None:
    pool = Pool({"/a.php": growing(5)}, looks_at_times=looks_at_times)
    result = run(pool, tmp_path, "/a.php")
    again = run(pool, tmp_path, "/a.php")
    assert (result["scripts"], again["scripts"], again["rounds"]) == (6, 6, 2)
    assert len(pool.scripts) == 6 + (0 if looks_at_times else 1)
    assert list(tmp_path.iterdir()) == []


def test_a_probe_that_a_killed_run_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / f".phpops-{token_of('/run/x.sock')}.php").symlink_to("/etc/passwd")
    assert run(Pool({"/a.php": Page()}), tmp_path, "/a.php")["scripts"] == 1
    assert list(tmp_path.iterdir()) == []


def test_the_bound_of_rounds_is_no_failure_but_told(tmp_path: Path) -> None:
    result = run(Pool({"/a.php": growing(99)}), tmp_path, "/a.php", rounds=3)
    assert (result["rounds"], result["stable"]) == (3, False)
    assert result["msg"] == "The cache still grew after 3 rounds."


def test_the_bound_of_time_is_no_failure_once_all_were_asked_for(tmp_path: Path) -> None:
    pool = Pool({"/a.php": Page(seconds=0.05, files=lambda n: [f"/{n}.inc"])})
    result = run(pool, tmp_path, "/a.php", timeout_seconds=0.08)
    assert (result["rounds"], result["stable"]) == (2, False)
    assert result["msg"] == "The cache still grew after 0.08 s."
    with pytest.raises(PrimeFailed, match=r"over before /b\.php was asked for \(1 of 2 .*raise timeout_seconds\.$"):
        run(Pool({"/a.php": Page(seconds=0.05)}), tmp_path, "/a.php", "/b.php", timeout_seconds=0.02)


def test_no_more_requests_at_a_time_than_asked_for(tmp_path: Path) -> None:
    pool = Pool({f"/{number}.php": Page(seconds=0.01) for number in range(9)})
    run(pool, tmp_path, *pool.pages, concurrency=3)
    assert pool.most_running == 3
    assert sorted(pool.log[:9]) == sorted(pool.pages)


@pytest.mark.parametrize(
    ("page", "match"),
    [
        (
            Page(status=500, stderr="PHP message: PHP Fatal error:  x"),
            r"/b\.php answered 500 .*PHP says: PHP mess",
        ),
        (Page(status=200, stderr="PHP message: PHP Fatal error:  x"), r"/b\.php answered 200 .*fatal error"),
        (Page(status=302), r"/b\.php answered 302 from the idle slot, not 200"),
        (None, r"/b\.php answered 404 .*There is no script /w/b\.php for PHP: name the entry point's script"),
    ],
)
def test_a_wrong_answer_ends_it(tmp_path: Path, page: Page | None, match: str) -> None:
    pool = Pool({"/a.php": Page(), **({"/b.php": page} if page else {})})
    with pytest.raises(PrimeFailed, match=match) as caught:
        run(pool, tmp_path, "/a.php", "/b.php", "/a.php")
    assert pool.log == ["/a.php", "/b.php"]
    assert [bool(entry["msg"]) for entry in caught.value.result["entry_points"]] == [False, True, False]
    assert caught.value.result["entry_points"][2]["status"] is None


def test_the_text_must_be_there() -> None:
    spec = build({"name": "wiki", "user": "w", "php_version": "8.2", "document_root": "/w", "entry_points": [{}]})
    assert prime(spec, "/s", "/w", ask=Pool({"/index.php": Page()}).request)["rounds"] == 2
    asked = {**spec.as_dict(), "entry_points": [{"contains": "Basket"}]}
    with pytest.raises(PrimeFailed, match="without the text 'Basket'"):
        prime(build(asked), "/s", "/w", ask=Pool({"/index.php": Page()}).request)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        (
            {"total_bytes": 35_000},
            r"full after round 1: 3 scripts .*; 60000 bytes are needed and 35000 are there: raise opcache\.mem",
        ),
        ({"max_keys": 5}, r"keys are all taken after round 1: .*; \d+ keys .*max_accelerated_files to \d+\.$"),
        (
            {"total_bytes": 64_000},
            r"is 93 % taken, above the mark of 90 %: .*raise opcache\.memory_consumption to 2\.$",
        ),
        ({"max_keys": 6}, r"keys are 100 % taken|all taken"),
        ({"status": {"restart_pending": True}}, "waits for a restart after round 1"),
    ],
)
def test_a_cache_that_is_too_small_is_named_with_the_need(tmp_path: Path, changes: dict[str, Any], match: str) -> None:
    pool = Pool({"/a.php": Page(files=lambda _n: [f"/{number}.inc" for number in range(5)])}, looks_at_times=True)
    for name, value in changes.items():
        setattr(pool, name, value)
    with pytest.raises(PrimeFailed, match=match) as caught:
        run(pool, tmp_path, "/a.php", marks=Marks(0.9, 0.9))
    assert caught.value.result["rounds"] == 1
    assert caught.value.result["max_keys"] == pool.max_keys


@pytest.mark.parametrize(
    ("counters", "match"),
    [
        ({"oom_restarts": 1}, "restarted for lack of room in round 1.*raise opcache.memory_consumption"),
        ({"hash_restarts": 1}, "raise opcache.max_accelerated_files"),
        ({"manual_restarts": 1}, "was reset during round 1: one of these pages calls opcache_reset"),
        ({"start_time": 9}, "The master was started anew during round 1"),
    ],
)
def test_a_restart_ends_it(tmp_path: Path, counters: dict[str, int], match: str) -> None:
    pool = Pool()
    pool.pages["/a.php"] = Page(files=lambda _n: pool.counters.update(counters) or [])
    with pytest.raises(PrimeFailed, match=match):
        run(pool, tmp_path, "/a.php")


def test_restarts_of_the_past_are_no_failure(tmp_path: Path) -> None:
    assert run(Pool({"/a.php": Page()}, counters={"manual_restarts": 7}), tmp_path, "/a.php")["restarts"] == 7


def test_without_marks_a_small_cache_is_told_and_no_failure(tmp_path: Path) -> None:
    pool = Pool({"/a.php": growing(5)}, total_bytes=25_000)
    result = run(pool, tmp_path, "/a.php", marks=None)
    assert (result["stable"], result["cache_full"], result["rounds"]) == (False, True, 2)
    assert "raise opcache.memory_consumption" in result["msg"]


def test_without_opcache_there_are_two_rounds_and_no_figures(tmp_path: Path) -> None:
    result = run(Pool({"/a.php": growing(9)}, opcache=False), tmp_path, "/a.php")
    assert (result["rounds"], result["stable"], result["scripts"], result["cache_full"]) == (2, None, None, None)
    assert result["msg"].startswith("OPcache is off")


def test_a_pool_that_can_not_be_asked_is_primed_and_the_reason_told(tmp_path: Path) -> None:
    result = run(Pool({"/a.php": Page()}), tmp_path / "none", "/a.php")
    assert (result["rounds"], result["scripts"]) == (2, None)
    assert "No such file" in result["msg"]


def test_files_that_are_too_young_are_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Pool({"/a.php": Page(files=lambda _n: ["/new.inc"])}, young={"/new.inc"}, protection=2)
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        if seconds:
            waits.append(seconds)
            pool.young.clear()

    monkeypatch.setattr(slot_prime.time, "sleep", sleep)
    result = run(pool, tmp_path, "/a.php")
    assert (waits, result["scripts"], result["stable"]) == ([2.1], 2, True)
    never = Pool({"/a.php": Page(files=lambda _n: ["/new.inc"])}, young={"/new.inc"}, protection=0)
    assert run(never, tmp_path, "/a.php")["rounds"] == 2


def test_no_entry_points_ask_nothing(tmp_path: Path) -> None:
    result = run(Pool(), tmp_path)
    assert (result["requests"], result["rounds"], result["pending"]) == (0, 0, False)
    assert "no entry points" in result["msg"]


def slices(pool: Pool, folder: Path | None, *paths: str, **bounds: Any) -> tuple[Any, list[str]]:
    """Prime in slices, as the action does; returns the last result and what was said meanwhile."""
    said, carry = [], {}
    while True:
        result = run(pool, folder, *paths, carry=json.loads(json.dumps(carry)), **bounds)
        if not result["pending"]:
            return result, said
        said.append(result["progress"])
        carry = result["carry"]


@given(st.integers(1, 4), st.integers(1, 6), st.integers(0, 4))
def test_slices_ask_the_same_as_one_call(concurrency: int, entries: int, grows: int) -> None:
    pages = {f"/{number}.php": growing(grows) for number in range(entries)}
    whole, cut = Pool(dict(pages)), Pool(dict(pages))
    expected = run(whole, None, *pages, concurrency=concurrency)
    result, said = slices(cut, None, *pages, concurrency=concurrency, slice_seconds=1e-9)
    assert len(said) >= entries * expected["rounds"] / concurrency - 1
    for key in ("rounds", "requests", "stable", "msg"):
        assert result[key] == expected[key]
    assert sorted(cut.log) == sorted(whole.log)


def test_the_person_who_watches_reads_what_is_waited_for(tmp_path: Path) -> None:
    pool = Pool({"/a.php": Page(), "/slow.php": Page(seconds=1.05)})
    result, said = slices(pool, tmp_path, "/a.php", "/slow.php", slice_seconds=0.5)
    assert said == [
        "wiki: priming 1 s, round 2, 2 scripts, waiting for /a.php",
        "wiki: priming 1 s, round 2, 2 scripts, waiting for /slow.php, which took 1.1 s before",
    ]
    assert (result["requests"], result["rounds"]) == (4, 2)
    assert 2.1 <= result["seconds"] < 4


def test_a_slow_entry_point_is_announced_before_it_is_asked_for_again(tmp_path: Path) -> None:
    pool = Pool({"/slow.php": Page(seconds=0.3)})
    _result, said = slices(pool, tmp_path, "/slow.php", slice_seconds=0.2)
    assert len(said) == 1 and "round 2" in said[0]


@pytest.mark.parametrize("carry", [{"key": "x"}, {"round": 1}])
def test_the_carry_of_another_priming_is_refused(tmp_path: Path, carry: dict[str, Any]) -> None:
    with pytest.raises(PrimeFailed, match="can't go on"):
        run(Pool({"/a.php": Page()}), tmp_path, "/a.php", carry=carry)


def test_over_a_real_socket(tmp_path: Path) -> None:
    """The client, threads, FastCGI and a socket; one page takes longer than it may."""
    pool = Pool({"/a.php": growing(2), "/slow.php": Page(seconds=1.5)})
    entry = EntryPoint(path="/pretty/url", script="/a.php", method="POST", contains="Main")
    folder = tmp_path / "slot"
    folder.mkdir()
    with served(pool, tmp_path / "s") as path:
        target = Target("wiki", path, "/w", [str(folder)], os.getgid())
        result = Primer(target, [entry, EntryPoint(path="/a.php")], Bounds(concurrency=2)).run()
        with pytest.raises(PrimeFailed, match=r"/slow\.php gave no answer .* within 0\.2 s"):
            Primer(target, [EntryPoint(path="/slow.php")], Bounds(request_timeout_seconds=0.2)).run()
    assert (result["scripts"], result["stable"]) == (3, True)
    posted = next(params for params in pool.params if params["REQUEST_METHOD"] == "POST")
    assert (posted["SCRIPT_FILENAME"], posted["REQUEST_URI"], posted["CONTENT_LENGTH"]) == (
        "/w/a.php",
        "/pretty/url",
        "0",
    )


def test_nobody_at_the_socket(tmp_path: Path) -> None:
    with pytest.raises(PrimeFailed, match=r"/a\.php gave no answer .*No such file"):
        Primer(Target("wiki", str(tmp_path / "s"), "/w"), [EntryPoint(path="/a.php")], Bounds()).run()


@pytest.mark.parametrize(
    ("chosen", "release", "named", "expected"),
    [
        ("document_root", True, True, "/w"),
        ("pointer", False, False, "/ptr/live/docroot"),
        ("auto", False, False, "/w"),
        ("auto", False, True, "/ptr/live/docroot"),
        ("auto", True, False, "/ptr/live/docroot"),
    ],
)
def test_the_root_is_the_one_of_live_traffic(chosen: str, release: bool, named: bool, expected: str) -> None:
    options = {"name": "wiki", "user": "w", "php_version": "8.2", "document_root": "/w", "script_root": chosen}
    spec = build({**options, **({"release": {"id": "7", "path": "/w", "history": []}} if release else {})})
    assert script_root(spec, "/ptr/live", lambda _path: ["x:1"] if named else []) == expected
