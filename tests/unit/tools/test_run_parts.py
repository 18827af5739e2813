# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order parts run side by side, and that each of them counts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))

import run_parts
from parts import Part


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run parts, three at a time; returns (name, problem) of each."""
    monkeypatch.setattr(run_parts, "CACHE", tmp_path)
    return lambda *parts: [(end.name, end.problem) for end in run_parts.run_all(list(parts), 3)]


def test_parts_with_the_same_word_never_run_at_the_same_time(run, tmp_path):
    # A second one that runs meanwhile can't make the folder, and fails.
    command = ("sh", "-c", f"mkdir {tmp_path}/one && sleep 0.05 && rmdir {tmp_path}/one")
    parts = [Part(f"vm:{number}", command, alone="vm") for number in range(4)]
    others = [Part(f"other:{number}", ("true",)) for number in range(4)]
    assert run(*parts, *others) == [(part.name, "") for part in (*parts, *others)]


def test_a_part_that_fails_or_can_not_start_holds_no_other_up(run):
    parts = [Part("a", ("false",), alone="x"), Part("b", ("/nowhere",), alone="x"), Part("c", ("true",), alone="x")]
    ended = dict(run(*parts))
    assert (ended["a"], ended["c"]) == ("exit status 1", "")
    assert ended["b"].startswith("could not start: ")
