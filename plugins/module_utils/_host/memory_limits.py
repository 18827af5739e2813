# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reads the limits on a host's memory: beancounters, memory cgroups, commit limit, RAM, tmpfs mounts."""

from __future__ import annotations

import os
from typing import Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import memory_limits
from ansible_collections.phpops.webhost.plugins.module_utils._core.memory_limits import RESERVED, TOUCHED, Limit
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text

# Units run below this slice; a limit on it holds for the sum of all sites.
SYSTEM_SLICE = "/system.slice"


def commit_and_ram(memory: Mapping[str, int], overcommit: int | None, proc: str) -> list[Limit]:
    """Return the commit limit (it binds only with vm.overcommit_memory=2) and RAM, from parsed meminfo in bytes."""
    found = []
    if overcommit == 2:
        found.append(
            Limit(
                "commit_limit",
                RESERVED,
                "host",
                f"{proc}/meminfo",
                memory.get("CommitLimit"),
                memory.get("Committed_AS"),
                "CommitLimit and Committed_AS of meminfo (vm.overcommit_memory=2)",
                readable="CommitLimit" in memory,
            )
        )
    elif overcommit is None:
        reason = f"{proc}/sys/vm/overcommit_memory can't be read."
        found.append(Limit("commit_limit", RESERVED, "host", f"{proc}/meminfo", None, None, "meminfo", False, reason))
    total, available = memory.get("MemTotal"), memory.get("MemAvailable")
    if available is None and "MemFree" in memory:
        # Kernels before 3.14: what is free plus the page cache without shared memory.
        cache = memory.get("Buffers", 0) + memory.get("Cached", 0) - memory.get("Shmem", 0)
        available = memory["MemFree"] + max(0, cache)
    used = None if total is None or available is None else max(0, total - available)
    missing = None if total is not None else f"{proc}/meminfo has no MemTotal."
    source = "MemTotal and MemAvailable of meminfo"
    found.append(Limit("ram", TOUCHED, "host", f"{proc}/meminfo", total, used, source, total is not None, missing))
    return found


def beancounter_limits(path: str, page_size: int) -> list[Limit]:
    """Return shmpages, and physpages in VSwap mode, of the container we are in; [] where the kernel has no such file.

    A file that exists but can't be read gives one limit with `readable` False, so nobody takes it for "no limit".
    """
    source = "held and limit of user_beancounters, in pages"
    if not os.path.lexists(path):
        return []
    # Imported late: nearly no host has the file, and the module is compiled anew at each run.
    from ansible_collections.phpops.webhost.plugins.module_utils._core import beancounter_risk, beancounters

    try:
        counters = beancounters.parse_beancounters(read_text(path), page_size)
    except (Unreadable, beancounters.NotBeancounters) as error:
        return [Limit("shmpages", RESERVED, "host", path, None, None, source, False, str(error))]
    found = []
    # On a hardware node (several blocks) the host itself is container 0.
    own = counters.containers.get("0") or next(iter(counters.containers.values()))
    for name, kind in (("shmpages", RESERVED), ("physpages", TOUCHED)):
        counter = own.get(name)
        column = beancounter_risk.ceiling(own, name) if counter else None
        if counter is not None and (column is not None or name == "shmpages"):
            limit = getattr(counter, column) if column else None
            found.append(
                Limit(
                    name,
                    kind,
                    "host",
                    path,
                    None if limit is None else limit * page_size,
                    None if counter.held is None else counter.held * page_size,
                    source,
                )
            )
    return found


def cgroup_limits(mounts: Sequence[memory_limits.Mount], own: str, units: Mapping[str, str]) -> list[Limit]:
    """Return the finite memory limits of cgroups: those above all units, those of our session, and those of units.

    `own` is the text of /proc/self/cgroup; `units` maps a unit's name to its own such text. A hierarchy is read from
    its root down, as every level limits the ones below.
    """
    mount = _memory_hierarchy(mounts)
    if mount is None:
        return []
    controller = "" if mount.fstype == "cgroup2" else "memory"
    top = _below_mount(memory_limits.cgroup_path(own, controller), mount)
    seen: dict[str, Limit] = {}
    chains = [("host", SYSTEM_SLICE), ("session", top)]
    chains += [("unit", _below_mount(memory_limits.cgroup_path(text, controller), mount)) for text in units.values()]
    for scope, path in chains:
        parts = [part for part in path.split("/") if part]
        for depth in range(len(parts) + 1):
            folder = "/".join([mount.path.rstrip("/"), *parts[:depth]])
            if folder not in seen:
                limit = _cgroup_limit(folder, "host" if depth == 0 else scope, mount.fstype == "cgroup2")
                if limit is not None:
                    seen[folder] = limit
    return list(seen.values())


def _memory_hierarchy(mounts: Sequence[memory_limits.Mount]) -> memory_limits.Mount | None:
    for mount in mounts:
        if mount.fstype == "cgroup" and "memory" in mount.super_options.split(","):
            return mount
    unified = [mount for mount in mounts if mount.fstype == "cgroup2"]
    return unified[0] if unified else None


def _below_mount(path: str | None, mount: memory_limits.Mount) -> str:
    """Return a process's cgroup as seen below the mount: in a container the mount's root is the container's group."""
    root = mount.root.rstrip("/")
    if path is None or path.startswith("/.."):
        return "/"
    return path[len(root) :] or "/" if root and (path + "/").startswith(root + "/") else path


def _cgroup_limit(folder: str, scope: str, unified: bool) -> Limit | None:
    names = ("memory.max", "memory.current") if unified else ("memory.limit_in_bytes", "memory.usage_in_bytes")
    source = f"{names[0]}, and {names[1]} without the page cache of memory.stat"
    if not os.path.lexists(f"{folder}/{names[0]}"):
        return None
    try:
        limit = memory_limits.parse_cgroup_bytes(read_text(f"{folder}/{names[0]}"))
        if limit is None:
            return None
        used = int(read_text(f"{folder}/{names[1]}"))
        used = max(0, used - memory_limits.page_cache_bytes(read_text(f"{folder}/memory.stat")))
    except Unreadable as error:
        return Limit("memory_cgroup", TOUCHED, scope, folder, None, None, source, False, error.reason)
    except ValueError:
        reason = f"{folder}/{names[0]} holds no number."
        return Limit("memory_cgroup", TOUCHED, scope, folder, None, None, source, False, reason)
    return Limit("memory_cgroup", TOUCHED, scope, folder, limit, used, source)


def tmpfs_mounts(mounts: Sequence[memory_limits.Mount], here: bool = True) -> list[dict[str, object]]:
    """Return every tmpfs once (bind mounts of the same one and parts of it are left out) with its size and use.

    `here` False means that the mounts are another host's: sizes are None then.
    """
    found: list[dict[str, object]] = []
    devices = set()
    for mount in mounts:
        if mount.fstype != "tmpfs" or mount.root != "/" or mount.device in devices:
            continue
        devices.add(mount.device)
        size, used, reason = _use(mount.path) if here else (None, None, "The mount is another host's.")
        found.append(
            {
                "path": mount.path,
                "size_bytes": size,
                "used_bytes": used,
                "used_ratio": None if size is None or used is None else round(used / size, 4),
                "options": mount.super_options,
                "reason": reason,
            }
        )
    return found


def _use(path: str) -> tuple[int | None, int | None, str | None]:
    """Return a tmpfs's size and use, or the reason why not; one without a limit (size=0) has no blocks to count."""
    try:
        space = os.statvfs(path)
    except OSError as error:
        return None, None, f"{path}: {os.strerror(error.errno or 0)}."
    if not space.f_blocks:
        return None, None, None
    return space.f_blocks * space.f_frsize, (space.f_blocks - space.f_bfree) * space.f_frsize, None
