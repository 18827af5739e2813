# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host import files


def test_read_text_replaces_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"a\xff\xc3\xa9\n")
    assert files.read_text(path) == "a\ufffdé\n"


def test_read_text_reads_a_file_of_proc_that_has_no_size() -> None:
    assert "MemTotal" in files.read_text("/proc/meminfo")


def test_the_end_of_a_log_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"first\nlast\xff\n")
    assert files.read_end(path, 6) == "last\ufffd\n"
    assert files.read_end(path, 100) == "first\nlast\ufffd\n"
    os.mkfifo(tmp_path / "fifo")
    assert files.read_end(tmp_path / "fifo", 9) == ""
    with pytest.raises(FileNotFoundError):
        files.read_end(tmp_path / "none", 9)


@pytest.mark.parametrize("name", ["absent", "file/below"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(files.Unreadable) as caught:
        files.read_text(tmp_path / name)
    assert caught.value.reason == f"There is no file {tmp_path / name} on this host."
    assert caught.value.path == str(tmp_path / name)
    assert caught.value.missing


@pytest.mark.parametrize(
    ("code", "user_id", "wanted"),
    [
        (errno.EACCES, 1000, "may not be read by the user with id 1000: run the task with become."),
        (errno.EPERM, 33, "may not be read by the user with id 33: run the task with become."),
        (errno.EACCES, 0, "may not be read, not even by root: this container or security module forbids it."),
        (errno.EIO, 0, "can't be read (Input/output error): name a file that can."),
        (errno.ELOOP, 0, "is a loop of symbolic links: name the file itself."),
    ],
)
def test_an_error_of_open_becomes_a_sentence_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, code: int, user_id: int, wanted: str
) -> None:
    def refuse(*_arguments: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(files.os, "open", refuse)
    monkeypatch.setattr(files.os, "geteuid", lambda: user_id)
    with pytest.raises(files.Unreadable) as caught:
        files.read_text("/proc/slabinfo")
    assert caught.value.reason == f"/proc/slabinfo {wanted}"
    assert not caught.value.missing


def test_a_fifo_and_a_folder_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", tmp_path):
        with pytest.raises(files.Unreadable, match="is not a regular file"):
            files.read_text(path)


def test_a_null_byte_in_the_path_is_refused() -> None:
    with pytest.raises(files.Unreadable, match="no valid path"):
        files.read_text("a\0b")


def test_reading_stops_at_the_bound(tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(b"x" * 101)
    with pytest.raises(files.Unreadable, match="larger than 100 bytes"):
        files.read_text(path, max_bytes=100)
    assert len(files.read_text(path, max_bytes=101)) == 101


@pytest.mark.parametrize("content", ["é\n", b"\xff\x00"])
def test_write_atomic_sets_content_and_mode_whatever_the_umask(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "state.json"
    old = os.umask(0o077)
    try:
        files.write_atomic(path, content, 0o664, os.getuid(), os.getgid())
    finally:
        os.umask(old)
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert path.stat().st_mode & 0o7777 == 0o664
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"]


def test_what_a_killed_writer_left_goes_with_the_next_write_and_only_that(tmp_path: Path) -> None:
    target = tmp_path / "state.json"
    child = os.fork()
    if not child:
        # Killed when the new file is whole, and not yet renamed.
        os.fsync = lambda _descriptor: os.kill(os.getpid(), signal.SIGKILL)
        files.write_atomic(target, "{", 0o600)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    (left,) = tmp_path.iterdir()
    alive = tmp_path / f".state.json.{os.getpid()}-0123456789abcdef.tmp"
    theirs = [alive, *(tmp_path / name for name in (".state.json.tmp", ".state.json.1-x.tmp", ".other.json.2-ab.tmp"))]
    for path in theirs:
        path.write_text("")
    files.write_atomic(target, "{}", 0o600)
    assert left.name.startswith(".state.json.") and not left.exists()
    assert sorted(tmp_path.iterdir()) == sorted([target, *theirs])
    # Older than the host's boot: the process of that number is another one.
    os.utime(alive, (1, 1))
    files.write_atomic(target, "{}", 0o600)
    assert sorted(tmp_path.iterdir()) == sorted([target, *theirs[1:]])


def test_write_atomic_replaces_a_symlink_and_leaves_its_target_alone(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("theirs")
    (tmp_path / "link").symlink_to("target")
    files.write_atomic(tmp_path / "link", "ours", 0o600)
    assert (tmp_path / "target").read_text() == "theirs"
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "link").read_text() == "ours"


@pytest.mark.parametrize("broken", ["fsync", "fchmod", "fchown"])
def test_a_failing_write_leaves_the_old_file_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, broken, fail)
    with pytest.raises(OSError, match="No space left"):
        files.write_atomic(path, "new", 0o600, os.getuid(), os.getgid())
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_write_is_on_disk_before_the_rename_and_the_folder_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        name = os.readlink(f"/proc/self/fd/{descriptor}")
        steps.append("fsync folder" if name == str(tmp_path) else "fsync file")
        real_fsync(descriptor)

    def replace(self: Path, target: Path) -> Path:
        steps.append("rename")
        return real_replace(self, target)

    monkeypatch.setattr(files.os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    files.write_atomic(tmp_path / "file", "x", 0o600)
    assert steps == ["fsync file", "rename", "fsync folder"]


def test_a_crash_between_write_and_rename_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    child = os.fork()
    if child == 0:
        Path.replace = lambda *_arguments: os._exit(9)  # type: ignore[assignment,method-assign]
        files.write_atomic(path, "new", 0o600)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert path.read_text() == "old"
    files.write_atomic(path, "new", 0o600)
    assert path.read_text() == "new"


@pytest.mark.parametrize("target", ["../slots/green", "/abs/green"])
def test_replace_symlink_stores_the_target_as_given(tmp_path: Path, target: str) -> None:
    link = tmp_path / "live"
    files.replace_symlink(link, "../slots/blue")
    files.replace_symlink(link, target)
    assert os.readlink(link) == target
    assert [entry.name for entry in tmp_path.iterdir()] == ["live"]


def test_replace_symlink_never_replaces_a_folder(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    with pytest.raises(OSError):
        files.replace_symlink(tmp_path / "live", "x")
    assert [entry.name for entry in tmp_path.iterdir()] == ["live"]


def test_a_reader_never_misses_the_link_while_it_is_swapped(tmp_path: Path) -> None:
    link = tmp_path / "live"
    files.replace_symlink(link, "blue")
    child = os.fork()
    if child == 0:
        for number in range(200):
            files.replace_symlink(link, ("green", "blue")[number % 2])
        os._exit(0)
    seen: set[str] = set()
    while os.waitpid(child, os.WNOHANG)[0] == 0:
        seen.add(os.readlink(link))
    assert seen <= {"blue", "green"}
    assert seen
