# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Swap files on a host that is played: added, taken away, and finished after a run that was killed at any line."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.swap_plan import SwapRefused
from ansible_collections.phpops.webhost.plugins.module_utils._host import files, fstab, swap_file
from ansible_collections.phpops.webhost.plugins.module_utils._host.fstab import FstabError
from ansible_collections.phpops.webhost.plugins.module_utils._host.swap_file import SwapFailed
from ansible_collections.phpops.webhost.tests.unit._host.played_swap import MIB, PAGE, ROOT, PlayedSwap

TRACED = {module.__file__ for module in (swap_file, fstab, files)}


@pytest.fixture
def played(tmp_path: Path) -> PlayedSwap:
    return PlayedSwap(tmp_path)


def line(played, number, options="sw,nofail"):
    return f"{played.directory}/phpops-{number}.swap none swap {options} 0 0"


def test_a_file_is_added_and_nothing_more_the_second_time(played):
    first = played.apply()
    assert first["changed"]
    assert first["total_bytes"] == 2 * MIB
    assert first["built"] == [{"path": f"{played.directory}/phpops-1.swap", "size_bytes": 2 * MIB + PAGE}]
    assert first["summary"] == (
        f"2 MiB of swap in 1 area, 0 B in use; {played.directory}/phpops-1.swap with 2 MiB added."
    )
    path = played.directory / "phpops-1.swap"
    assert path.stat().st_mode & 0o7777 == 0o600
    assert path.stat().st_size == 2 * MIB + PAGE
    assert played.fstab.read_text() == ROOT.replace("# the", f"{line(played, 1)}\n# the")
    played.commands.clear()
    assert not played.apply()["changed"]
    assert played.commands == []


def test_growing_swaps_nothing_off(played):
    played.apply()
    played.use(2 * MIB)
    grown = played.apply(8)
    assert [swap["size_bytes"] for swap in grown["swaps"]] == [2 * MIB, 6 * MIB]
    assert grown["used_bytes"] == 2 * MIB
    assert "swapoff" not in [words[0] for words in played.commands]


def test_check_mode_changes_nothing_and_shows_what_would(played):
    before = {path: path.read_bytes() for path in played.root.rglob("*") if path.is_file()}
    told = played.apply(check_mode=True)
    assert told["changed"]
    assert [part["before_header"] for part in told["diff"]] == ["swap files", str(played.fstab)]
    assert line(played, 1) in told["diff"][1]["after"]
    assert told["summary"].endswith("phpops-1.swap with 2 MiB would be added.")
    assert {path: path.read_bytes() for path in played.root.rglob("*") if path.is_file()} == before


def test_absent_gives_fstab_back_to_the_byte(played):
    played.apply(priority=7)
    played.apply(4, priority=7)
    assert [swap.priority for swap in played.active()] == [7, 6]
    gone = played.apply(state="absent")
    assert gone["changed"]
    assert len(gone["switched_off"]) == len(gone["removed"]) == 2
    assert (played.active(), played.fstab.read_text(), played.directory.exists()) == ([], ROOT, False)
    assert not played.apply(state="absent")["changed"]


def test_absent_is_refused_with_all_as_it_was(played):
    played.apply(4)
    played.use(3 * MIB)
    (played.root / "meminfo").write_text("MemTotal: 2097152 kB\nMemAvailable: 1024 kB\n")
    before = played.summary()
    with pytest.raises(SwapRefused, match="3 MiB are in 1 swap file"):
        played.apply(state="absent")
    assert played.summary() == before


def test_another_priority(played):
    played.apply()
    assert played.apply(priority=3)["priority_changed"] == [f"{played.directory}/phpops-1.swap"]
    assert played.active()[0].priority == 3
    assert line(played, 1, "sw,nofail,pri=3") in played.fstab.read_text()
    assert not played.apply(priority=3)["changed"]


def test_a_directory_behind_a_symlink_is_known_by_its_own_name(played):
    (played.root / "real").mkdir()
    played.directory.symlink_to("real")
    played.apply()
    assert played.active()[0].path == f"{played.root}/real/phpops-1.swap"
    assert not played.apply()["changed"]


def test_a_directory_whose_own_name_has_a_blank_is_written_as_fstab_wants_it(played):
    (played.root / "the disk").mkdir()
    played.directory.symlink_to("the disk")
    played.apply()
    assert f"{played.root}/the\\040disk/phpops-1.swap none swap sw,nofail 0 0\n" in played.fstab.read_text()
    assert not played.apply()["changed"]
    played.boot()
    assert played.apply(state="absent")["switched_off"] == [f"{played.root}/the disk/phpops-1.swap"]
    assert played.fstab.read_text() == ROOT


def test_a_file_in_another_directory_that_a_killed_run_left_on_goes_too(played):
    played.apply()
    played.fstab.write_text(ROOT)
    gone = played.apply(state="absent", directory=str(played.root / "elsewhere"))
    assert (gone["removed"], played.active()) == ([f"{played.directory}/phpops-1.swap"], [])
    assert not (played.directory / "phpops-1.swap").exists()


def test_a_step_that_fails_is_named(played, monkeypatch):
    monkeypatch.setattr(played, "swapon", lambda *_arguments: 255)
    monkeypatch.setattr(swap_file, "_ON_SECONDS", 0.0)
    with pytest.raises(SwapFailed, match=r"`swapon .*phpops-1\.swap` failed: swapon: .* failed"):
        played.apply()
    assert played.fstab.read_text() == ROOT


def test_a_swapon_that_a_killed_run_began_is_enough(played, monkeypatch):
    real = played.swapon
    monkeypatch.setattr(played, "swapon", lambda *arguments: real(*arguments) or 255)
    assert played.apply()["total_bytes"] == 2 * MIB


def test_a_line_that_findmnt_refuses_leaves_fstab(played):
    real = played.run

    def run(words):
        bad = words[0] == "findmnt" and "swap" in Path(words[-1]).read_text()
        return (1, "none\n   [E] no such thing\n", "") if bad else real(words)

    played.run = run
    with pytest.raises(FstabError, match="no such thing"):
        played.apply()
    assert played.fstab.read_text() == ROOT


def traced(played: PlayedSwap, arguments: dict, at_line: Callable[[int], None]) -> None:
    """Run, and call at_line(number) before each line of our code."""
    number = 0

    def trace(frame, event, _argument):
        nonlocal number
        if frame.f_code.co_filename not in TRACED:
            return None
        if event == "line":
            number += 1
            at_line(number)
        return trace

    sys.settrace(trace)
    try:
        played.apply(**arguments)
    finally:
        sys.settrace(None)


def moments(played: PlayedSwap, arguments: dict) -> list[int]:
    """Return the lines before which the host is in a state that it was not in before: nothing else can be left."""
    found, last = [], None

    def look(number):
        nonlocal last
        new = [(path.name, path.stat().st_size, played.is_area(str(path))) for path in played.directory.glob("*")]
        now = (sorted(new), played.swaps.read_text(), played.fstab.read_text())
        if now != last:
            found.append(number)
        last = now

    traced(played, arguments, look)
    return found


def kill(played: PlayedSwap, moment: int, arguments: dict) -> None:
    """Run in a process of its own that ends before that line, as by SIGKILL: nothing is cleaned up."""
    child = os.fork()
    if child == 0:
        try:
            traced(played, arguments, lambda number: os._exit(9) if number == moment else None)
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def prepared(folder: Path, before: list[dict]) -> PlayedSwap:
    folder.mkdir()
    played = PlayedSwap(folder)
    for arguments in before:
        played.apply(**arguments)
    return played


# What was done before, what is killed, how many states it leads through.
CASES = {
    "the first": ([], {"size_mib": 2}, 7),
    "growing": ([{"size_mib": 2}], {"size_mib": 3}, 6),
    "another priority": ([{"size_mib": 2}], {"size_mib": 2, "priority": 4}, 4),
    "absent": ([{"size_mib": 2}, {"size_mib": 3}], {"state": "absent"}, 5),
}


@pytest.mark.parametrize("boots", [False, True], ids=["at once", "after a boot"])
@pytest.mark.parametrize("case", CASES)
def test_a_run_that_was_killed_anywhere_is_finished_by_the_next(tmp_path, case, boots):
    before, arguments, states = CASES[case]
    whole = prepared(tmp_path / "whole", before)
    kills = moments(whole, arguments)
    assert len(kills) >= states
    for moment in kills:
        played = prepared(tmp_path / str(moment), before)
        had = played.summary()[0]
        kill(played, moment, arguments)
        if boots:
            played.boot()
            assert case == "absent" or played.summary()[0] >= had
        assert [path.name for path in played.directory.glob("*") if path.stat().st_mode & 0o7777 != 0o600] == []
        played.apply(**arguments)
        assert str(played.summary()).replace(str(played.root), str(whole.root)) == str(whole.summary())
        assert not played.apply(**arguments)["changed"]
