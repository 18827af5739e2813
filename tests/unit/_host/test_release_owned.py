# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases that belong to the site's user, who changes them while root works there."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.release import Shape
from ansible_collections.phpops.webhost.plugins.module_utils._host import (
    release,
    release_assets,
    release_place,
    release_shared,
)
from ansible_collections.phpops.webhost.tests.unit._host.release_fixture import GROUP, USER, Host

SHAPE = Shape("", (), (), (), USER, GROUP, 0o755, 0o644)
OWNER = (os.geteuid(), os.getegid())


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return a folder that is none of the site's user, with a file."""
    folder = tmp_path / "outside"
    folder.mkdir(0o700)
    (folder / "shadow").write_text("secret")
    return folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_enters_a_release_before_it_is_whole(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def look(module: Any, name: str) -> None:
        real = getattr(module, name)

        def first(*given: Any, **named: Any) -> Any:
            (place,) = host.releases.glob(".new-*")
            seen.append(mode(place))
            return real(*given, **named)

        monkeypatch.setattr(module, name, first)

    look(release_shared, "make")
    look(release_shared, "link_all")
    look(release._Release, "carry")
    look(release, "sync")
    result = host.build("v1", ("up/f", "1"), ("js/1.js", "1"), shared_dirs=["up"], asset_paths=["js"])
    assert seen == [0o700] * 4
    assert mode(Path(result["release"]["path"])) == 0o755 and mode(Path(result["release"]["path"], "js")) == 0o755


def test_no_asset_is_read_through_a_symlink(host: Host, outside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host.build("v1", ("js/shadow", "1"))
    (host.releases / "v1/js").rename(host.releases / "v1/old")
    (host.releases / "v1/js").symlink_to(outside)
    # It was a directory still when it was looked at.
    monkeypatch.setattr(os.path, "realpath", lambda path: path)
    assert release_assets._find(str(host.releases), "js/shadow", ["v1"]) is None


def test_no_asset_is_read_that_is_not_of_the_release(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.build("v1", ("js/shadow", "1"))
    real = os.fstat

    def linked(descriptor: int) -> os.stat_result:
        found = real(descriptor)
        return found if stat.S_ISDIR(found.st_mode) else os.stat_result((*found[:4], 12345, *found[5:]))

    monkeypatch.setattr(os, "fstat", linked)
    assert release_assets._find(str(host.releases), "js/shadow", ["v1"]) is None


@pytest.mark.parametrize("moment", ["before", "after"])
def test_no_asset_is_written_through_a_symlink(
    host: Host, outside: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    for name, files in (("v1", [("js/deep/1.js", "1"), ("js/a", "")]), ("v2", [("js/a", "")])):
        host.build(name, *files)
    stage, place = host.releases / "stage", host.releases / "v2"
    stage.mkdir()
    real = os.mkdir

    def mkdir(path: Any, mode: int = 0o777, **named: Any) -> None:
        real(path, mode, **named)
        if os.fsencode(path).endswith(b"deep"):
            (place / "js/deep").rmdir()
            (place / "js/deep").symlink_to(outside)

    if moment == "before":
        (place / "js/deep").symlink_to(outside)
    else:
        monkeypatch.setattr(os, "mkdir", mkdir)
    plan = {"js/deep/1.js": ["v1"]}
    assert release_assets.carry(str(host.releases), str(place), plan, str(stage), SHAPE, *OWNER) == 0
    assert mode(outside) == 0o700 and [path.name for path in outside.iterdir()] == ["shadow"]


def test_nothing_shared_is_made_in_a_folder_that_others_may_change(host: Host) -> None:
    host.build("v1", ("a", "1"), shared_dirs=["data"])
    (host.path / "shared/data").chmod(0o777)
    result = host.build("v2", ("a", "2"), shared_dirs=["data/cache"])
    assert result["failed"] and f"{host.path}/shared/data can be changed by others" in result["msg"]
    assert list((host.path / "shared/data").iterdir()) == [] and "v2" not in host.names()


def test_no_mode_is_set_through_a_symlink_on_the_way_to_a_shared_path(
    host: Host, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.build("v1", ("a", "1"))
    real = os.mkdir

    def mkdir(path: Any, mode: int = 0o777, **named: Any) -> None:
        real(path, mode, **named)
        if path == b"data":
            (host.path / "shared/data").rmdir()
            (host.path / "shared/data").symlink_to(outside)

    monkeypatch.setattr(os, "mkdir", mkdir)
    assert host.build("v2", ("a", "2"), shared_dirs=["data/cache"])["failed"]
    assert mode(outside) == 0o700


def test_a_folder_that_its_owner_nested_deeper_than_python_can_go_is_removed(tmp_path: Path) -> None:
    (tmp_path / "v1").mkdir()
    at = os.open(tmp_path / "v1", os.O_RDONLY)
    for _depth in range(1500):
        os.mkdir("d", dir_fd=at)
        inner = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)
    release_place.remove_tree(str(tmp_path / "v1"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_code_is_not_reached_through_a_symlink_of_somebody_else(host: Host, outside: Path) -> None:
    home = host.folder / "home"
    home.mkdir()
    (home / "app").symlink_to(outside)
    code = {"kind": "tree", "path": str(home / "app")}
    assert not host.run(source=code).get("failed")
    home.chmod(0o777)
    result = host.run(source=code, id="v2")
    assert result["failed"] and f"{home}/app is a symlink that others than root can change" in result["msg"]
