# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir import TmpdirError
from ansible_collections.phpops.webhost.plugins.module_utils._host import mounts

PAGE = os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def table(tmp_path: Path) -> str:
    """Return a mountinfo in which two things are mounted on the folder, the later one on top."""
    folder = tmp_path / "shm"
    folder.mkdir()
    lines = [
        "22 1 0:20 / / rw,relatime - ext4 /dev/vda rw",
        f"23 22 0:21 / {folder} rw,relatime - tmpfs tmpfs rw,size=1k",
        f"24 22 0:22 / {folder} rw,nosuid,nodev,relatime - tmpfs tmpfs rw,inode64",
        f"25 22 0:23 / {folder}2 rw,nosuid,relatime - tmpfs tmpfs rw",
        f"26 22 0:24 / {folder}3 rw,nosuid,nodev - ext4 /dev/vdb rw",
    ]
    (tmp_path / "mountinfo").write_text("\n".join(lines) + "\n")
    return str(tmp_path / "mountinfo")


def test_what_is_mounted_on_top_counts(table: str) -> None:
    folder = str(Path(table).parent / "shm")
    found = mounts.at(folder, table)
    assert found is not None
    assert found.options == "rw,nosuid,nodev,relatime"
    assert mounts.at(f"{folder}/x", table) is None


@pytest.mark.parametrize(("more", "so"), [(0, True), (-1, True), (1 - PAGE, True), (-PAGE, False), (1, False)])
def test_the_kernel_rounds_a_size_up_to_pages(table: str, more: int, so: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "size_bytes", lambda _target: 10 * PAGE)
    assert mounts.is_so(str(Path(table).parent / "shm"), 10 * PAGE + more, table) is so


@pytest.mark.parametrize("name", ["shm2", "shm3", "other"])
def test_other_options_other_systems_and_nothing_are_not_so(table: str, name: str) -> None:
    assert mounts.is_so(str(Path(table).parent / name), 1, table) is False


def test_what_is_told(table: str) -> None:
    folder = str(Path(table).parent / "shm")
    (told,) = mounts.described([folder, "/nowhere"], table)
    assert (told["path"], told["options"]) == (folder, "rw,nosuid,nodev,relatime,rw,inode64")
    assert told["size_bytes"] >= told["used_bytes"] >= 0


def test_the_commands_and_their_failure() -> None:
    asked = []

    def run(words: list[str]) -> tuple[int, str, str]:
        asked.append(words)
        return (32, "", "target is busy.\n") if words[0] == "umount" else (0, "", "")

    mounts.mount(run, "/t")
    mounts.remount(run, "/t")
    mounts.remount(run, "/t", "suid,size=50%")
    with pytest.raises(TmpdirError, match="`umount /t` failed: target is busy"):
        mounts.unmount(run, "/t")
    assert asked[:3] == [
        ["mount", "/t"],
        ["mount", "-o", "remount", "/t"],
        ["mount", "-o", "remount,suid,size=50%", "/t"],
    ]
