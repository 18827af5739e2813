# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host.php_files import Walk, find_php_files, read_head

EXTENSIONS = [".php", ".inc"]


def put(path: Path, text: str = "<?php echo 1;") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def walk(*paths: Path, exclude: Any = (), max_files: int = 1000, **options: Any) -> Walk:
    return find_php_files([str(path) for path in paths], EXTENSIONS, exclude, max_files, 10.0, **options)


def names(found: Walk, root: Path) -> list[str]:
    return [str(Path(file.path).relative_to(root)) for file in found.files]


def test_links_to_folders_are_followed_and_each_file_counts_once(tmp_path: Path) -> None:
    put(tmp_path / "share/includes/a.php")
    put(tmp_path / "share/index.php")
    put(tmp_path / "etc/settings.php")
    root = tmp_path / "root"
    root.mkdir()
    (root / "includes").symlink_to(tmp_path / "share/includes")
    (root / "again").symlink_to(tmp_path / "share/includes")
    (root / "index.php").symlink_to(tmp_path / "share/index.php")
    (root / "settings.php").symlink_to(tmp_path / "etc/settings.php")
    (root / "loop").symlink_to(root)
    (root / "includes/up").symlink_to(tmp_path / "share")
    (root / "nowhere.php").symlink_to(tmp_path / "none.php")
    found = walk(root, root)
    assert names(found, tmp_path) == ["etc/settings.php", "share/includes/a.php", "share/index.php"]
    assert (found.truncated, found.unreadable) == (None, [])


def test_other_endings_count_only_when_they_hold_php(tmp_path: Path) -> None:
    put(tmp_path / "a.inc")
    put(tmp_path / "b.inc", "no code")
    put(tmp_path / "c.txt")
    put(tmp_path / "d.php", "")
    assert names(walk(tmp_path), tmp_path) == ["a.inc", "d.php"]


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("{}/vendor", ["a.php"]),
        ("{}/vendor/*", ["a.php"]),
        ("*/tests/*", ["a.php", "vendor/b.php"]),
        ("{}/a.php", ["vendor/b.php", "vendor/tests/c.php"]),
        ("{}/vend", ["a.php", "vendor/b.php", "vendor/tests/c.php"]),
    ],
)
def test_exclude(tmp_path: Path, pattern: str, left: list[str]) -> None:
    for name in ("a.php", "vendor/b.php", "vendor/tests/c.php"):
        put(tmp_path / name)
    assert names(walk(tmp_path, exclude=[pattern.format(tmp_path)]), tmp_path) == left


def test_bounds_end_the_walk_and_say_so(tmp_path: Path) -> None:
    for number in range(5):
        put(tmp_path / f"{number}.php")
    assert (walk(tmp_path, max_files=3).truncated, len(walk(tmp_path, max_files=3).files)) == ("files", 3)
    ticks = iter(range(0, 1000, 60))
    assert walk(tmp_path, clock=lambda: next(ticks)).truncated == "time"


def test_a_single_file_is_a_path_too_and_what_is_missing_is_named(tmp_path: Path) -> None:
    file = put(tmp_path / "one.php")
    found = walk(file, tmp_path / "none")
    assert names(found, tmp_path) == ["one.php"]
    assert found.unreadable == [(str(tmp_path / "none"), "No such file or directory")]


def test_the_kernels_file_systems_are_not_the_site(tmp_path: Path) -> None:
    (tmp_path / "proc").symlink_to("/proc/self")
    assert walk(tmp_path).files == []


def test_names_of_any_bytes(tmp_path: Path) -> None:
    strange = os.fsencode(str(tmp_path)) + b"/\xff \n$HOME.php"
    Path(os.fsdecode(strange)).write_bytes(b"<?php")
    assert [os.fsencode(one.path) for one in walk(tmp_path).files] == [strange]


def test_a_fifo_in_the_place_of_a_file_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.inc")
    assert read_head(str(tmp_path / "a.inc")) == b""
