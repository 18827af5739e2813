# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Turns one reading of a host's memory into ansible_facts.phpops_shm."""

from __future__ import annotations

import os
import pwd

from ansible_collections.phpops.webhost.plugins.module_utils._core import shm
from ansible_collections.phpops.webhost.plugins.module_utils._host import temp_folders
from ansible_collections.phpops.webhost.plugins.module_utils._host.memory import Paths, Reading, read_host

MAX_POSIX_FILES = 10_000

_MEMORY = {
    "total_bytes": "MemTotal",
    "available_bytes": "MemAvailable",
    "shmem_bytes": "Shmem",
    "committed_bytes": "Committed_AS",
    "commit_limit_bytes": "CommitLimit",
    "swap_total_bytes": "SwapTotal",
    "swap_free_bytes": "SwapFree",
}


def shm_facts(paths: Paths, top: int) -> dict[str, object]:
    """Return the facts; lists of segments and files hold the `top` largest. Nothing is raised: what can't be read
    is null with a reason beside it."""
    reading = read_host(paths)
    if reading.reason is not None:
        return {"available": False, "reason": reading.reason}
    whole = reading.unreadable == 0
    return {
        "available": True,
        "reason": _reason(reading),
        "processes": {
            "seen": len(reading.scan.processes),
            "kernel_threads": reading.scan.kernel_threads,
            "vanished": reading.scan.vanished,
            "unreadable": reading.unreadable,
            "hidden": reading.hidden,
        },
        "groups": [_group(group, paths.proc) for group in reading.groups],
        "segments": [segment.as_dict() for segment in reading.segments[:top]],
        "totals": {"readable": whole, **shm.segment_sums(reading.segments, whole)},
        "sysv": _sysv(reading, top),
        "posix": posix_segments(paths.shm, top),
        "tmpfs": reading.tmpfs,
        "memory": {
            **{ours: reading.memory.get(theirs) for ours, theirs in _MEMORY.items()},
            "overcommit_memory": reading.overcommit,
        },
        "limits": [limit.as_dict() for limit in reading.limits],
    }


def _group(group: shm.Group, proc: str) -> dict[str, object]:
    shown = shm.describe_group(group)
    # Another folder than /proc is a copy of another host's, whose accounts are not here.
    here = os.path.realpath(proc) == "/proc"
    users = shown["users"] if isinstance(shown["users"], list) else []
    shown["users"] = [{"user": _account(user["uid"]) if here else None, **user} for user in users]
    shown["temp_folders"] = temp_folders.of_group(group, proc)
    return shown


def _account(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _reason(reading: Reading) -> str | None:
    if reading.hidden:
        return "The mount option hidepid of /proc hides processes of other users: run the task with become."
    reasons = [process.reason for process in reading.scan.processes if process.reason]
    return f"{len(reasons)} of {len(reading.scan.processes)} processes: {reasons[0]}" if reasons else None


def _sysv(reading: Reading, top: int) -> dict[str, object]:
    rows, known = reading.sysv, reading.sysv_reason is None
    resident = all("resident_bytes" in row for row in rows)
    return {
        "available": known,
        "reason": reading.sysv_reason,
        "count": len(rows) if known else None,
        "bytes": sum(row["bytes"] for row in rows) if known else None,
        "resident_bytes": sum(row["resident_bytes"] for row in rows) if known and resident else None,
        "swap_bytes": sum(row["swap_bytes"] for row in rows) if known and resident else None,
        "segments": sorted(rows, key=lambda row: -row["bytes"])[:top],
    }


def posix_segments(folder: str, top: int) -> dict[str, object]:
    """Return the POSIX segments, which are the files in /dev/shm: reserved is their size, touched their blocks."""
    files: list[dict[str, object]] = []
    total = resident = 0
    pending = [folder]
    while pending and len(files) < MAX_POSIX_FILES:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        found = entry.stat(follow_symlinks=False)
                        files.append(
                            {"path": entry.path, "bytes": found.st_size, "resident_bytes": found.st_blocks * 512}
                        )
                        total += found.st_size
                        resident += found.st_blocks * 512
        except OSError as error:
            reason = f"{error.filename} can't be listed ({os.strerror(error.errno or 0)}): run the task with become."
            return {
                "available": False,
                "reason": reason,
                "path": folder,
                "count": None,
                "bytes": None,
                "resident_bytes": None,
                "files": [],
            }
    files.sort(key=lambda item: (-_number(item["bytes"]), str(item["path"])))
    return {
        "available": True,
        "reason": None,
        "path": folder,
        "count": len(files),
        "bytes": total,
        "resident_bytes": resident,
        "files": files[:top],
    }


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
