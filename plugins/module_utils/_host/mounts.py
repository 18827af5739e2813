# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Mounts by fstab and reads back what is mounted."""

from __future__ import annotations

import os
from typing import Any, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.memory_limits import Mount, parse_mountinfo
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir import TmpdirError
from ansible_collections.phpops.webhost.plugins.module_utils._host import systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import read_text

MOUNTINFO = "/proc/self/mountinfo"


def at(target: str, mountinfo: str = MOUNTINFO) -> Mount | None:
    """Return what is mounted on a folder, of several mounts the one on top, None for none. Raises Unreadable."""
    found = [one for one in parse_mountinfo(read_text(mountinfo)) if one.path == target]
    return found[-1] if found else None


def used_bytes(target: str) -> int:
    """Return what the files of a tmpfs take. Raises OSError."""
    space = os.statvfs(target)
    return (space.f_blocks - space.f_bfree) * space.f_frsize


def size_bytes(target: str) -> int:
    """Return the size of a tmpfs, 0 where it has no limit. Raises OSError."""
    space = os.statvfs(target)
    return space.f_blocks * space.f_frsize


def is_so(target: str, size: int, mountinfo: str = MOUNTINFO) -> bool:
    """Return whether a tmpfs of this size (the kernel rounds up to pages) is mounted there with nosuid and nodev."""
    now = at(target, mountinfo)
    if now is None or now.fstype != "tmpfs" or not {"nosuid", "nodev"} <= set(now.options.split(",")):
        return False
    return 0 <= size_bytes(target) - size < os.sysconf("SC_PAGE_SIZE")


def described(targets: Sequence[str], mountinfo: str = MOUNTINFO) -> list[dict[str, Any]]:
    """Return what is mounted now on each of the folders: {path, size_bytes, used_bytes, options}."""
    found = []
    for target in targets:
        now = at(target, mountinfo)
        if now is not None:
            options = f"{now.options},{now.super_options}"
            numbers = {"size_bytes": size_bytes(target), "used_bytes": used_bytes(target)}
            found.append({"path": target, "options": options, **numbers})
    return found


def mount(run: systemd.Run, target: str) -> None:
    """Mount a folder as fstab says. Raises TmpdirError."""
    _do(run, ["mount", target])


def remount(run: systemd.Run, target: str, options: str = "") -> None:
    """Change a mount to what fstab says, as systemd-remount-fs does at boot, and ``options``. Raises TmpdirError."""
    _do(run, ["mount", "-o", f"remount,{options}" if options else "remount", target])


def unmount(run: systemd.Run, target: str) -> None:
    """Take a mount away. Raises TmpdirError where a process still uses it."""
    _do(run, ["umount", target])


def _do(run: systemd.Run, words: list[str]) -> None:
    status, out, err = run(words)
    if status != 0:
        said = " ".join((err or out).split()) or f"status {status}"
        raise TmpdirError(f"`{' '.join(words)}` failed: {said}")
