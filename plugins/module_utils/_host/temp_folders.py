# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Where processes put their temporary files, and what kind of file system that is for them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core import shm
from ansible_collections.phpops.webhost.plugins.module_utils._core.environ import environment_value
from ansible_collections.phpops.webhost.plugins.module_utils._core.memory_limits import mount_of, parse_mountinfo
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text

DEFAULT = "/tmp"
# PHP-FPM has ways of its own to say it, which its environment does not show: opcache_facts asks it.
KINDS = (shm.APACHE, shm.MOD_PHP, shm.PHP_CGI)


def fstype(path: str, pid: int, proc: str = "/proc") -> str | None:
    """Return the kind of the file system that a path is on for a process (PrivateTmp=), None where it can't be told."""
    try:
        mounts = parse_mountinfo(read_text(f"{proc}/{pid}/mountinfo"))
    except Unreadable:
        return None
    found = mount_of(mounts, path.rstrip("/") or "/") if path.startswith("/") else None
    return found.fstype if found else None


def of_group(group: shm.Group, proc: str = "/proc") -> list[dict[str, Any]] | None:
    """Return {path, fstype, processes} of each TMPDIR of a group's processes (/tmp without one), the most used first.

    None for a group of another kind, and where no environment can be read. Only the first 100 processes are looked at.
    """
    if group.kind not in KINDS:
        return None
    pids: dict[str, int] = {}
    counts: Counter[str] = Counter()
    for process in group.processes[: shm.MAX_PIDS]:
        try:
            environ = (Path(proc) / str(process.pid) / "environ").read_bytes()
        except OSError:
            continue
        path = environment_value(environ, "TMPDIR") or DEFAULT
        counts[path] += 1
        pids.setdefault(path, process.pid)
    found = [
        {"path": path, "fstype": fstype(path, pids[path], proc), "processes": count}
        for path, count in counts.most_common(shm.MAX_USERS)
    ]
    return found or None
