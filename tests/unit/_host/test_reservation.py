# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.budget import (
    MIB,
    HostMemory,
    Limit,
    PlannedSite,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.reservation import Record, parse, render
from ansible_collections.phpops.webhost.plugins.module_utils._host import reservation
from hypothesis import given
from hypothesis import strategies as st

FORK = multiprocessing.get_context("fork")
HOST = HostMemory(limits=(Limit("shmpages", "reserved", "host", "/x", 100 * MIB, 0, "test"),))


def _claim(folder: Path, name: str = "wiki", size: int = 60 * MIB, **more: object) -> reservation.Claim:
    unit = f"phpops-fpm@{name}-blue.service"
    options: dict[str, object] = {"folder": str(folder), "host": HOST, **more}
    return reservation.claim(PlannedSite(name, size), unit, **options)  # type: ignore[arg-type]


def test_a_claim_is_seen_by_others_until_it_is_released(tmp_path: Path) -> None:
    folder = tmp_path / "budget"
    made = _claim(folder)
    assert [one.site for one in reservation.reservations(str(folder))] == ["wiki"]
    with pytest.raises(reservation.DoesNotFit, match="20 MiB short") as caught:
        _claim(folder, "blog")
    assert "reserved for phpops-fpm@wiki-blue.service 60 MiB" in str(caught.value)
    assert caught.value.verdict.short_bytes == 20 * MIB
    reservation.release(made)
    reservation.release(made)
    assert _claim(folder, "blog").verdict.fits


def test_a_second_claim_for_the_same_unit_takes_the_place_of_the_first(tmp_path: Path) -> None:
    _claim(tmp_path)
    assert _claim(tmp_path).verdict.fits
    assert len(reservation.records(str(tmp_path))) == 1


def test_override_reserves_without_asking(tmp_path: Path) -> None:
    _claim(tmp_path)
    made = _claim(tmp_path, "blog", override=True)
    assert not made.verdict.fits
    assert len(reservation.records(str(tmp_path))) == 2


def test_a_reservation_ends_with_its_time(tmp_path: Path) -> None:
    _claim(tmp_path, lifetime_seconds=-1)
    assert reservation.records(str(tmp_path)) == []
    assert _claim(tmp_path, "blog").verdict.fits


def test_a_reservation_ends_with_its_holder(tmp_path: Path) -> None:
    child = FORK.Process(target=_claim, args=(tmp_path,))
    child.start()
    child.join(20)
    assert child.exitcode == 0
    assert (tmp_path / "phpops-fpm@wiki-blue.service.json").exists()
    assert reservation.records(str(tmp_path)) == []
    assert _claim(tmp_path, "blog").verdict.fits
    assert sorted(path.name for path in tmp_path.iterdir()) == ["phpops-fpm@blog-blue.service.json"]


def test_a_reused_pid_is_not_the_holder(tmp_path: Path) -> None:
    record = Record("wiki", "u.service", MIB, 0, os.getpid(), 1, 1e12)
    (tmp_path / "u.service.json").write_text(render(record))
    assert reservation.records(str(tmp_path)) == []


def test_half_a_file_is_ignored(tmp_path: Path) -> None:
    made = _claim(tmp_path)
    whole = Path(made.path).read_text()
    Path(made.path).write_text(whole[: len(whole) // 2])
    assert reservation.records(str(tmp_path)) == []


def test_a_busy_lock_is_named(tmp_path: Path) -> None:
    with reservation.budget_lock(str(tmp_path)), pytest.raises(reservation.BudgetBusy, match=r"\.lock was not free"):
        _claim(tmp_path, wait_seconds=0.1)


def _race(folder: Path, name: str, start: object, done: object) -> None:
    start.wait(20)  # type: ignore[attr-defined]
    try:
        _claim(folder, name)
        done.put(True)  # type: ignore[attr-defined]
    except reservation.DoesNotFit:
        done.put(False)  # type: ignore[attr-defined]
    start.wait(20)  # type: ignore[attr-defined]


def test_of_many_that_claim_at_once_only_one_gets_the_last_of_the_memory(tmp_path: Path) -> None:
    runners = 6
    start, done = FORK.Barrier(runners + 1), FORK.Queue()
    children = [FORK.Process(target=_race, args=(tmp_path, f"s{n}", start, done)) for n in range(runners)]
    for child in children:
        child.start()
    start.wait(20)
    results = [done.get(timeout=30) for _child in children]
    start.wait(20)
    for child in children:
        child.join(20)
    assert sorted(results) == [False] * (runners - 1) + [True]


@given(st.text(max_size=300) | st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5).map(repr))
def test_any_text_never_crashes(text: str) -> None:
    parse(text)


@given(st.integers(0, 2**50), st.integers(1, 2**22), st.floats(0, 1e12))
def test_a_record_survives_its_file(size: int, pid: int, expires: float) -> None:
    record = Record("wiki", "phpops-fpm@wiki-blue.service", size, size // 2, pid, 12345, expires)
    assert parse(render(record)) == record
