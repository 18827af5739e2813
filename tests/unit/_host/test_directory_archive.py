# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import socket
import tarfile
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._host.directory_archive import pack


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    (folder / "public").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("secret")
    (folder / "public" / "index.php").write_text("<?php")
    (folder / "run").write_text("#!/bin/sh")
    (folder / "run").chmod(0o755)
    (folder / "web").symlink_to("public")
    return folder


def _pack(
    code: Path, name: str = "a.tar.gz", exclude: tuple[str, ...] = (".git",)
) -> tuple[str, list[tarfile.TarInfo]]:
    made = pack(str(code), str(code.parent / name), exclude)
    with tarfile.open(made.path) as tar:
        return made.sha256, tar.getmembers()


def test_the_content_is_packed_without_owners_and_times(code: Path) -> None:
    made = pack(str(code), str(code.parent / "a.tar.gz"), [".git"])
    assert (made.files, made.bytes) == (2, 14)
    _sum, members = _pack(code)
    assert [member.name for member in members] == ["public", "public/index.php", "run", "web"]
    assert {(member.uid, member.gid, member.uname, member.mtime) for member in members} == {(0, 0, "", 0)}
    by_name = {member.name: member for member in members}
    assert by_name["run"].mode == 0o755
    assert (by_name["web"].issym(), by_name["web"].linkname) == (True, "public")


def test_the_same_content_is_the_same_archive(code: Path) -> None:
    first, _members = _pack(code)
    os.utime(code / "run", (1, 1))
    assert _pack(code, "b.tar.gz")[0] == first
    (code / "run").write_text("#!/bin/bash")
    assert _pack(code, "c.tar.gz")[0] != first


def test_a_hard_link_is_packed_as_a_file(code: Path) -> None:
    os.link(code / "run", code / "same")
    assert {member.name: member.isreg() for member in _pack(code)[1]}["same"]


def test_what_cannot_be_packed_is_named(code: Path) -> None:
    with pytest.raises(StepFailed, match="is no folder on the controller"):
        pack(str(code / "none"), str(code.parent / "a"))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(code / "s.sock"))
    with pytest.raises(StepFailed, match=r"s\.sock is no file, folder or symlink"):
        _pack(code)
    _pack(code, exclude=("*.sock",))
    with pytest.raises(StepFailed, match="holds no file that is not excluded"):
        _pack(code, exclude=("*",))
    with pytest.raises(StepFailed, match="could not be packed"):
        pack(str(code), str(code / "none" / "a.tar.gz"))
