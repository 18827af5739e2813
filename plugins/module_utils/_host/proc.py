# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reads the processes of a /proc: one pass, each file at most once, and only what the answer needs."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from typing import Collection, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import memory_limits, procmaps, shm
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import link_or_empty

_CHUNK = 1 << 18


@dataclass
class Scan:
    """What one pass over /proc found."""

    processes: list[shm.Process] = field(default_factory=list)
    kernel_threads: int = 0
    vanished: int = 0


class _Gone(Exception):
    """The process ended while it was read."""


def scan(proc: str = "/proc", tmpfs_devices: Collection[str] = ()) -> Scan:
    """Return the user processes of a /proc folder; one that ends in the meantime is counted, not listed.

    smaps_rollup walks the page tables, which is dear: it is read for PHP and web server processes only.
    Raises OSError when the folder itself can't be listed.
    """
    result = Scan()
    for name in os.listdir(proc):  # noqa: PTH208 - a Path per process costs more than the listing
        if not name.isdigit():
            continue
        try:
            process = _read_process(f"{proc}/{name}", int(name), tmpfs_devices)
        except _Gone:
            result.vanished += 1
            continue
        if process is None:
            result.kernel_threads += 1
        else:
            result.processes.append(process)
    result.processes.sort(key=lambda process: process.pid)
    return result


def _read_process(folder: str, pid: int, tmpfs_devices: Collection[str]) -> shm.Process | None:
    status = procmaps.parse_status(_read(f"{folder}/status"))
    if not status.has_memory:
        return None
    process = shm.Process(
        pid=pid,
        parent=status.parent,
        name=status.name,
        swap_bytes=status.swap_bytes,
        anon_bytes=status.anon_bytes,
        uid=status.uid,
    )
    kind = shm.kind_of(status.name)
    try:
        maps = _read(f"{folder}/maps")
    except OSError as error:
        process.reason = _why(error)
    else:
        process.mappings = procmaps.shared_mappings(maps, tmpfs_devices)
        process.has_libphp = kind == shm.APACHE and "/libphp" in maps
        if kind in shm.PHP_KINDS or process.has_libphp:
            process.opcode_caches = procmaps.opcode_caches(maps)
        if any(mapping.backing == procmaps.SYSV for mapping in process.mappings):
            process.ipc_namespace = link_or_empty(f"{folder}/ns/ipc")
    if kind != shm.OTHER:
        _read_details(folder, process)
    return process


def _read_details(folder: str, process: shm.Process) -> None:
    try:
        process.title = _read(f"{folder}/cmdline").split("\0", 1)[0].rstrip()
        process.unit = memory_limits.unit_of(_read(f"{folder}/cgroup"))
        process.pss_bytes = procmaps.parse_pss(_read(f"{folder}/smaps_rollup"))
    except OSError:
        return


def _read(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            chunks: list[bytes] = []
            while True:
                chunk = os.read(descriptor, _CHUNK)
                if not chunk:
                    return b"".join(chunks).decode("utf-8", errors="replace")
                chunks.append(chunk)
        finally:
            os.close(descriptor)
    except OSError as error:
        # A process that is gone shows as ESRCH, or as ENOENT when its whole folder went.
        folder = os.path.dirname(path)  # noqa: PTH120
        if error.errno == errno.ESRCH or (error.errno == errno.ENOENT and not os.path.isdir(folder)):  # noqa: PTH112
            raise _Gone from error
        raise


def _why(error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        if os.geteuid() == 0:
            return (
                "The maps of other users' processes can't be read, not even by root: give the container CAP_SYS_PTRACE."
            )
        return "The maps of other users' processes can't be read: run the task with become."
    return f"/proc/PID/maps can't be read: {os.strerror(error.errno or 0)}."


def fill_resident(proc: str, segments: Sequence[shm.Segment], sysv: Sequence[dict[str, int]]) -> None:
    """Set what each segment has touched, from the first of these that may be read; None stays where none may.

    "map_files": stat(2) of /proc/PID/map_files/RANGE gives the blocks (512 bytes each) that the kernel has allocated
    for the object, whoever touched them, swapped-out pages included; it needs CAP_SYS_ADMIN. "sysvipc": rss + swap of
    /proc/sysvipc/shm. "smaps": the sum of Pss over the processes that map it; pages that only ended processes have
    touched are missing in it.
    """
    by_id = {row["shmid"]: row for row in sysv}
    smaps: dict[int, dict[tuple[str, int, str], int] | None] = {}
    for segment in segments:
        row = by_id.get(segment.inode, {}) if segment.backing == procmaps.SYSV else {}
        allocated = _allocated(proc, segment)
        if allocated is not None:
            segment.resident_bytes, segment.resident_source = allocated, "map_files"
        elif "resident_bytes" in row:
            segment.resident_bytes = row["resident_bytes"] + row.get("swap_bytes", 0)
            segment.resident_source = "sysvipc"
        elif segment.backing != procmaps.HUGETLB:
            segment.resident_bytes = _mapped_pages(proc, segment, smaps)
            segment.resident_source = None if segment.resident_bytes is None else "smaps"


def _allocated(proc: str, segment: shm.Segment) -> int | None:
    try:
        found = os.stat(f"{proc}/{segment.pids[0]}/map_files/{segment.address}")  # noqa: PTH116
    except OSError:
        return None
    return found.st_blocks * 512 if found.st_ino == segment.inode and segment.backing != procmaps.HUGETLB else None


def _mapped_pages(
    proc: str, segment: shm.Segment, smaps: dict[int, dict[tuple[str, int, str], int] | None]
) -> int | None:
    total = 0
    for pid in segment.pids:
        if pid not in smaps:
            try:
                smaps[pid] = procmaps.smaps_pss(_read(f"{proc}/{pid}/smaps"))
            except (_Gone, OSError):
                smaps[pid] = None
        sizes = smaps[pid]
        if sizes is None:
            return None
        total += sizes.get((segment.device, segment.inode, segment.backing), 0)
    return total
