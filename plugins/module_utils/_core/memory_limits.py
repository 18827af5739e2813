# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What limits memory on a host, and the texts that say so: mountinfo, /proc/PID/cgroup, sysvipc, cgroup files."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from ansible_collections.phpops.webhost.plugins.module_utils._core.fstab import unescaped

RESERVED, TOUCHED = "reserved", "touched"
# A v1 group without a limit shows LONG_MAX rounded down to a page; nothing real comes near an EiB.
_NO_LIMIT = 1 << 60


@dataclass(frozen=True)
class Limit:
    """One limit. `kind`: on what is reserved or what is touched; `limit_bytes` None is unlimited, or unknown where
    `readable` is False. `scope` host applies to the sum of all sites, unit/session/mount only to that part."""

    name: str
    kind: str
    scope: str
    path: str
    limit_bytes: int | None
    used_bytes: int | None
    source: str
    readable: bool = True
    reason: str | None = None

    @property
    def headroom_bytes(self) -> int | None:
        """Return what is left (never below 0), None where it is unlimited or unknown."""
        if self.limit_bytes is None or self.used_bytes is None:
            return None
        return max(0, self.limit_bytes - self.used_bytes)

    def as_dict(self) -> dict[str, object]:
        """Return what the facts show."""
        return {**asdict(self), "headroom_bytes": self.headroom_bytes}


@dataclass(frozen=True)
class Mount:
    """One line of mountinfo: `device` is major:minor in decimal, `root` the mounted part of the file system."""

    device: str
    root: str
    path: str
    options: str
    fstype: str
    super_options: str


def parse_mountinfo(text: str) -> list[Mount]:
    """Return the mounts in the text of /proc/PID/mountinfo; lines of another form are passed over.

    Format: man5 proc_pid_mountinfo; blanks in paths are octal escapes.
    """
    mounts = []
    for line in text.split("\n"):
        before, dash, after = line.partition(" - ")
        fields, tail = before.split(" "), after.split(" ")
        if dash and len(fields) >= 6 and len(tail) >= 3:
            root, path = map(unescaped, fields[3:5])
            mounts.append(Mount(fields[2], root, path, fields[5], tail[0], tail[2]))
    return mounts


def mount_of(mounts: list[Mount], path: str) -> Mount | None:
    """Return the mount that a path without symbolic links is on; of several at one place the last, which is on top."""
    found = None
    for mount in mounts:
        inside = path == mount.path or path.startswith(mount.path.rstrip("/") + "/")
        if inside and (found is None or len(mount.path) >= len(found.path)):
            found = mount
    return found


def hex_device(device: str) -> str:
    """Return a mountinfo device ("0:25") as /proc/PID/maps prints it ("00:19")."""
    major, _colon, minor = device.partition(":")
    try:
        return f"{int(major):02x}:{int(minor):02x}"
    except ValueError:
        return ""


def hides_processes(mounts: list[Mount], proc_path: str = "/proc") -> bool:
    """Return whether /proc hides other users' processes (mount option hidepid, man5 proc)."""
    options = ",".join(f"{mount.options},{mount.super_options}" for mount in mounts if mount.path == proc_path)
    return re.search(r"\bhidepid=(2|4|invisible|ptraceable)\b", options) is not None


def cgroup_path(text: str, controller: str) -> str | None:
    """Return a process's path in a hierarchy from /proc/PID/cgroup: of a v1 controller, or of v2 ("")."""
    for line in text.split("\n"):
        number, _colon, rest = line.partition(":")
        names, colon, path = rest.partition(":")
        unified = number == "0" and names == ""
        if colon and (unified if controller == "" else controller in names.split(",")):
            return path
    return None


_UNIT = re.compile(r"/([^/]+\.(?:service|scope))(?=/|$)")


def unit_of(text: str) -> str | None:
    """Return the systemd unit of a process from /proc/PID/cgroup: the innermost service, else the scope."""
    for controller in ("name=systemd", ""):
        units = _UNIT.findall(cgroup_path(text, controller) or "")
        if units:
            services = [unit for unit in units if unit.endswith(".service")]
            return str((services or units)[-1]).replace("\\x2d", "-")
    return None


def parse_cgroup_bytes(text: str) -> int | None:
    """Return a value of memory.max, memory.limit_in_bytes and their like; None means "no limit".

    Raises ValueError when the text is no number.
    """
    word = text.strip()
    if word == "max":
        return None
    value = int(word)
    return None if value >= _NO_LIMIT else value


def page_cache_bytes(stat_text: str) -> int:
    """Return what a memory cgroup can give back at once: file pages that are not shared memory.

    From memory.stat: inactive_file + active_file (v2), their total_ forms (v1).
    """
    fields = dict(line.split(" ", 1) for line in stat_text.split("\n") if " " in line)
    prefix = "total_" if "total_inactive_file" in fields else ""
    sizes = [fields.get(f"{prefix}{name}", "0").strip() for name in ("inactive_file", "active_file")]
    return sum(int(size) for size in sizes if size.isascii() and size.isdigit() and len(size) < 19)


def parse_sysvipc_shm(text: str) -> list[dict[str, int]]:
    """Return the rows of /proc/sysvipc/shm with names of our own; columns an old kernel lacks (rss, swap) are absent.

    Sizes are bytes (ipc/shm.c, sysvipc_shm_proc_show).
    """
    lines = text.split("\n")
    header = lines[0].split()
    rows = []
    for line in lines[1:]:
        values = line.split()
        if len(values) == len(header) and "shmid" in header and "size" in header:
            row = dict(zip(header, values))
            rows.append(
                {
                    ours: int(row[theirs])
                    for theirs, ours in _SYSV.items()
                    if re.fullmatch(r"-?[0-9]{1,20}", row.get(theirs, ""))
                }
            )
    return [row for row in rows if "shmid" in row and "bytes" in row]


_SYSV = {
    "shmid": "shmid",
    "key": "key",
    "size": "bytes",
    "rss": "resident_bytes",
    "swap": "swap_bytes",
    "nattch": "attached",
    "cpid": "creator_pid",
    "uid": "uid",
}
