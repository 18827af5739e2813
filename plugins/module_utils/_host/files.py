# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reads files with errors that name the cure, and replaces files and symlinks so that a crash leaves old or new."""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import Callable, Iterator, Union

PathLike = Union[str, Path]

# Larger than any file that the collection reads whole; keeps a wrong path from eating the host's memory.
MAX_READ_BYTES = 64 * 1024 * 1024
_READ_CHUNK_BYTES = 1024 * 1024
# What follows the target's name in the name of a new file that is not yet renamed: the process, and a random number.
_TEMPORARY = re.compile(r"^([1-9][0-9]{0,9})-[0-9a-f]{16}\.tmp$")


class Unreadable(Exception):
    """A file could not be read: ``path`` says which one, ``reason`` why, as one sentence with the cure.

    ``missing`` tells a file that is not there from one that is closed to us.
    """

    def __init__(self, path: PathLike, reason: str, missing: bool = False) -> None:
        super().__init__(reason)
        self.path = str(path)
        self.reason = reason
        self.missing = missing


_MISSING = (errno.ENOENT, errno.ENOTDIR)


def _why(path: PathLike, error: OSError) -> str:
    """Put an OSError of open(2) or read(2) into one sentence with its cure."""
    if error.errno in _MISSING:
        return f"There is no file {path} on this host."
    if error.errno in (errno.EACCES, errno.EPERM):
        user_id = os.geteuid()
        if user_id == 0:
            return f"{path} may not be read, not even by root: this container or security module forbids it."
        return f"{path} may not be read by the user with id {user_id}: run the task with become."
    if error.errno == errno.ELOOP:
        return f"{path} is a loop of symbolic links: name the file itself."
    return f"{path} can't be read ({os.strerror(error.errno or 0)}): name a file that can."


def read_pieces(path: PathLike, piece_bytes: int = _READ_CHUNK_BYTES) -> Iterator[bytes]:
    """Yield the content of a regular file piece by piece until its end (files in /proc have no size).

    Raises Unreadable, also for folders, devices and FIFOs (which could block for ever).
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Unreadable(path, _why(path, error), error.errno in _MISSING) from error
    except ValueError as error:
        raise Unreadable(path, f"{str(path)!r} is no valid path: take the null byte out of it.") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unreadable(path, f"{path} is not a regular file: name one.")
        while True:
            chunk = os.read(descriptor, piece_bytes)
            if not chunk:
                return
            yield chunk
    except OSError as error:
        raise Unreadable(path, _why(path, error)) from error
    finally:
        os.close(descriptor)


def read_bytes(path: PathLike, max_bytes: int = MAX_READ_BYTES) -> bytes:
    """Return the content of a regular file. Raises Unreadable as read_pieces, and for more than ``max_bytes``."""
    content = bytearray()
    for piece in read_pieces(path):
        content += piece
        if len(content) > max_bytes:
            raise Unreadable(path, f"{path} is larger than {max_bytes} bytes: name the right file.")
    return bytes(content)


def read_text(path: PathLike, max_bytes: int = MAX_READ_BYTES) -> str:
    """Return the content of a regular file as text; bytes that are not UTF-8 become U+FFFD. Raises Unreadable."""
    return read_bytes(path, max_bytes).decode("utf-8", errors="replace")


def bytes_if_there(path: PathLike) -> bytes | None:
    """Return the content of a regular file, None where there is none. Raises Unreadable."""
    try:
        return read_bytes(path)
    except Unreadable as error:
        if error.missing:
            return None
        raise


def text_or_empty(path: PathLike) -> str:
    """Return the content of a regular file as text, "" where it can't be read."""
    try:
        return read_text(path)
    except Unreadable:
        return ""


def link_or_empty(path: PathLike) -> str:
    """Return where a symlink leads, "" where that can't be read."""
    try:
        return os.readlink(path)
    except OSError:
        return ""


def fsync_dir(path: PathLike) -> None:
    """Make the renames inside a folder durable. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_end(path: PathLike, max_bytes: int) -> str:
    """Return the last bytes of a regular file as text, "" for anything else. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            return ""
        file.seek(max(0, status.st_size - max_bytes))
        return file.read(max_bytes).decode("utf-8", "replace")


def _rename_new(target: Path, make: Callable[[Path], None]) -> None:
    """Let ``make`` create a new name beside ``target``, rename it over ``target``, and make that durable."""
    prefix = f".{target.name[:200]}."
    _sweep(target.parent, prefix)
    temporary = target.with_name(f"{prefix}{os.getpid()}-{os.urandom(8).hex()}.tmp")
    try:
        make(temporary)
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    fsync_dir(target.parent)


def _sweep(folder: Path, prefix: str) -> None:
    """Remove the new names that killed processes left: such a name holds the process that made it.

    After a crash of the host that number may be another process.
    """
    boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    with suppress(OSError):
        for path in folder.iterdir():
            made = _TEMPORARY.match(path.name[len(prefix) :]) if path.name.startswith(prefix) else None
            if made and (not Path(f"/proc/{made.group(1)}").exists() or path.lstat().st_mtime < boot):
                path.unlink()


def write_atomic(
    path: PathLike,
    content: str | bytes,
    mode: int,
    uid: int = -1,
    gid: int = -1,
) -> None:
    """Replace a file's content so that a reader, or a crash at any moment, sees the old file or the whole new one.

    ``mode`` is the file's permission bits (the umask has no say), ``uid`` and ``gid`` its owner (-1: the caller's).
    A symlink at ``path`` is replaced, never followed. Text is written as UTF-8. Raises OSError.
    """
    data = content.encode("utf-8", errors="surrogateescape") if isinstance(content, str) else content

    def make(temporary: Path) -> None:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            # The owner first: chown clears the setuid and setgid bits.
            if (uid, gid) != (-1, -1):
                os.fchown(descriptor, uid, gid)
            os.fchmod(descriptor, mode)
            stream.flush()
            os.fsync(descriptor)

    _rename_new(Path(path), make)


def replace_symlink(link: PathLike, target: PathLike) -> None:
    """Point a symlink elsewhere in one rename(2): it exists at every moment, with the old or the new target.

    ``target`` is stored as given, relative targets too. Raises OSError, also when ``link`` is a folder.
    """
    _rename_new(Path(link), lambda temporary: temporary.symlink_to(target))
