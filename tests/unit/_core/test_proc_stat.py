# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.proc_stat import Stat, parse_stat
from hypothesis import given
from hypothesis import strategies as st

# Fields 5 to 21, those between the parent and the start.
BETWEEN = " ".join(str(number) for number in range(5, 22))


def test_this_process() -> None:
    found = parse_stat(Path("/proc/self/stat").read_text())
    assert found is not None
    assert (found.pid, found.parent) == (os.getpid(), os.getppid())
    assert found.start > 0


def test_a_name_may_hold_anything() -> None:
    assert parse_stat(f"7 (a (b) S 9\n) c) R 3 {BETWEEN} 4242 1\n") == Stat(7, "a (b) S 9\n) c", "R", 3, 4242)


@pytest.mark.parametrize(
    "text", [f"7 (x) S 1 {BETWEEN}", f"7 (x) S - {BETWEEN} 1 1", f"(x) S 1 {BETWEEN} 1 1", f"7 (x) S 1 {BETWEEN} ² 1"]
)
def test_what_is_cut_or_no_number_is_nothing(text: str) -> None:
    assert parse_stat(text) is None


@given(st.text(max_size=300))
def test_no_text_crashes_the_reader(text: str) -> None:
    parse_stat(text)
    parse_stat(f"7 ({text}) S 1 {BETWEEN} {text} 1")
