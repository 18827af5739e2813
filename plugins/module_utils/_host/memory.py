# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""One reading of a host's shared memory: processes, segments, tmpfs, limits. shm_facts shows it, the budget sums it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from ansible_collections.phpops.webhost.plugins.module_utils._core import memory_limits, shm
from ansible_collections.phpops.webhost.plugins.module_utils._core.meminfo import parse_meminfo
from ansible_collections.phpops.webhost.plugins.module_utils._host import memory_limits as host_limits
from ansible_collections.phpops.webhost.plugins.module_utils._host import proc as host_proc
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text, text_or_empty


@dataclass(frozen=True)
class Paths:
    """Where the host's files are."""

    proc: str = "/proc"
    shm: str = "/dev/shm"


HOST = Paths()


@dataclass
class Reading:
    """What was read. `reason` is set when /proc itself can't be listed."""

    scan: host_proc.Scan = field(default_factory=host_proc.Scan)
    groups: list[shm.Group] = field(default_factory=list)
    segments: list[shm.Segment] = field(default_factory=list)
    sysv: list[dict[str, int]] = field(default_factory=list)
    sysv_reason: str | None = None
    tmpfs: list[dict[str, object]] = field(default_factory=list)
    memory: dict[str, int] = field(default_factory=dict)
    overcommit: int | None = None
    limits: list[memory_limits.Limit] = field(default_factory=list)
    hidden: bool = False
    reason: str | None = None

    @property
    def unreadable(self) -> int:
        """Return how many processes did not let their maps be read."""
        return sum(1 for process in self.scan.processes if process.mappings is None)


def read_host(paths: Paths = HOST) -> Reading:
    """Read everything once. Missing and forbidden files leave their part empty and say so; nothing is raised."""
    reading = Reading(memory=parse_meminfo(text_or_empty(f"{paths.proc}/meminfo")))
    mounts = memory_limits.parse_mountinfo(text_or_empty(f"{paths.proc}/self/mountinfo"))
    devices = {memory_limits.hex_device(mount.device) for mount in mounts if mount.fstype == "tmpfs"}
    try:
        reading.scan = host_proc.scan(paths.proc, devices)
    except OSError as error:
        reading.reason = f"{paths.proc} can't be listed ({os.strerror(error.errno or 0)}): name a /proc folder."
        return reading
    if not reading.scan.processes and not reading.memory:
        reading.reason = f"{paths.proc} holds neither processes nor meminfo: name a /proc folder."
        return reading
    try:
        reading.sysv = memory_limits.parse_sysvipc_shm(read_text(f"{paths.proc}/sysvipc/shm"))
    except Unreadable as error:
        reading.sysv_reason = error.reason
    reading.groups = shm.group_processes(reading.scan.processes)
    reading.segments = shm.find_segments(reading.groups)
    host_proc.fill_resident(paths.proc, reading.segments, reading.sysv)
    reading.hidden = memory_limits.hides_processes(mounts, paths.proc)
    # Another folder than /proc is a copy of another host's: its mounts and control groups are not here.
    here = os.path.realpath(paths.proc) == "/proc"
    reading.tmpfs = host_limits.tmpfs_mounts(mounts, here)
    word = text_or_empty(f"{paths.proc}/sys/vm/overcommit_memory").strip()
    reading.overcommit = int(word) if word in ("0", "1", "2") else None
    units = {
        group.unit: text_or_empty(f"{paths.proc}/{group.master_pid}/cgroup")
        for group in reading.groups
        if group.unit and group.master_pid
    }
    reading.limits = [
        *host_limits.beancounter_limits(f"{paths.proc}/user_beancounters", os.sysconf("SC_PAGE_SIZE")),
        *host_limits.commit_and_ram(reading.memory, reading.overcommit, paths.proc),
        *(host_limits.cgroup_limits(mounts, text_or_empty(f"{paths.proc}/self/cgroup"), units) if here else []),
        *_tmpfs_limits(reading.tmpfs),
    ]
    return reading


def _tmpfs_limits(tmpfs: list[dict[str, object]]) -> list[memory_limits.Limit]:
    found = []
    for mount in tmpfs:
        size, used, reason = mount["size_bytes"], mount["used_bytes"], mount["reason"]
        found.append(
            memory_limits.Limit(
                "tmpfs",
                memory_limits.TOUCHED,
                "mount",
                str(mount["path"]),
                size if isinstance(size, int) else None,
                used if isinstance(used, int) else None,
                "statvfs of the mount point",
                reason is None,
                reason if isinstance(reason, str) else None,
            )
        )
    return found
