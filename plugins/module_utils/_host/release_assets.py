# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Carries old assets into a release: pages that are open in browsers still ask for them."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from typing import Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.release import Shape
from ansible_collections.phpops.webhost.plugins.module_utils._host.release_build import (
    CHUNK_BYTES,
    FOLDER,
    folder_in,
    raw,
    write_all,
)


def lacking(place: str, plan: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """Return the part of a plan that a release's directory doesn't have yet."""
    return {path: names for path, names in plan.items() if not os.path.lexists(raw(f"{place}/{path}"))}


def carry(
    releases: str, place: str, plan: Mapping[str, Sequence[str]], stage: str, shape: Shape, uid: int, gid: int
) -> int:
    """Copy the assets of a plan into a release; return how many there were to be had.

    Each gets its name when it is whole: the release may be the one that is live. ``stage`` is a folder on the same file
    system for copies that are being written. Raises OSError.
    """
    done = 0
    for number, (path, names) in enumerate(plan.items()):
        source = _find(releases, path, names)
        if source is None:
            continue
        try:
            parent = _make_way(place, path, shape, uid, gid)
            if parent is None:
                continue
            try:
                done += _copy(source, raw(f"{stage}/{number}"), parent, raw(path.rpartition("/")[2]), shape, uid, gid)
            finally:
                os.close(parent)
        finally:
            os.close(source)
    return done


def _find(releases: str, path: str, names: Sequence[str]) -> int | None:
    """Open the first regular file of that path in the releases named, through no symlink, and no other owner's."""
    for name in names:
        with suppress(OSError):
            at = os.open(raw(f"{releases}/{name}"), FOLDER)
            try:
                owner = os.fstat(at).st_uid
                *folders, last = (raw(part) for part in path.split("/"))
                for folder in folders:
                    at = _inner(at, folder)
                descriptor = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)
            finally:
                os.close(at)
            found = os.fstat(descriptor)
            # A hard link to the file of somebody else is none that was built.
            if stat.S_ISREG(found.st_mode) and found.st_uid == owner:
                return descriptor
            os.close(descriptor)
    return None


def _inner(at: int, name: bytes, mode: int | None = None, uid: int = -1, gid: int = -1) -> int:
    """Go from one open folder into one of its own, and close the first. Raises OSError, and leaves the first open."""
    inner = folder_in(at, name, mode, uid, gid)
    os.close(at)
    return inner


def _make_way(place: str, path: str, shape: Shape, uid: int, gid: int) -> int | None:
    """Open the folder that an asset goes to, made where it is missing; None where the release has something else."""
    at = os.open(raw(place), FOLDER)
    try:
        for name in path.split("/")[:-1]:
            at = _inner(at, raw(name), shape.dir_mode, uid, gid)
    except (FileExistsError, NotADirectoryError):
        os.close(at)
        return None
    except OSError as error:
        os.close(at)
        if error.errno == errno.ELOOP:
            return None
        raise
    return at


def _copy(source: int, temporary: bytes, parent: int, name: bytes, shape: Shape, uid: int, gid: int) -> int:
    """Copy one file into an open folder; 0 when something has its name already."""
    executable = bool(os.fstat(source).st_mode & 0o100)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        data = os.read(source, CHUNK_BYTES)
        while data:
            write_all(descriptor, data)
            data = os.read(source, CHUNK_BYTES)
        os.fchown(descriptor, uid, gid)
        os.fchmod(descriptor, shape.mode(executable))
    finally:
        os.close(descriptor)
    try:
        os.link(temporary, name, dst_dir_fd=parent)
    except FileExistsError:
        return 0
    finally:
        os.unlink(temporary)
    return 1
