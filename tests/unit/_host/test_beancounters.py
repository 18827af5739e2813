# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host.beancounters import gather, read_state

HEADER = "Version: 2.5\n uid resource held maxheld barrier limit failcnt\n"


def write(path: Path, failcnt: int) -> Path:
    path.write_text(f"{HEADER}101: kmemsize 1 1 9 9 0\n shmpages 247122 262144 262144 262144 {failcnt}\n")
    return path


def test_a_missing_file_is_no_failure_and_says_which_kernels_have_it(tmp_path: Path) -> None:
    facts, warnings = gather(str(tmp_path / "none"), 4096, 0.9, None, True)
    assert (facts["available"], facts["supported"], facts["containers"], warnings) == (False, False, {}, [])
    assert facts["reason"] == f"There is no file {tmp_path / 'none'} on this host."


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("CT 1 | HELD Bar% Lim%|\n")
    facts, _warnings = gather(str(tmp_path / "x"), 4096, 0.9, None, True)
    assert (facts["available"], facts["supported"]) == (False, True)
    assert facts["reason"].startswith(f"{tmp_path / 'x'} holds the table of the vzubc tool")


def test_the_id_of_a_file_without_one_comes_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "proc" / "bc" / "101" / "resources"
    path.parent.mkdir(parents=True)
    path.write_text("kmemsize 1 1 9 9 0\n")
    facts, _warnings = gather(str(path), 4096, 0.9, None, True)
    assert list(facts["containers"]) == ["101"]


def test_the_state_of_one_run_gives_the_next_its_deltas(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    found = []
    for failcnt in (5, 9, 9, 2):
        facts, warnings = gather(str(write(tmp_path / "bc", failcnt)), 4096, 0.9, str(state), True)
        assert warnings == []
        row = facts["containers"]["101"]["resources"]["shmpages"]
        found.append((row["failcnt_delta"], row["reset"]))
    assert found == [(None, False), (4, False), (0, False), (2, True)]
    assert state.stat().st_mode & 0o777 == 0o600
    assert json.loads(state.read_text()) == {"failcnt": {"101": {"kmemsize": 0, "shmpages": 2}}}


def test_check_mode_reads_the_state_and_leaves_it_alone(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    gather(str(write(tmp_path / "bc", 5)), 4096, 0.9, str(state), True)
    before = state.read_bytes()
    facts, _warnings = gather(str(write(tmp_path / "bc", 9)), 4096, 0.9, str(state), False)
    assert facts["containers"]["101"]["resources"]["shmpages"]["failcnt_delta"] == 4
    assert state.read_bytes() == before


def test_a_dump_that_cannot_be_read_leaves_the_state_alone(tmp_path: Path) -> None:
    gather(str(tmp_path / "none"), 4096, 0.9, str(tmp_path / "state.json"), True)
    assert not (tmp_path / "state.json").exists()


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"x": 1}', b'{"failcnt": 1}', b'{"failcnt": {"1": 2}}', b"\xff", b"[" * 100_000]
)
def test_a_broken_state_counts_as_absent_with_a_warning(tmp_path: Path, content: bytes) -> None:
    state = tmp_path / "state.json"
    state.write_bytes(content)
    counts, warning = read_state(str(state))
    assert counts is None
    assert warning is not None
    assert str(state) in warning
    facts, warnings = gather(str(write(tmp_path / "bc", 9)), 4096, 0.9, str(state), True)
    assert facts["containers"]["101"]["resources"]["shmpages"]["failcnt_delta"] is None
    assert warnings == [warning]
    assert read_state(str(state))[1] is None


@pytest.mark.parametrize("value", ["true", "-1", "1.5", '"7"', "null"])
def test_a_value_of_the_state_that_no_counter_has_is_dropped(tmp_path: Path, value: str) -> None:
    state = tmp_path / "state.json"
    state.write_text(f'{{"failcnt": {{"1": {{"numproc": {value}, "shmpages": 3}}}}}}')
    assert read_state(str(state)) == ({"1": {"shmpages": 3}}, None)


def test_a_state_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    state = tmp_path / "absent" / "state.json"
    facts, warnings = gather(str(write(tmp_path / "bc", 9)), 4096, 0.9, str(state), True)
    assert facts["available"]
    assert warnings == [f"state_path: {state} can't be written (No such file or directory): name a writable file."]
