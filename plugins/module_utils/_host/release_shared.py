# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Makes the folders and files that releases share, and links them into a release that is being built."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import suppress
from typing import Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.release import (
    LEFTOVER,
    Shape,
    Wanted,
    link_target,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.release_shared import Share
from ansible_collections.phpops.webhost.plugins.module_utils._host.release_build import Builder, folder_in, raw
from ansible_collections.phpops.webhost.plugins.module_utils._host.release_place import new_name


def look(shared: str, shape: Shape) -> dict[str, str | None]:
    """Return by shared path what is there now: directory, file, link, or None."""
    return {path: _kind(f"{shared}/{path}") for path in shape.shared}


def _kind(path: str) -> str | None:
    try:
        mode = os.lstat(raw(path)).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    return "directory" if stat.S_ISDIR(mode) else "link" if stat.S_ISLNK(mode) else "file"


def _open_parent(shared: str, path: str) -> int:
    """Open the folder that a shared path lies in, made where it is missing; a symlink on the way is refused.

    The way is root's, so that nobody can lead what root makes there elsewhere.
    """
    at, place = os.open(shared, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), shared
    try:
        _check_way(at, place, path)
        for name in path.split("/")[:-1]:
            try:
                inner = folder_in(at, raw(name), 0o755)
            except OSError as error:
                raise StepFailed(
                    f"{shared}/{path} can't be made: {name} on the way is no directory ({error.strerror})."
                ) from error
            os.close(at)
            at, place = inner, f"{place}/{name}"
            _check_way(at, place, path)
    except BaseException:
        os.close(at)
        raise
    return at


def _check_way(descriptor: int, place: str, path: str) -> None:
    """StepFailed when another than we could put something in the place of what is made in a folder."""
    found = os.fstat(descriptor)
    if found.st_uid not in (0, os.geteuid()) or found.st_mode & 0o022:
        raise StepFailed(
            f"{place} can be changed by others than root (owner {found.st_uid}, mode"
            f" {stat.S_IMODE(found.st_mode):04o}), so root makes nothing in it for the shared path {path!r}: make that"
            f" there by hand, or make {place} root's, writable by root alone."
        )


def make(wanted: Wanted, plan: Sequence[Share], builder: Builder | None, uid: int, gid: int) -> None:
    """Make what the plan says, each by one rename; seeds come from the builder's tree. Raises StepFailed, OSError."""
    shared = f"{wanted.path}/shared"
    for share in plan:
        if share.action not in ("made", "seeded"):
            continue
        parent, name = _open_parent(shared, share.path), raw(share.path.rpartition("/")[2])
        try:
            if builder is not None and share.action == "seeded":
                new = builder.path(share.path)
            else:
                new = raw(f"{wanted.releases}/{new_name('new', 'shared')}")
                os.mkdir(new, 0o700)
                os.chmod(new, wanted.shape.dir_mode)
            _give(new, uid, gid)
            _move(new, parent, name)
            os.fsync(parent)
        finally:
            os.close(parent)


def _give(path: bytes, uid: int, gid: int) -> None:
    """Give a tree that nobody else can reach yet to the site's user."""
    os.chown(path, uid, gid, follow_symlinks=False)
    for folder, names, files in os.walk(path):
        for name in names + files:
            os.chown(os.path.join(folder, name), uid, gid, follow_symlinks=False)


def _move(path: bytes, parent: int, name: bytes) -> None:
    """Move a seed to its place; another file system (a mounted shared folder) gets a copy first, under another name."""
    try:
        os.rename(path, name, dst_dir_fd=parent)
        return
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    found, folder = os.lstat(path), raw(f"/proc/self/fd/{parent}/")
    for left in os.listdir(folder):
        if left.startswith(b".new-seed-") and LEFTOVER.fullmatch(os.fsdecode(left)):
            _remove(folder + left)
    there = folder + raw(new_name("new", "seed"))
    try:
        _copy(path, there, found)
        os.rename(there, name, dst_dir_fd=parent)
    except BaseException:
        with suppress(OSError):
            _remove(there)
        raise
    _remove(path)


def _remove(path: bytes) -> None:
    """Remove a file, a symlink or a tree, never through a symlink. Raises OSError."""
    if stat.S_ISDIR(os.lstat(path).st_mode):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def _copy(path: bytes, there: bytes, found: os.stat_result) -> None:
    """Copy a tree with owners and modes; symlinks stay symlinks."""
    if stat.S_ISDIR(found.st_mode):
        os.mkdir(there, 0o700)
        for name in os.listdir(path):
            inner = os.path.join(path, name)
            _copy(inner, os.path.join(there, name), os.lstat(inner))
    elif stat.S_ISLNK(found.st_mode):
        os.symlink(os.readlink(path), there)
    else:
        shutil.copyfile(path, there, follow_symlinks=False)
    os.chown(there, found.st_uid, found.st_gid, follow_symlinks=False)
    if not stat.S_ISLNK(found.st_mode):
        os.chmod(there, stat.S_IMODE(found.st_mode))


def link_all(plan: Sequence[Share], builder: Builder) -> None:
    """Put the links into the tree in the place of its own content, which is seeded by now or left out."""
    for share in plan:
        place = builder.path(share.path)
        if builder.root is not None and os.path.lexists(place):
            _remove(place)
        builder.tree.drop(share.path)
        builder.link(share.path, link_target(share.path))
