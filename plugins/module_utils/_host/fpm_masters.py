# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Finds the PHP-FPM masters that run, their pools, and the sockets that these listen on."""

from __future__ import annotations

import grp
import pwd
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import (
    fpm_conf,
    fpm_log,
    listening,
    procmaps,
    shm,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.proc_stat import parse_stat
from ansible_collections.phpops.webhost.plugins.module_utils._host.error_log import scan_error_log
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import (
    Unreadable,
    link_or_empty,
    read_end,
    read_text,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.php_cgi import open_sockets

_GID = re.compile(r"^Gid:\s+\d+\s+(\d+)", re.MULTILINE)
_VERSION = re.compile(r"php-?(?:fpm)?(\d\.\d)")
UNKNOWN_POOL = "unknown"
_LOG_BYTES = 1024 * 1024


@dataclass
class Pool:
    """One pool: where it listens, who runs it, its workers, and how this process sees its file system (``root``)."""

    name: str
    user: str | None = None
    gid: int | None = None
    sockets: list[listening.Listening] = field(default_factory=list)
    status_sockets: list[listening.Listening] = field(default_factory=list)
    workers: list[shm.Process] = field(default_factory=list)
    conf: fpm_conf.PoolConf | None = None
    root: str = ""


@dataclass
class Master:
    """One master with its pools. ``reason`` says why it can't be asked, None when it can.

    ``error_log`` is the file of its log as it names it, ``shm_errors`` what scan_error_log() found there; None for both
    where its configuration names no file.
    """

    pid: int
    start: str
    unit: str | None
    site: str | None
    slot: str | None
    config: str | None
    version: str | None
    segment_bytes: int | None
    root: str = ""
    pools: list[Pool] = field(default_factory=list)
    reason: str | None = None
    reached: fpm_log.Reached = field(default_factory=fpm_log.Reached)
    error_log: str | None = None
    shm_errors: dict[str, Any] | None = None


def find(groups: Sequence[shm.Group], proc: str = "/proc") -> list[Master]:
    """Return the masters among the groups of processes that shm.group_processes() made, by pid; never raises."""
    return [_master(group, proc) for group in groups if group.kind == shm.PHP_FPM and group.master_pid is not None]


def _master(group: shm.Group, proc: str) -> Master:
    pid = int(group.master_pid or 0)
    process = next(one for one in group.processes if one.pid == pid)
    slot = shm.SLOT_UNIT.fullmatch(group.unit or "")
    version = _VERSION.match(process.name)
    mappings = procmaps.opcache_segment(process.mappings or ())
    master = Master(
        pid,
        _start(pid, proc),
        group.unit,
        slot.group(1) if slot else None,
        slot.group(2) if slot else None,
        group.config,
        version.group(1) if version else None,
        procmaps.reserved_bytes(mappings) if mappings else None,
    )
    if link_or_empty(f"{proc}/{pid}/ns/pid") != link_or_empty(f"{proc}/self/ns/pid"):
        master.reason = (
            process.reason or "The master runs in a container on this host: run the module inside of that container."
        )
        return master
    master.root = _root(pid, proc)
    inodes = open_sockets(pid, proc)
    found = _listeners(pid, inodes, proc)
    if not found:
        master.reason = process.reason or (
            "The master listens on no socket that has a path or a TCP port: it starts or ends right now, or its "
            "descriptors can't be read without become."
        )
    workers = [one for one in group.processes if one.parent == pid and shm.POOL_TITLE.match(one.title)]
    _add_pools(master, found, workers, proc)
    return master


def _add_pools(master: Master, found: Sequence[listening.Listening], workers: list[shm.Process], proc: str) -> None:
    confs = _configuration(master)
    pools: dict[str, Pool] = {}
    by_inode: dict[int, str] = {}
    for worker in workers:
        match = shm.POOL_TITLE.match(worker.title)
        name = match.group(1) if match else UNKNOWN_POOL
        pools.setdefault(name, Pool(name)).workers.append(worker)
        # FPM makes a worker's descriptor 0 its pool's listening socket (fpm_stdio.c, fpm_stdio_init_child).
        goal = link_or_empty(f"{proc}/{worker.pid}/fd/0")
        if goal.startswith("socket:[") and goal[8:-1].isdigit():
            by_inode[int(goal[8:-1])] = name
    for socket in found:
        name, for_status = fpm_conf.pool_of(socket.address, confs)
        name = name or by_inode.get(socket.inode) or (next(iter(confs)) if len(confs) == 1 else UNKNOWN_POOL)
        pool = pools.setdefault(name, Pool(name))
        (pool.status_sockets if for_status else pool.sockets).append(socket)
    # The pool that FPM makes for pm.status_listen has a title, and no section of its own.
    for name in [name for name, pool in pools.items() if not pool.sockets and name not in confs]:
        if found:
            del pools[name]
    for pool in pools.values():
        pool.conf = confs.get(pool.name)
        _fill(pool, master, proc)
    master.pools = sorted(pools.values(), key=lambda pool: pool.name)


def _fill(pool: Pool, master: Master, proc: str) -> None:
    """Set who runs the pool: its first worker tells it, else its configuration, else its master."""
    first = pool.workers[0].pid if pool.workers else master.pid
    pool.root = _root(first, proc)
    conf = pool.conf
    if not pool.workers and conf is not None:
        if conf.get("chroot"):
            pool.root = (master.root or "") + conf.get("chroot").rstrip("/")
        if conf.get("user"):
            pool.user = conf.get("user")
            pool.gid = _gid_of(conf.get("group"), pool.user)
            return
    try:
        status = read_text(f"{proc}/{first}/status")
    except Unreadable:
        return
    pool.user = _user_name(procmaps.parse_status(status).uid)
    gid = _GID.search(status)
    pool.gid = int(gid.group(1)) if gid else None


def _configuration(master: Master) -> dict[str, fpm_conf.PoolConf]:
    """Return the pools of the file that the master's title names, as the master sees it; none when it can't be read."""
    if not master.config or not master.config.startswith("/"):
        return {}

    def include(pattern: str) -> list[str]:
        texts = []
        try:
            for path in sorted(Path(master.root or "/").glob(pattern.lstrip("/"))):
                texts.append(read_text(path))
        except (OSError, Unreadable, ValueError, NotImplementedError, IndexError):
            # pathlib refuses a pattern in each of these ways, and the log's name is the configuration's.
            return texts
        return texts

    try:
        text = read_text(master.root + master.config)
    except Unreadable:
        return {}
    log = fpm_log.error_log(text)
    if log:
        with suppress(OSError):
            master.reached = fpm_log.reached(read_end(master.root + log, _LOG_BYTES), master.pid)
        master.error_log, master.shm_errors = log, scan_error_log(master.root + log, "/", _LOG_BYTES)
    return fpm_conf.parse(text, include)


def _listeners(pid: int, inodes: set[int], proc: str) -> list[listening.Listening]:
    found = []
    for name in ("unix", "tcp", "tcp6"):
        try:
            text = read_text(f"{proc}/{pid}/net/{name}")
        except Unreadable:
            continue
        found += listening.unix_listeners(text, inodes) if name == "unix" else listening.tcp_listeners(text, inodes)
    return found


def _start(pid: int, proc: str) -> str:
    """Return when a process began, in the kernel's ticks: with its pid it names the process for ever."""
    try:
        found = parse_stat(read_text(f"{proc}/{pid}/stat"))
    except Unreadable:
        return ""
    return str(found.start) if found else ""


def _root(pid: int, proc: str) -> str:
    """Return how this process names the root of another one's file system: "" where it is the same."""
    root = link_or_empty(f"{proc}/{pid}/root")
    here = link_or_empty(f"{proc}/{pid}/ns/mnt") == link_or_empty(f"{proc}/self/ns/mnt")
    return "" if not root or (here and root == "/") else f"{proc}/{pid}/root"


def _gid_of(group: str, user: str) -> int | None:
    try:
        if group:
            return int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
        return pwd.getpwnam(user).pw_gid
    except KeyError:
        return None


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
