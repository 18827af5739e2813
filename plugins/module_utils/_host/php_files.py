# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Finds the PHP files below a site's paths: by real path, through symbolic links to folders, safe against loops."""

from __future__ import annotations

import os
import stat
import time
from fnmatch import fnmatch
from pathlib import Path
from typing import Callable, NamedTuple, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.runtime_php import PhpFile

# Filesystems of the kernel: a link that leads there is followed no further.
KERNEL_ROOTS = ("/proc", "/sys", "/dev")
HEAD_BYTES = 4096


class Walk(NamedTuple):
    """What was found: files by real path, paths that could not be read, and why the walk ended early if it did."""

    files: list[PhpFile]
    unreadable: list[tuple[str, str]]
    truncated: str | None  # None | files | time


def find_php_files(
    paths: Sequence[str],
    extensions: Sequence[str],
    exclude: Sequence[str],
    max_files: int,
    max_seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> Walk:
    """Return every PHP file below ``paths`` once, sorted by real path.

    A file counts when its name ends in one of ``extensions``; a name other than ``*.php`` must hold ``<?`` in its
    first 4 KiB. ``exclude`` holds shell patterns for whole real paths (``*`` crosses slashes) or folders. The walk
    follows links to folders by their real path, so each folder is read once, and stops after ``max_files`` files or
    ``max_seconds``.
    """
    end = clock() + max_seconds
    pending = [os.path.realpath(path) for path in reversed(paths)]
    seen: set[str] = set()
    files: dict[str, PhpFile] = {}
    unreadable: list[tuple[str, str]] = []
    while pending:
        if clock() > end:
            return Walk(_sorted(files), unreadable, "time")
        path = pending.pop()
        if path in seen or _shut_out(path, exclude):
            continue
        seen.add(path)
        try:
            folders = _read(path, tuple(extensions), exclude, files)
        except OSError as error:
            unreadable.append((path, os.strerror(error.errno or 0)))
            continue
        pending.extend(sorted(folders, reverse=True))
        if len(files) > max_files:
            return Walk(_sorted(files)[:max_files], unreadable, "files")
    return Walk(_sorted(files), unreadable, None)


def _sorted(files: dict[str, PhpFile]) -> list[PhpFile]:
    return [files[path] for path in sorted(files)]


def _shut_out(path: str, exclude: Sequence[str]) -> bool:
    if any(path == root or path.startswith(root + "/") for root in KERNEL_ROOTS):
        return True
    return any(fnmatch(path, pattern) or path.startswith(pattern.rstrip("/") + "/") for pattern in exclude)


def _read(path: str, extensions: tuple[str, ...], exclude: Sequence[str], files: dict[str, PhpFile]) -> list[str]:
    """Put the PHP files of one folder (or the one file) into ``files``; return the real paths of its folders."""
    folder_stat = Path(path).stat()
    if stat.S_ISREG(folder_stat.st_mode):
        _take(path, folder_stat, Path(path).parent.stat(), extensions, exclude, files)
        return []
    folders = []
    with os.scandir(path) as entries:
        for entry in entries:
            real = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
            try:
                found = Path(real).stat() if entry.is_symlink() else entry.stat(follow_symlinks=False)
            except OSError:
                continue  # a link to nothing, or a file that has just gone
            if stat.S_ISDIR(found.st_mode):
                folders.append(real)
            elif stat.S_ISREG(found.st_mode):
                _take(real, found, folder_stat, extensions, exclude, files)
    return folders


def _take(
    path: str,
    found: os.stat_result,
    folder: os.stat_result,
    extensions: tuple[str, ...],
    exclude: Sequence[str],
    files: dict[str, PhpFile],
) -> None:
    if path in files or not path.endswith(extensions) or _shut_out(path, exclude):
        return
    if not path.endswith(".php") and b"<?" not in read_head(path):
        return
    files[path] = PhpFile(
        path,
        found.st_size,
        found.st_mtime,
        found.st_ctime,
        found.st_uid,
        found.st_gid,
        found.st_mode,
        folder.st_uid,
        folder.st_gid,
        folder.st_mode,
    )


def read_head(path: str) -> bytes:
    """Return a file's first 4 KiB, nothing when it can't be read."""
    try:
        # Without blocking: the site's user may have put a FIFO in the place of the file that was found.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            return file.read(HEAD_BYTES) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    except OSError:
        return b""
