# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Error logs read from their ends."""

from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host import error_log
from ansible_collections.phpops.webhost.plugins.module_utils._host.error_log import follow, scan_error_log

LINE = "[Sat Nov {day:02} 08:00:11 2026] Unable to allocate shared memory segment of 67108864 bytes: mmap (12)\n"


def test_the_rotated_log_comes_first(tmp_path):
    (tmp_path / "error.log.1").write_text(LINE.format(day=1) + "x\n")
    (tmp_path / "error.log").write_text("y\n" + LINE.format(day=2) + LINE.format(day=3))
    found = scan_error_log("error.log", str(tmp_path), 10**6)
    assert (found["count"], found["first"][:10], found["last"][:10]) == (3, "Sat Nov 01", "Sat Nov 03")
    assert (found["segment_bytes"], found["reason"]) == ([67108864], None)


@pytest.mark.parametrize("piece", [7, 64, 200, 1024])
def test_any_piece_finds_all(tmp_path, monkeypatch, piece):
    monkeypatch.setattr(error_log, "_PIECE_BYTES", max(piece, 128))
    lines = [LINE.format(day=1 + number % 9) + "z" * (number % 50) + "\n" for number in range(200)]
    (tmp_path / "e").write_text("".join(lines))
    assert scan_error_log("e", str(tmp_path), 10**6)["count"] == 200


def test_only_the_end_is_read(tmp_path):
    (tmp_path / "e").write_text(LINE.format(day=1) + "x" * 1000 + "\n" + LINE.format(day=2))
    assert scan_error_log("e", str(tmp_path), 500)["count"] == 1


def test_a_log_without_newlines_is_no_trap(tmp_path):
    (tmp_path / "e").write_bytes(b"x" * 3_000_000)
    assert scan_error_log("e", str(tmp_path), 10**7)["count"] == 0


@pytest.mark.parametrize("path", ["|/usr/bin/rotatelogs x", "syslog:local1", None])
def test_no_file(path):
    found = scan_error_log(path, "/", 100)
    assert found["count"] is None
    assert "not to a file" in found["reason"]


def test_a_missing_log_is_empty(tmp_path):
    assert scan_error_log("none", str(tmp_path), 100) == {
        "count": 0, "first": None, "last": None, "segment_bytes": [], "reason": None,
    }  # fmt: skip


def test_a_log_that_may_not_be_read_has_no_count(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(13, "no")

    monkeypatch.setattr(error_log.os, "open", refuse)
    found = scan_error_log("e", str(tmp_path), 100)
    assert found["count"] is None
    assert "run the task with become" in found["reason"]


@pytest.mark.parametrize("step", [1, 7, 50, 131, 4096])
def test_a_log_that_is_followed_counts_each_line_once(tmp_path, step):
    """However the writer's pieces fall."""
    text = "".join(LINE.format(day=1 + number % 9) + "z" * (number % 50) + "\n" for number in range(20)).encode()
    log, place, found = tmp_path / "e", None, 0
    log.touch()
    for start in range(0, len(text), step):
        with log.open("ab") as file:
            file.write(text[start : start + step])
        more, place = follow(str(log), place, 10**6)
        found += more
    assert found == 20


def test_no_more_than_the_bound_is_read_at_once(tmp_path):
    log = tmp_path / "e"
    log.write_text(LINE.format(day=1) * 100)
    count, place = follow(str(log), None, 1000)
    assert 1 <= count <= 1000 // len(LINE.format(day=1)) + 1
    assert follow(str(log), place, 1000) == (0, place)


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(OSError):
        follow(str(tmp_path), None, 1000)
    with pytest.raises(FileNotFoundError):
        follow(str(tmp_path / "none"), None, 1000)
