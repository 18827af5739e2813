# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""How busy a pool of PHP-FPM is: by its status page where it has one, else by its processes and the kernel."""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgi import Response
from ansible_collections.phpops.webhost.plugins.module_utils._core.fpm_status import StatusPageError, parse_page
from ansible_collections.phpops.webhost.plugins.module_utils._core.listening import Listening
from ansible_collections.phpops.webhost.plugins.module_utils._core.shm import MAX_PIDS
from ansible_collections.phpops.webhost.plugins.module_utils._host.fastcgi import FastCgiError, script_params
from ansible_collections.phpops.webhost.plugins.module_utils._host.fpm_masters import Pool

Ask = Callable[[Listening, Dict[str, str]], Response]
_COUNTS = ("active", "idle", "total", "max_children", "max_children_reached", "listen_queue", "slow_requests")


def facts(pool: Pool, ask: Ask | None, reached: int | None = None) -> dict[str, Any]:
    """Return the pool's numbers; ``ask`` raises FastCgiError, None asks nobody.

    Without a status page ``active`` counts the connections that workers hold, ``max_children_reached`` is ``reached``,
    as the master's log has it, and ``slow_requests`` is null. The queue is always the kernel's.
    """
    page, reason = _page(pool, ask)
    busy = [socket.connections for socket in pool.sockets]
    active = sum(one or 0 for one in busy) if busy and None not in busy else None
    total_ = len(pool.workers)
    found: dict[str, Any] = {
        "source": "status" if page else "processes",
        "reason": reason,
        "active": min(active, total_) if active is not None else None,
        "idle": max(total_ - active, 0) if active is not None else None,
        "total": total_,
        "max_children": pool.conf.max_children if pool.conf else None,
        "max_children_reached": reached,
        "listen_queue": sum(socket.queue for socket in pool.sockets) if pool.sockets else None,
        "slow_requests": None,
    }
    if page:
        found.update({name: page[name] for name in _COUNTS if page.get(name) is not None and name != "listen_queue"})
        # The worker that answered is busy with nothing but this.
        if not pool.status_sockets and found["active"] and found["idle"] is not None:
            found["active"], found["idle"] = found["active"] - 1, found["idle"] + 1
    found["memory_by_worker"] = _memory(pool, page)
    return found


def _page(pool: Pool, ask: Ask | None) -> tuple[dict[str, Any] | None, str | None]:
    path = pool.conf.get("pm.status_path") if pool.conf else ""
    sockets = pool.status_sockets or pool.sockets
    if not path.startswith("/"):
        return None, "The pool has no pm.status_path that is known: its processes were counted."
    if ask is None or not sockets:
        return None, "The pool could not be asked: its processes were counted."
    try:
        answer = ask(sockets[0], script_params(path, "/", path, "json&full"))
        return parse_page(answer.body.decode("utf-8", "replace")), None
    except (FastCgiError, StatusPageError) as error:
        return None, f"The status page {path} could not be had: {error}"


def _memory(pool: Pool, page: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the largest workers: what the kernel counts of each, and what the status page says of it."""
    told = {worker["pid"]: worker for worker in page["workers"]} if page else {}
    shown = [
        {
            "pid": process.pid,
            "pool": pool.name,
            "pss_bytes": process.pss_bytes,
            "anon_bytes": process.anon_bytes,
            "swap_bytes": process.swap_bytes,
            "state": told.get(process.pid, {}).get("state"),
            "requests": told.get(process.pid, {}).get("requests"),
            "request_seconds": told.get(process.pid, {}).get("request_seconds"),
            "last_request_bytes": told.get(process.pid, {}).get("last_request_bytes"),
        }
        for process in pool.workers
    ]
    return sorted(shown, key=_size)[:MAX_PIDS]


def _size(worker: Mapping[str, Any]) -> tuple[int, int]:
    return -int(worker["pss_bytes"] or worker["anon_bytes"] or 0), int(worker["pid"])


def total(pools: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the sums over the pools of a master; null where one of them does not tell, or there is none."""
    found: dict[str, Any] = {name: _sum([pool[name] for pool in pools]) for name in _COUNTS}
    workers = [worker for pool in pools for worker in pool["memory_by_worker"]]
    found["memory_by_worker"] = sorted(workers, key=_size)[:MAX_PIDS]
    return found


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None
