# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives and directories as releases, good ones and hostile ones."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.release import Source, wanted_of
from ansible_collections.phpops.webhost.plugins.module_utils._host.release_build import Builder
from ansible_collections.phpops.webhost.plugins.module_utils._host.release_read import (
    open_archive,
    read_tree,
    unpack,
)
from ansible_collections.phpops.webhost.tests.unit._host.release_fixture import member, tar
from hypothesis import given
from hypothesis import strategies as st

SHAPE = wanted_of({"site": "wiki", "path": "/srv/wiki", "id": "x", "state": "present"}).shape


def fill(path: Path, root: Path | None, **options: Any) -> Builder:
    """Unpack an archive into a new folder."""
    if root is not None:
        root.mkdir(mode=0o700)
    builder = Builder(str(root) if root else None, SHAPE, os.geteuid(), os.getegid())
    with open_archive(str(path)) as file:
        unpack(file, Source("archive", str(path), **options), builder)
    builder.tree.check_links()
    builder.finish()
    return builder


def zipped(path: Path, *entries: tuple[str, int, bytes]) -> Path:
    """Write a zip as a Unix tool does: names with modes."""
    with zipfile.ZipFile(str(path), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, mode, content in entries:
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, mode << 16
            archive.writestr(info, content)
    return path


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_every_kind_of_tar_is_told_by_its_content(tmp_path: Path, mode: str) -> None:
    path = Path(tar(tmp_path / "a.bin", ("d/a b\n.php", "one"), ("\udcff", "two"), mode=mode))
    builder = fill(path, tmp_path / "out")
    assert (tmp_path / "out/d/a b\n.php").read_text() == "one"
    assert (Path(os.fsdecode(os.fsencode(str(tmp_path / "out")) + b"/\xff"))).read_text() == "two"
    assert builder.tree.digest() == fill(path, None).tree.digest()


def test_modes_are_the_options_and_only_the_executable_bit_is_kept(tmp_path: Path) -> None:
    members = [
        member("suid", mode=0o6777),
        member("plain", mode=0o666),
        member("odd", mode=0o611),
        member("d", tarfile.DIRTYPE, mode=0o7777),
    ]
    fill(Path(tar(tmp_path / "a.tgz", *members)), tmp_path / "out")
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").iterdir()}
    assert found == {"suid": 0o755, "plain": 0o644, "odd": 0o644, "d": 0o755}


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([("/etc/passwd", "x")], "absolute path"),
        ([("../x", "x")], "leads upwards"),
        ([("a/../../x", "x")], "leads upwards"),
        ([member("l", tarfile.SYMTYPE, "/tmp"), ("l/x", "x")], "leads through the link 'l'"),
        ([member("l", tarfile.SYMTYPE, "d"), ("d/y", "y"), ("l/x", "x")], "leads through the link 'l'"),
        ([member("l", tarfile.SYMTYPE, "/etc/passwd"), ("l", "x")], "is there as link and as file"),
        ([member("l", tarfile.SYMTYPE, "/etc/passwd")], "leads out of the release"),
        ([member("l", tarfile.SYMTYPE, "../x")], "leads out of the release"),
        ([member("d/e/t", tarfile.SYMTYPE, "../.."), member("l", tarfile.SYMTYPE, "d/e/t/../x")], "leads out"),
        ([member("h", tarfile.LNKTYPE, "/etc/passwd")], "absolute path"),
        ([member("h", tarfile.LNKTYPE, "../x")], "leads upwards"),
        ([member("h", tarfile.LNKTYPE, "nowhere")], "not there before"),
        ([member("l", tarfile.SYMTYPE, "x"), member("h", tarfile.LNKTYPE, "l")], "not there before"),
        ([member("p", tarfile.FIFOTYPE)], "a device or pipe"),
        ([member("c", tarfile.CHRTYPE)], "a device or pipe"),
        ([("f", "x"), ("f/y", "y")], "leads through the file 'f'"),
    ],
)
def test_a_hostile_tar_is_refused_and_writes_nothing_outside(tmp_path: Path, members: Any, said: str) -> None:
    path = Path(tar(tmp_path / "a.tgz", *members))
    with pytest.raises(StepFailed) as failed:
        fill(path, tmp_path / "out")
    assert said in str(failed.value)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.tgz", "out"]
    with pytest.raises(StepFailed) as failed:
        fill(path, None)
    assert said in str(failed.value)


def test_a_hard_link_becomes_a_copy_and_the_last_of_two_files_counts(tmp_path: Path) -> None:
    path = Path(tar(tmp_path / "a.tgz", ("t/a", "1"), member("t/b", tarfile.LNKTYPE, "t/a"), ("t/a", "2")))
    fill(path, tmp_path / "out", strip_components=1)
    assert [(tmp_path / "out" / name).read_text() for name in "ab"] == ["2", "1"]
    assert (tmp_path / "out/b").stat().st_nlink == 1


def test_strip_and_subdirectory_choose(tmp_path: Path) -> None:
    path = Path(tar(tmp_path / "a.tgz", ("t/web/a", "1"), ("t/web/d/b", "2"), ("t/other/c", "3"), ("README", "4")))
    builder = fill(path, tmp_path / "out", strip_components=1, subdirectory="web")
    assert sorted(builder.tree.nodes) == ["a", "d", "d/b"]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_an_archive_that_is_cut_off_anywhere_is_refused(tmp_path: Path, mode: str) -> None:
    whole = Path(tar(tmp_path / "whole", ("a", "1" * 3000), ("b", "2"), ("c", "3"), mode=mode)).read_bytes()
    end = whole.rstrip(b"\0") if mode == "w" else whole
    places = {*range(0, len(end), max(1, len(end) // 60)), 512, 4096, 5120, 4096 + 512, len(end) - 1}
    for place in sorted(place for place in places if place < len(end)):
        (tmp_path / "cut").write_bytes(whole[:place])
        with pytest.raises(StepFailed):
            fill(tmp_path / "cut", None)


def test_a_header_that_is_broken_does_not_end_the_archive(tmp_path: Path) -> None:
    path = Path(tar(tmp_path / "a.tar", ("a", "1"), ("b", "2"), mode="w"))
    data = bytearray(path.read_bytes())
    data[1024 + 10] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(StepFailed, match="is not whole"):
        fill(path, None)


@given(st.binary(max_size=600), st.sampled_from([b"", b"PK\x03\x04", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\x00"]))
def test_no_bytes_break_the_reader(data: bytes, head: bytes) -> None:
    with pytest.raises(StepFailed):
        unpack(io.BytesIO(head + data + b"x"), Source("archive", "/a"), Builder(None, SHAPE, 0, 0))


@given(st.integers(0, 4000), st.integers(0, 255))
def test_no_changed_byte_breaks_the_reader(place: int, value: int) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", "1" * 500)
        archive.writestr("d/b", "2")
    data = bytearray(packed.getvalue())
    data[place % len(data)] = value
    try:
        unpack(io.BytesIO(bytes(data)), Source("archive", "/a"), Builder(None, SHAPE, 0, 0))
    except StepFailed as failed:
        assert str(failed)


def test_a_zip_keeps_symlinks_and_the_executable_bit(tmp_path: Path) -> None:
    path = zipped(
        tmp_path / "a.zip",
        ("bin/run", stat.S_IFREG | 0o755, b"1"),
        ("d/", stat.S_IFDIR | 0o755, b""),
        ("link", stat.S_IFLNK | 0o777, b"bin/run"),
        ("plain", stat.S_IFREG | 0o644, "ü".encode()),
    )
    fill(path, tmp_path / "out")
    assert stat.S_IMODE((tmp_path / "out/bin/run").stat().st_mode) == 0o755
    assert str((tmp_path / "out/link").readlink()) == "bin/run"
    assert (tmp_path / "out/d").is_dir()


@pytest.mark.parametrize(
    ("name", "mode", "content", "said"),
    [
        ("../x", stat.S_IFREG, b"", "leads upwards"),
        ("/x", stat.S_IFREG, b"", "absolute path"),
        ("l", stat.S_IFLNK, b"/etc/passwd", "leads out of the release"),
        ("l", stat.S_IFLNK, b"", "no target"),
        ("l", stat.S_IFLNK, b"x" * 5000, "target too long"),
        ("p", stat.S_IFIFO, b"", "a device or pipe"),
    ],
)
def test_a_hostile_zip_is_refused(tmp_path: Path, name: str, mode: int, content: bytes, said: str) -> None:
    path = zipped(tmp_path / "a.zip", ("ok", stat.S_IFREG, b"1"), (name, mode | 0o644, content))
    with pytest.raises(StepFailed) as failed:
        fill(path, tmp_path / "out")
    assert said in str(failed.value)


def test_a_zip_of_unix_without_a_code_has_the_bytes_of_the_names(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", ("caf\xe9", stat.S_IFREG, b"1"))
    # As packed with names in UTF-8, and without the flag that says so.
    data = path.read_bytes()
    for head in (b"PK\x03\x04", b"PK\x01\x02"):
        at = data.index(head) + (6 if head.endswith(b"\x04") else 8)
        data = data[:at] + b"\0\0" + data[at + 2 :]
    path.write_bytes(data)
    assert list(fill(path, None).tree.nodes) == ["caf\xe9"]


def test_an_unknown_kind_of_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\x28\xb5\x2f\xfd" + b"x" * 100)
    with pytest.raises(StepFailed, match="packed with zstd"):
        fill(tmp_path / "a", None)


def test_an_archive_that_is_a_symlink_or_a_pipe_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(str(tmp_path / "pipe"))
    for name in ("link", "pipe", "missing"):
        with pytest.raises(StepFailed, match=f"{name} (can't be opened|is not a regular file)"):
            fill(tmp_path / name, None)


def test_a_directory_is_copied_without_following_links(tmp_path: Path) -> None:
    code = tmp_path / "code"
    (code / "d").mkdir(parents=True)
    (code / "d/run").write_text("1")
    (code / "d/run").chmod(0o775)
    (code / "link").symlink_to("d")
    root = tmp_path / "out"
    root.mkdir()
    builder = Builder(str(root), SHAPE, os.geteuid(), os.getegid())
    read_tree(Source("tree", str(code)), builder, str(tmp_path / "srv"))
    builder.finish()
    assert sorted(builder.tree.nodes) == ["d", "d/run", "link"]
    assert (root / "link").is_symlink()
    assert stat.S_IMODE((root / "d/run").stat().st_mode) == 0o755


def test_a_directory_with_a_pipe_or_with_the_releases_is_refused(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    os.mkfifo(str(tmp_path / "code/pipe"))
    builder = Builder(None, SHAPE, 0, 0)
    with pytest.raises(StepFailed, match="'pipe', a device, pipe or socket"):
        read_tree(Source("tree", str(tmp_path / "code")), builder, "/srv/wiki")
    for avoid in (tmp_path / "code", tmp_path / "code/srv"):
        with pytest.raises(StepFailed, match="where releases are kept"):
            read_tree(Source("tree", str(tmp_path / "code")), builder, str(avoid))
