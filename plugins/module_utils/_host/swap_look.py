# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reads what swap a host has: active areas, files of ours, fstab, the disk and the memory."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from ansible_collections.phpops.webhost.plugins.module_utils._core.fstab import parse_fstab
from ansible_collections.phpops.webhost.plugins.module_utils._core.meminfo import parse_meminfo
from ansible_collections.phpops.webhost.plugins.module_utils._core.memory_limits import Mount, parse_mountinfo
from ansible_collections.phpops.webhost.plugins.module_utils._core.swap_plan import File, Seen
from ansible_collections.phpops.webhost.plugins.module_utils._core.swaps import (
    file_number,
    holds_swap_area,
    is_unfinished,
    parse_swaps,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import read_text
from ansible_collections.phpops.webhost.plugins.module_utils._host.fstab import FSTAB, SCRATCH, read_fstab

LOCK = "/run/lock/phpops-swap"


@dataclass(frozen=True)
class Paths:
    """Where the host's files are; others than these are for tests."""

    swaps: str = "/proc/swaps"
    meminfo: str = "/proc/meminfo"
    mountinfo: str = "/proc/self/mountinfo"
    fstab: str = FSTAB
    lock: str = LOCK
    scratch: str = SCRATCH


def free_bytes(path: str) -> int:
    """Return what a file system has free for users. Raises OSError."""
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize


def look(directory: str, paths: Paths, free: Callable[[str], int] = free_bytes) -> Seen:
    """Return what is there; ``directory`` without symlinks, as /proc/swaps shows paths. Raises Unreadable, OSError."""
    there = _existing(directory)
    fstab = read_fstab(paths.fstab)
    memory = parse_meminfo(read_text(paths.meminfo))
    names = {str(path) for path in Path(directory).glob("phpops-*") if file_number(str(path))}
    names |= {entry.source for entry in parse_fstab(fstab) if entry.kind == "swap" and file_number(entry.source)}
    active = parse_swaps(read_text(paths.swaps))
    # On, and perhaps in another directory: a run that was killed before it wrote fstab.
    names |= {swap.path for swap in active if swap.ours}
    unfinished = sorted(str(path) for path in Path(directory).glob("phpops-*") if is_unfinished(path.name))
    return Seen(
        active=active,
        files=[file for file in map(_file, sorted(names)) if file],
        unfinished=[file for file in map(_file, unfinished) if file],
        fstab=fstab,
        directory=directory,
        file_system=_file_system(parse_mountinfo(read_text(paths.mountinfo)), there),
        free_bytes=free(there),
        memory_bytes=memory.get("MemTotal", 0),
        available_bytes=memory.get("MemAvailable", 0),
        page_bytes=os.sysconf("SC_PAGE_SIZE"),
    )


def _file(path: str) -> File | None:
    """Return the swap file of a path, None where there is none."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    private = stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o600 and status.st_uid == os.geteuid()
    whole = False
    if private:
        with Path(path).open("rb") as stream:
            whole = holds_swap_area(stream.read(os.sysconf("SC_PAGE_SIZE")))
    return File(path, status.st_size, whole)


def _existing(directory: str) -> str:
    """Return the folder, or the nearest one above it that exists."""
    path = Path(directory)
    while not path.exists():
        path = path.parent
    return str(path)


def _file_system(mounts: list[Mount], path: str) -> str:
    """Return the type of the file system that a resolved path is on."""
    best: Mount | None = None
    for mount in mounts:
        inside = mount.path == "/" or path == mount.path or path.startswith(mount.path + "/")
        # Of two mounts on one place the later one lies on top.
        if inside and (best is None or len(mount.path) >= len(best.path)):
            best = mount
    return best.fstype if best else "an unknown file system"
