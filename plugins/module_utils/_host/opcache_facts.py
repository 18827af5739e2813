# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Asks each PHP-FPM master of a host for its OPcache and its workers, and names the PHP that can't be asked."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import opcache_report, shm
from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgi import Response
from ansible_collections.phpops.webhost.plugins.module_utils._core.listening import Listening, connectable
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host import (
    fpm_masters,
    fpm_workers,
    opcache_probe,
    proc,
    temp_folders,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.fastcgi import FastCgiError, request
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text
from ansible_collections.phpops.webhost.plugins.module_utils._host.fpm_masters import Master, Pool
from ansible_collections.phpops.webhost.plugins.module_utils._host.lock import Locked, locked
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_master import master_pid

# Folders of every host, the ones first that no site's user can write to.
FOLDERS = ("/run", "/usr/share/php", "/tmp", "/var/tmp")
# One master's pools share one cache: the first that answers is enough.
MAX_POOLS_ASKED = 5
INIT = 1

_NOT_ASKED = {
    shm.PHP_CGI: (
        "Each php-cgi has a cache of its own and takes requests from its process manager only: no other client can "
        "ask one of them without taking it away from a visitor."
    ),
    shm.MOD_PHP: "PHP runs inside of Apache, which has no FastCGI socket: only a request by URL would reach its cache.",
}


@dataclass
class Options:
    """What the caller wants: sockets of masters ([] for all), folders to try first, and bounds.

    After ``total_seconds`` (None: no end) nobody is asked any more; what the kernel tells is still told.
    """

    sockets: list[str] = field(default_factory=list)
    probe_folders: list[str] = field(default_factory=list)
    timeout_seconds: float = 5.0
    total_seconds: float | None = None
    proc: str = "/proc"
    lock: str = "/run/phpops-opcache-facts.lock"
    layout: Layout = field(default_factory=Layout)


class Silent(Exception):
    """A pool gave no answer at all: asking it once more would only take its time."""


def opcache_facts(options: Options) -> dict[str, Any]:
    """Return ansible_facts.phpops_opcache as the module documents it; what can't be had is null with its reason."""
    try:
        processes = proc.scan(options.proc).processes
    except OSError as error:
        why = f"{options.proc} can't be listed ({os.strerror(error.errno or 0)}): mount a proc file system."
        return {"available": False, "reason": why, "masters": [], "not_asked": []}
    groups = shm.group_processes(processes)
    shm.find_segments(groups)
    masters, missing = _chosen(fpm_masters.find(groups, options.proc), options)
    with ExitStack() as stack:
        # Without it two runs at once may spoil each other's script, and say so.
        with suppress(OSError, Locked):
            stack.enter_context(locked(options.lock, 60.0))
        deadline = None if options.total_seconds is None else time.monotonic() + options.total_seconds
        asked = [_ask_master(master, options, deadline) for master in masters]
    found = [*asked, *missing]
    silent = [one for one in found if one["reason"]]
    reason: str | None = None if found else opcache_report.NO_MASTER
    if silent:
        reason = f"{len(silent)} of {len(found)} masters could not be asked: {silent[0]['reason']}"
    return {
        "available": any(one["reason"] is None for one in found),
        "reason": reason,
        "masters": found,
        "not_asked": [_not_asked(group) for group in groups if group.kind in _NOT_ASKED],
    }


def _chosen(masters: Sequence[Master], options: Options) -> tuple[list[Master], list[dict[str, Any]]]:
    """Return the masters behind the given sockets (all without any), and an entry for each socket without a master."""
    if not options.sockets:
        return list(masters), []
    chosen, missing = [], []
    for name in options.sockets:
        owner = next((one for one in masters if name in _addresses(one)), None)
        if owner is None and "/" in name:
            pid = master_pid(name)
            owner = next((one for one in masters if one.pid == pid), None)
        if owner is None:
            reason = f"No PHP-FPM master of this host listens on {name}: name a socket of a running one."
            missing.append(_entry(None, [name], reason))
        elif owner not in chosen:
            chosen.append(owner)
    return chosen, missing


def _addresses(master: Master) -> list[str]:
    return [socket.address for pool in master.pools for socket in pool.sockets]


def _entry(master: Master | None, sockets: list[str], reason: str | None) -> dict[str, Any]:
    return {
        "master_pid": master.pid if master else None,
        "unit": master.unit if master else None,
        "site": master.site if master else None,
        "slot": master.slot if master else None,
        "pool": None,
        "user": None,
        "php_version": master.version if master else None,
        "sockets": sockets,
        "segment_bytes": master.segment_bytes if master else None,
        **opcache_report.EMPTY,
        "temp_folder": None,
        "temp_fstype": None,
        "error_log": master.error_log if master else None,
        "shm_errors": master.shm_errors if master else None,
        "problems": [],
        "notes": [],
        "fpm": fpm_workers.total([]),
        "pools": [],
        "reason": reason,
    }


def _ask_master(master: Master, options: Options, deadline: float | None) -> dict[str, Any]:
    entry = _entry(master, _addresses(master), master.reason)
    silent: dict[str, str] = {}
    for pool in master.pools:
        entry["pools"].append(_pool(pool, master, silent, options, deadline))
    entry["fpm"] = fpm_workers.total([pool["fpm"] for pool in entry["pools"]])
    if entry["pools"]:
        entry["pool"], entry["user"] = entry["pools"][0]["pool"], entry["pools"][0]["user"]
    if master.reason is not None:
        return entry
    reasons = []
    for pool in [pool for pool in master.pools if pool.sockets][:MAX_POOLS_ASKED]:
        try:
            told = _measure(pool, master, silent, options, deadline)
        except (opcache_probe.ProbeError, Silent) as error:
            reasons.append(f"pool {pool.name}: {error}")
            continue
        entry.update(opcache_report.report(told.status, told.directives, master.segment_bytes, told.age_seconds))
        entry.update(pool=pool.name, user=pool.user, php_version=told.version, temp_folder=told.temp_folder)
        # In a chroot the folder has another name for the kernel.
        if told.temp_folder and not (pool.conf and pool.conf.get("chroot")):
            entry["temp_fstype"] = temp_folders.fstype(told.temp_folder, master.pid, options.proc)
        return entry
    entry["reason"] = " ".join(reasons) or "No pool of the master has a socket that is known."
    return entry


def _pool(
    pool: Pool, master: Master, silent: dict[str, str], options: Options, deadline: float | None
) -> dict[str, Any]:
    def ask(socket: Listening, params: dict[str, str]) -> Response:
        return _request(socket, params, master, silent, options.timeout_seconds, deadline)

    told = fpm_workers.facts(pool, ask if master.reason is None else None, master.reached.of(pool.name))
    return {"pool": pool.name, "user": pool.user, "sockets": [one.address for one in pool.sockets], "fpm": told}


def _measure(
    pool: Pool, master: Master, silent: dict[str, str], options: Options, deadline: float | None
) -> opcache_probe.Measured:
    socket = pool.sockets[0]
    astray = _led_astray(socket, master)

    def ask(_address: str, params: dict[str, str], timeout_seconds: float) -> Response:
        if astray and not _roots_alone(params["DOCUMENT_ROOT"], pool.root):
            raise opcache_probe.ProbeError("users can write there, and to the folder of the pool's socket as well")
        try:
            return _request(socket, params, master, silent, timeout_seconds, deadline)
        except FastCgiError as error:
            # Where the script is makes no difference to a pool that does not answer.
            raise Silent(str(error)) from error

    return opcache_probe.measure(
        socket.address,
        _folders(pool, master, options),
        pool.gid,
        options.timeout_seconds,
        ask=ask,
        token=_token(master, socket),
        root=pool.root,
        extension=pool.conf.extension if pool.conf else ".php",
    )


def _request(
    socket: Listening,
    params: dict[str, str],
    master: Master,
    silent: dict[str, str],
    timeout_seconds: float,
    deadline: float | None,
) -> Response:
    """Ask through a socket; one that gave no answer is not asked again, and none is after the deadline."""
    if socket.address in silent:
        raise FastCgiError(silent[socket.address])
    if deadline is not None:
        timeout_seconds = min(timeout_seconds, deadline - time.monotonic())
        if timeout_seconds <= 0:
            raise FastCgiError("no time was left to ask: other pools did not answer in time")
    address = connectable(socket.address)
    path = master.root + address if address.startswith("/") else address
    # With socket activation systemd calls listen(2).
    try:
        return request(path, params, timeout_seconds=timeout_seconds, listeners=(master.pid, INIT))
    except FastCgiError as error:
        silent[socket.address] = str(error)
        raise


def _led_astray(socket: Listening, master: Master) -> bool:
    """Return whether some user could lead the request to another user's pool of the same master.

    Debian's own /run/php belongs to www-data. The script must then be where no user can put his own in its place.
    """
    if len({pool.user for pool in master.pools}) < 2 or not socket.address.startswith("/"):
        return False
    return not _roots_alone(str(Path(socket.address).parent), master.root)


def _roots_alone(folder: str, root: str) -> bool:
    """Return whether none but root can replace an entry of root's in a folder, or a folder on the way to it.

    Below another process's root a symlink can't be resolved as that process would: there each step counts as named.
    """
    path = Path(folder if root else os.path.realpath(folder))
    for one in (path, *path.parents):
        found = Path(root + str(one)).stat()
        if found.st_uid != 0 or (found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX):
            return False
    return True


def _folders(pool: Pool, master: Master, options: Options) -> list[str]:
    found = list(options.probe_folders)
    if master.site and master.slot:
        found.append(options.layout.slot_dir(master.site, master.slot))
    if pool.conf is not None:
        known = opcache_probe.places(found, "", pool.conf.ini("open_basedir"))
        if pool.conf.ini("open_basedir"):
            found = [place.folder for place in known]
    return list(dict.fromkeys([*found, *FOLDERS]))


def _token(master: Master, socket: Listening) -> str:
    """Return the script's name for a master: the same as long as it lives, as a cache may keep it, and no other's."""
    try:
        host = read_text("/etc/machine-id").strip()
    except Unreadable:
        host = ""
    words = f"phpops facts {host} {master.pid} {master.start} {socket.address}"
    return hashlib.sha256(words.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _not_asked(group: shm.Group) -> dict[str, Any]:
    shown = shm.describe_group(group)
    names = ("kind", "pids", "processes", "opcache_segments", "opcache_bytes")
    return {**{name: shown[name] for name in names}, "reason": _NOT_ASKED[group.kind]}
