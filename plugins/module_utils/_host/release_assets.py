# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Carries old assets into a release: pages that are open in browsers still ask for them."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.release import Shape
from ansible_collections.phpops.webhost.plugins.module_utils._host.release_build import CHUNK_BYTES, raw, write_all


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
            if not _make_way(place, path, shape, uid, gid):
                continue
            done += _copy(source, raw(f"{stage}/{number}"), raw(f"{place}/{path}"), shape, uid, gid)
        finally:
            os.close(source)
    return done


def _find(releases: str, path: str, names: Sequence[str]) -> int | None:
    """Open the first regular file of that path in the releases named, not through a symlink."""
    for name in names:
        full = raw(f"{releases}/{name}/{path}")
        if os.path.realpath(full) != os.path.join(os.path.realpath(raw(releases)), raw(f"{name}/{path}")):
            continue
        with suppress(OSError):
            descriptor = os.open(full, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                return descriptor
            os.close(descriptor)
    return None


def _make_way(place: str, path: str, shape: Shape, uid: int, gid: int) -> bool:
    """Make the folders above an asset; False where the new release has something else there."""
    at = place
    for name in path.split("/")[:-1]:
        at = f"{at}/{name}"
        try:
            os.mkdir(raw(at), 0o700)
        except FileExistsError:
            if os.path.islink(raw(at)) or not os.path.isdir(raw(at)):
                return False
            continue
        os.chown(raw(at), uid, gid)
        os.chmod(raw(at), shape.dir_mode)
    return True


def _copy(source: int, temporary: bytes, target: bytes, shape: Shape, uid: int, gid: int) -> int:
    """Copy one file; 0 when something has its name already."""
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
        os.link(temporary, target)
    except FileExistsError:
        return 0
    finally:
        os.unlink(temporary)
    return 1
