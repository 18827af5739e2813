# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Groups processes by what they are and counts the shared memory of each group, every segment once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import procmaps

PHP_CGI, PHP_FPM, MOD_PHP, APACHE, PHP_CLI, NGINX, OTHER = (
    "php-cgi",
    "php-fpm",
    "mod_php",
    "apache",
    "php-cli",
    "nginx",
    "other",
)
PHP_KINDS = (PHP_CGI, PHP_FPM, MOD_PHP, PHP_CLI)

# The kernel cuts a process name at 15 bytes; distributions append the version: php-fpm8.2, php-cgi7.4, php8.2.
_KINDS = (
    (re.compile(r"(?:php[\d.]*-cgi|php-?cgi)[\d.]*|php\d*\.?fcgi"), PHP_CGI),
    (re.compile(r"(?:php[\d.]*-fpm|php-?fpm)[\d.]*"), PHP_FPM),
    (re.compile(r"php[\d.]*"), PHP_CLI),
    (re.compile(r"apache2?|httpd[\w.-]*"), APACHE),
    (re.compile(r"nginx"), NGINX),
)
_MASTER_TITLE = re.compile(r"php-fpm: master process \((.*)\)")
POOL_TITLE = re.compile(r"php-fpm: pool (\S+)")
SLOT_UNIT = re.compile(r"phpops-fpm@(.+)-(blue|green)\.service")
MAX_PIDS = 100
MAX_USERS = 20


@dataclass
class Process:
    """One user process. `mappings` is None when /proc/PID/maps can't be read; then `reason` says why."""

    pid: int
    parent: int
    name: str
    title: str = ""
    unit: str | None = None
    mappings: list[procmaps.Mapping] | None = None
    reason: str | None = None
    has_libphp: bool = False
    swap_bytes: int | None = None
    anon_bytes: int | None = None
    pss_bytes: int | None = None
    ipc_namespace: str = ""
    uid: int | None = None
    opcode_caches: tuple[str, ...] = ()


@dataclass
class Segment:
    """One piece of shared memory; `bytes` is what is reserved, `resident_bytes` what was touched (None: unknown)."""

    kind: str
    backing: str
    path: str
    device: str
    inode: int
    bytes: int
    groups: list[str]
    pids: list[int]
    address: str
    resident_bytes: int | None = None
    resident_source: str | None = None

    def as_dict(self) -> dict[str, object]:
        """Return what the facts show of the segment."""
        names = ("kind", "backing", "path", "device", "inode", "bytes", "resident_bytes", "resident_source")
        shown: dict[str, object] = {name: getattr(self, name) for name in names}
        shown.update(processes=len(self.pids), groups=self.groups)
        return shown


@dataclass
class Group:
    """The processes that belong together, and the segments they map."""

    name: str
    kind: str
    master_pid: int | None = None
    unit: str | None = None
    config: str | None = None
    processes: list[Process] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)


def kind_of(name: str, has_libphp: bool = False) -> str:
    """Return the kind of a process by its name (field "Name" of status); an Apache that maps libphp is mod_php."""
    for pattern, kind in _KINDS:
        if pattern.fullmatch(name):
            return MOD_PHP if kind == APACHE and has_libphp else kind
    return OTHER


def group_processes(processes: Sequence[Process]) -> list[Group]:
    """Return the groups: all php-cgi, each php-fpm master with its children, mod_php, apache, php-cli, nginx, other."""
    by_pid = {process.pid: process for process in processes}
    groups: dict[tuple[str, int], Group] = {}
    for process in processes:
        kind = kind_of(process.name, process.has_libphp)
        master = _fpm_master(process, by_pid) if kind == PHP_FPM else None
        group = groups.setdefault((kind, master.pid if master else 0), Group(name=kind, kind=kind))
        group.processes.append(process)
        if master is process:
            group.master_pid, group.unit = process.pid, process.unit
            title = _MASTER_TITLE.match(process.title)
            group.config = title.group(1) if title else None
    ordered = sorted(groups.values(), key=lambda group: (_ORDER[group.kind], group.master_pid or 0))
    used: set[str] = set()
    for group in ordered:
        group.name = _name(group, used)
        used.add(group.name)
    return ordered


_ORDER = {kind: place for place, kind in enumerate((PHP_CGI, PHP_FPM, MOD_PHP, PHP_CLI, APACHE, NGINX, OTHER))}


def _fpm_master(process: Process, by_pid: dict[int, Process]) -> Process:
    # A worker's parent is its master; a child that a worker forked goes up one more.
    seen = {process.pid}
    while True:
        parent = by_pid.get(process.parent)
        if parent is None or parent.pid in seen or kind_of(parent.name) != PHP_FPM:
            return process
        seen.add(parent.pid)
        process = parent


def _name(group: Group, used: set[str]) -> str:
    names = {APACHE: "apache2"}
    if group.kind != PHP_FPM:
        return names.get(group.kind, group.kind)
    label = group.unit or group.config or f"pid {group.master_pid or group.processes[0].pid}"
    name = f"php-fpm: {label}"
    return name if name not in used else f"{name} (pid {group.master_pid or group.processes[0].pid})"


def find_segments(groups: Sequence[Group]) -> list[Segment]:
    """Return all segments of the host, largest first, and note each one at the groups that map it.

    A segment is named by device, inode and backing (SysV also by its IPC namespace), so one that several processes
    map counts once; its size is the largest that any of them maps.
    """
    segments: dict[tuple[object, ...], Segment] = {}
    for group in groups:
        php = group.kind in PHP_KINDS
        for process in group.processes:
            parts: dict[tuple[str, int, str], list[procmaps.Mapping]] = {}
            for mapping in process.mappings or ():
                parts.setdefault(procmaps.segment_key(mapping), []).append(mapping)
            opcache = procmaps.opcache_segment(process.mappings or ()) if php and parts else []
            opcache_keys = {procmaps.segment_key(mapping) for mapping in opcache}
            for key, mappings in parts.items():
                backing = key[2]
                full_key = (*key, process.ipc_namespace if backing == procmaps.SYSV else "")
                size = procmaps.mapped_bytes(mappings)
                segment = segments.get(full_key)
                if segment is None:
                    first = mappings[0]
                    segment = segments[full_key] = Segment(
                        kind=backing,
                        backing=backing,
                        path=first.path,
                        device=first.device,
                        inode=first.inode,
                        bytes=size,
                        groups=[],
                        pids=[],
                        address=f"{first.start:x}-{first.end:x}",
                    )
                segment.bytes = max(segment.bytes, size)
                segment.pids.append(process.pid)
                if key in opcache_keys:
                    segment.kind = "opcache"
                if group.name not in segment.groups:
                    segment.groups.append(group.name)
                    group.segments.append(segment)
    return sorted(segments.values(), key=lambda segment: -segment.bytes)


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def segment_sums(segments: Sequence[Segment], readable: bool) -> dict[str, object]:
    """Return the sums over segments in bytes; all None when some process could not be read (never a false zero)."""
    opcache = [segment for segment in segments if segment.kind == "opcache"]
    return {
        "segments": len(segments) if readable else None,
        "segments_bytes": sum(segment.bytes for segment in segments) if readable else None,
        "opcache_segments": len(opcache) if readable else None,
        "opcache_bytes": sum(segment.bytes for segment in opcache) if readable else None,
        "resident_bytes": _sum([segment.resident_bytes for segment in segments]) if readable else None,
    }


def describe_group(group: Group) -> dict[str, object]:
    """Return what the facts show of a group."""
    unreadable = [process for process in group.processes if process.mappings is None]
    pools = sorted({m.group(1) for m in (POOL_TITLE.match(p.title) for p in group.processes) if m})
    shown: dict[str, object] = {
        "name": group.name,
        "kind": group.kind,
        "master_pid": group.master_pid,
        "unit": group.unit,
        "config": group.config,
        "pools": pools,
        "pids": [process.pid for process in group.processes[:MAX_PIDS]],
        "processes": len(group.processes),
        "readable": not unreadable,
        "unreadable_processes": len(unreadable),
        "reason": unreadable[0].reason if unreadable else None,
    }
    shown.update(segment_sums(group.segments, not unreadable))
    shown["pss_bytes"] = _sum([process.pss_bytes for process in group.processes])
    shown["anon_bytes"] = _sum([process.anon_bytes for process in group.processes])
    shown["swap_bytes"] = _sum([process.swap_bytes for process in group.processes])
    shown["users"] = _users(group)
    shown["opcode_caches"] = _opcode_caches(group)
    return shown


def _users(group: Group) -> list[dict[str, object]]:
    """Return the private memory by user id, the largest first: php-cgi of all sites are one group."""
    by_uid: dict[int, list[Process]] = {}
    for process in group.processes:
        if process.uid is not None:
            by_uid.setdefault(process.uid, []).append(process)
    found = [
        {
            "uid": uid,
            "processes": len(processes),
            "anon_bytes": sum(process.anon_bytes or 0 for process in processes),
            "swap_bytes": sum(process.swap_bytes or 0 for process in processes),
        }
        for uid, processes in by_uid.items()
    ]
    found.sort(key=lambda user: (-user["anon_bytes"] - user["swap_bytes"], user["uid"]))
    return [dict(user) for user in found[:MAX_USERS]]


def _opcode_caches(group: Group) -> list[dict[str, object]]:
    """Return the caches of compiled code but OPcache, and how many processes have loaded each beside it."""
    loaded = [process.opcode_caches for process in group.processes]
    names = sorted({name for caches in loaded for name in caches} - {procmaps.OPCACHE})
    return [
        {
            "name": name,
            "processes": sum(name in caches for caches in loaded),
            "beside_opcache": sum(name in caches and procmaps.OPCACHE in caches for caches in loaded),
        }
        for name in names
    ]
