# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Finds the workers of all FPM masters and the php-cgi of mod_fcgid, and sees which of them wait for a request."""

from __future__ import annotations

import os
import pwd
import re
from pathlib import Path
from typing import NamedTuple

from ansible_collections.phpops.webhost.plugins.module_utils._core import accept_wait, memory_limits, shm
from ansible_collections.phpops.webhost.plugins.module_utils._core.proc_stat import parse_stat
from ansible_collections.phpops.webhost.plugins.module_utils._core.recycle import Worker, cgi_names, fpm_names
from ansible_collections.phpops.webhost.plugins.module_utils._core.worker_memory import Memory, worker_memory
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text
from ansible_collections.phpops.webhost.plugins.module_utils._host.php_cgi import open_sockets

# mod_fcgid names a process's socket after its process manager and a counter (fcgid_pm_main.c).
_FCGID_SOCKET = re.compile(r"/.*/\d+\.\d+")


class _Process(NamedTuple):
    pid: int
    parent: int
    start: int
    kind: str


def workers(proc: str = "/proc") -> list[Worker]:
    """Return all workers of this host; one that ends meanwhile is left out. Raises OSError when /proc can't be listed.

    Those of containers (another pid namespace than ours) are theirs: units and users have other names there.
    """
    processes = {}
    ours = _namespace("self", proc)
    for name in os.listdir(proc):  # noqa: PTH208 - a Path per process costs more than the listing
        one = _process(name, proc) if name.isdigit() else None
        if one is not None and _namespace(name, proc) == ours:
            processes[one.pid] = one
    found = []
    for one in processes.values():
        try:
            worker = _fpm(one, processes, proc) if one.kind == shm.PHP_FPM else _cgi(one, processes, proc)
        except (Unreadable, OSError):
            continue
        if worker is not None:
            found.append(worker)
    return sorted(found, key=lambda worker: worker.pid)


def _process(name: str, proc: str) -> _Process | None:
    try:
        found = parse_stat(read_text(f"{proc}/{name}/stat"))
    except Unreadable:
        return None
    if found is None or found.state == "Z":
        return None
    kind = shm.kind_of(found.comm)
    if kind not in (shm.PHP_FPM, shm.PHP_CGI):
        return None
    return _Process(found.pid, found.parent, found.start, kind)


def _namespace(process: str, proc: str) -> str | None:
    try:
        return os.readlink(f"{proc}/{process}/ns/pid")
    except OSError:
        return None


def _fpm(one: _Process, processes: dict[int, _Process], proc: str) -> Worker | None:
    """Return a worker of FPM: a child of a master; a program that a worker started is none."""
    master = processes.get(one.parent)
    if master is None or master.kind != shm.PHP_FPM or _is_fpm(processes.get(master.parent)):
        return None
    unit = memory_limits.unit_of(read_text(f"{proc}/{one.pid}/cgroup"))
    pool, site = fpm_names(_command(one.pid, proc)[0], unit, master.pid)
    return Worker(one.pid, one.start, one.kind, pool, site, _memory(one.pid, proc))


def _is_fpm(process: _Process | None) -> bool:
    return process is not None and process.kind == shm.PHP_FPM


def _cgi(one: _Process, processes: dict[int, _Process], proc: str) -> Worker | None:
    """Return a php-cgi that mod_fcgid sends requests to; one that only keeps children (PHP_FCGI_CHILDREN) is none."""
    if any(other.parent == one.pid and other.kind == shm.PHP_CGI for other in processes.values()):
        return None
    if socket_path(one.pid, proc) is None:
        return None
    user = Path(proc, str(one.pid)).stat().st_uid
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:
        name = str(user)
    pool, site = cgi_names(name, _command(one.pid, proc))
    parent = processes.get(one.parent)
    siblings = parent is not None and parent.kind == shm.PHP_CGI
    return Worker(one.pid, one.start, one.kind, pool, site, _memory(one.pid, proc), siblings)


def _command(pid: int, proc: str) -> list[str]:
    return read_text(f"{proc}/{pid}/cmdline").rstrip("\0").split("\0")


def _memory(pid: int, proc: str) -> Memory | None:
    try:
        rollup: str | None = read_text(f"{proc}/{pid}/smaps_rollup")
    except Unreadable:
        rollup = None
    return worker_memory(read_text(f"{proc}/{pid}/status"), rollup)


def socket_path(pid: int, proc: str = "/proc") -> str | None:
    """Return the path that mod_fcgid connects to for a php-cgi, None for a process that is not mod_fcgid's."""
    text = read_text(f"{proc}/{pid}/net/unix")
    for inode in open_sockets(pid, proc):
        listener = accept_wait.unix_listener(text, inode)
        if listener is not None and _FCGID_SOCKET.fullmatch(listener.name):
            return listener.name
    return None


def waits(worker: Worker, machine: str, proc: str = "/proc") -> bool:
    """Return whether a worker waits in accept(2) on a listening socket, with no connection of that socket open.

    Held still, as _host/ptrace.py does it, it stays so; else it is true only for the moment.
    """
    try:
        now = _process(str(worker.pid), proc)
        if now is None or now.start != worker.start:
            return False
        descriptor = accept_wait.accept_descriptor(read_text(f"{proc}/{worker.pid}/syscall"), machine)
        if descriptor is None:
            return False
        goal = os.readlink(f"{proc}/{worker.pid}/fd/{descriptor}")
        if not goal.startswith("socket:["):
            return False
        inode = int(goal[8:-1])
        listener = accept_wait.unix_listener(read_text(f"{proc}/{worker.pid}/net/unix"), inode)
        if listener is None:
            listener = accept_wait.tcp_listener(_tcp(worker.pid, proc), inode)
        return listener is not None and not open_sockets(worker.pid, proc) & listener.accepted
    except (Unreadable, OSError, ValueError):
        return False


def _tcp(pid: int, proc: str) -> str:
    texts = []
    for name in ("tcp", "tcp6"):
        try:
            texts.append(read_text(f"{proc}/{pid}/net/{name}"))
        except Unreadable:
            continue
    return "\n".join(texts)


def is_there(worker: Worker, proc: str = "/proc") -> bool:
    """Return whether the worker still lives."""
    now = _process(str(worker.pid), proc)
    return now is not None and now.start == worker.start
