# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Measures what a host's memory is spent on, in the terms of the budget."""

from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._core import budget_model, procmaps, shm
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of
from ansible_collections.phpops.webhost.plugins.module_utils._host.memory import HOST, Paths, Reading, read_host


def measure(paths: Paths = HOST) -> budget_model.HostMemory:
    """Return the host's memory as it is spent now; what could not be read is named in `unknown`, never taken for 0."""
    return to_budget(read_host(paths))


def to_budget(reading: Reading) -> budget_model.HostMemory:
    """Return a reading of the host in the terms of the budget."""
    masters, cgi = [], None
    for group in reading.groups:
        if group.kind not in shm.PHP_KINDS:
            continue
        segments = [segment for segment in group.segments if segment.kind == "opcache"]
        master = budget_model.Master(
            name=group.name,
            unit=group.unit,
            segment_bytes=sum(segment.bytes for segment in segments),
            resident_bytes=sum(segment.resident_bytes or 0 for segment in segments),
            private_bytes=sum(process.anon_bytes or 0 for process in group.processes),
            processes=len(group.processes),
        )
        if group.kind == shm.PHP_CGI:
            cgi = master
        else:
            masters.append(master)
    return budget_model.HostMemory(
        limits=tuple(limit for limit in reading.limits if limit.scope == "host"),
        masters=tuple(masters),
        php_cgi=cgi,
        others=_others(reading),
        tmpfs=_tmpfs(reading),
        ram_bytes=reading.memory.get("MemTotal"),
        unknown=_unknown(reading),
    )


def _others(reading: Reading) -> tuple[tuple[str, str, int, int], ...]:
    """Return segments that are neither OPcache's nor files on a tmpfs, which the tmpfs lines hold."""
    sums: dict[tuple[str, str], tuple[int, int]] = {}

    def add(name: str, backing: str, reserved: int, resident: int) -> None:
        before = sums.get((name, backing), (0, 0))
        sums[name, backing] = (before[0] + reserved, before[1] + resident)

    attached = set()
    for segment in reading.segments:
        if segment.backing == procmaps.SYSV:
            attached.add(segment.inode)
        if segment.kind != "opcache" and segment.backing not in (procmaps.POSIX, procmaps.TMPFS):
            name = f"{segment.backing} segments of {', '.join(segment.groups)}"
            add(name, segment.backing, segment.bytes, segment.resident_bytes or 0)
    # A SysV segment stays when nobody is attached to it.
    for row in reading.sysv:
        if row["shmid"] not in attached:
            resident = row.get("resident_bytes", 0) + row.get("swap_bytes", 0)
            add("SysV segments that nobody is attached to", procmaps.SYSV, row["bytes"], resident)
    return tuple((name, backing, *sizes) for (name, backing), sizes in sums.items())


def _tmpfs(reading: Reading) -> tuple[budget_model.Tmpfs, ...]:
    """Return the tmpfs mounts, without the OPcache segments on them: those have lines of their own."""
    found = []
    for mount in reading.tmpfs:
        path, size, used = str(mount["path"]), mount["size_bytes"], mount["used_bytes"]
        inside = [
            segment
            for segment in reading.segments
            if segment.kind == "opcache" and segment.backing == procmaps.POSIX and segment.path.startswith(f"{path}/")
        ]
        reserved = sum(segment.bytes for segment in inside)
        resident = sum(segment.resident_bytes or 0 for segment in inside)
        found.append(
            budget_model.Tmpfs(
                path=path,
                size_bytes=max(0, size - reserved) if isinstance(size, int) else None,
                used_bytes=max(0, used - resident) if isinstance(used, int) else 0,
            )
        )
    return tuple(found)


def _unknown(reading: Reading) -> tuple[str, ...]:
    found = []
    if reading.reason:
        found.append(reading.reason)
    if reading.unreadable:
        why = next(process.reason for process in reading.scan.processes if process.reason)
        found.append(f"The shared memory of {count_of(reading.unreadable, 'process', 'processes')}. {why}")
    if reading.hidden:
        found.append("The processes that the mount option hidepid of /proc hides: run the task with become.")
    if reading.sysv_reason:
        found.append(f"SysV segments: {reading.sysv_reason}")
    found += [f"tmpfs {mount['path']}: {mount['reason']}" for mount in reading.tmpfs if mount["reason"]]
    return tuple(found)
