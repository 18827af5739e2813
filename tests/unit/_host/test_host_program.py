# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host import host_program
from ansible_collections.phpops.webhost.plugins.module_utils._host.host_program import default_path, listing, place


def packed(**files: str) -> bytes:
    buffer = io.BytesIO(b"#!/usr/bin/python3\n")
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return buffer.getvalue()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program's path in a folder of all programs; the owner is whoever runs the test."""
    monkeypatch.setattr(host_program, "FOLDER", str(tmp_path / "phpops"))
    monkeypatch.setattr(host_program, "_mode", lambda path: (Path(path).stat().st_mode & 0o7777, 0, 0))
    writes = host_program.write_atomic
    monkeypatch.setattr(host_program, "write_atomic", lambda path, content, mode, *_owner: writes(path, content, mode))
    return tmp_path / "phpops" / "job.pyz"


def test_it_is_written_once(path: Path) -> None:
    assert place(str(path), packed(a="1"), False)[0]
    assert path.read_bytes() == packed(a="1")
    assert path.stat().st_mode & 0o7777 == 0o755
    assert not place(str(path), packed(a="1"), False)[0]


def test_the_diff_names_the_members_that_differ(path: Path) -> None:
    place(str(path), packed(a="1", b="2"), False)
    changed, diff = place(str(path), packed(a="1", b="22"), True)
    assert changed
    before, after = (set(diff[side].splitlines()) for side in ("before", "after"))
    assert [line.split()[0] for line in before - after] == ["b"]
    assert {line.split()[2] for line in after - before} == {"2"}
    assert path.read_bytes() == packed(a="1", b="2"), "check mode wrote"


def test_a_wrong_mode_is_a_change(path: Path) -> None:
    place(str(path), packed(a="1"), False)
    path.chmod(0o600)
    assert place(str(path), packed(a="1"), False)[0]
    assert path.stat().st_mode & 0o7777 == 0o755


def test_the_last_program_takes_the_folder_with_it(path: Path) -> None:
    other = path.with_name("other.pyz")
    place(str(path), packed(a="1"), False)
    place(str(other), packed(a="1"), False)
    assert place(str(path), None, True)[0]
    assert path.exists()
    assert place(str(path), None, False)[0]
    assert other.exists()
    assert place(str(other), None, False)[0]
    assert not path.parent.exists()
    assert not place(str(other), None, False)[0]


def test_what_is_no_program_is_shown_by_its_size() -> None:
    assert listing(b"hello") == "5 bytes that are no packed program\n"


def test_a_program_has_a_name_with_dashes() -> None:
    assert default_path("worker_recycle") == "/usr/local/lib/phpops/worker-recycle.pyz"
