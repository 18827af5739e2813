# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PHP-FPM pool with an OPcache, played: scripts are callables, the cache counts like the real one."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core import fcgi
from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgi import Response
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_probe import SCRIPT

FRAME = "phpops-opcache-probe"


@dataclass
class Page:
    """What a script does: its answer, and the files that its n-th request loads."""

    status: int = 200
    body: bytes = b"Main page"
    stderr: str = ""
    seconds: float = 0.0
    files: Callable[[int], list[str]] = lambda _n: []


@dataclass
class Pool:
    """One master. ``looks_at_times`` False: a release slot, in which even the probe's script is kept."""

    pages: dict[str, Page] = field(default_factory=dict)
    file_bytes: int = 10_000
    total_bytes: int = 64 * 1024 * 1024
    max_keys: int = 1000
    looks_at_times: bool = False
    protection: int = 0
    young: set[str] = field(default_factory=set)
    opcache: bool = True
    status: dict[str, Any] = field(default_factory=dict)
    counters: dict[str, Any] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    params: list[dict[str, str]] = field(default_factory=list)
    scripts: dict[str, int] = field(default_factory=dict)
    misses: int = 0
    full: bool = False
    temp_folder: str | None = None
    running: int = 0
    most_running: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def request(
        self, socket_path: str, params: dict[str, str], body: bytes = b"", timeout_seconds: float = 10.0
    ) -> Response:
        """Answer as slot_prime's ask; a script that is not there is FPM's 404."""
        name = params["SCRIPT_NAME"]
        if name.startswith("/.phpops-"):
            return self._probe(params["SCRIPT_FILENAME"])
        with self.lock:
            self.log.append(name)
            self.params.append(params)
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            page = self.pages.get(name)
            if page is not None and page.status < 500:
                for file in [name, *page.files(self.log.count(name))]:
                    self._load(file)
        try:
            if page is None:
                return Response(404, {}, b"File not found.\n", "Primary script unknown", 0.001)
            time.sleep(page.seconds)
            return Response(page.status, {}, page.body, page.stderr, max(page.seconds, 0.001))
        finally:
            with self.lock:
                self.running -= 1

    def _load(self, file: str) -> None:
        if file in self.scripts:
            return
        self.misses += 1
        if file in self.young:
            return
        if self._free() < self.file_bytes or len(self.scripts) >= self.max_keys:
            self.full = True
            return
        self.scripts[file] = self.file_bytes

    def _free(self) -> int:
        return self.total_bytes - sum(self.scripts.values())

    def _probe(self, path: str) -> Response:
        assert Path(path).read_text(encoding="utf-8") == SCRIPT
        if self.looks_at_times:
            assert Path(path).stat().st_mtime == 0
            self.misses += 1
        else:
            self._load(path)
        numbers = {"oom_restarts": 0, "hash_restarts": 0, "manual_restarts": 0, "start_time": 1, **self.counters}
        status = {
            "opcache_enabled": True,
            "cache_full": self.full,
            "restart_pending": False,
            "restart_in_progress": False,
            "memory_usage": {
                "used_memory": self.total_bytes - self._free(),
                "free_memory": self._free(),
                "wasted_memory": 0,
            },
            "opcache_statistics": {
                "num_cached_scripts": len(self.scripts),
                "num_cached_keys": len(self.scripts),
                "max_cached_keys": self.max_keys,
                "misses": self.misses,
                **numbers,
            },
            **self.status,
        }
        answer = {
            "api": self.opcache,
            "status": status,
            "restrict_api": "",
            "open_basedir": "",
            "enable": "1" if self.opcache else "0",
            "directives": {"opcache.file_update_protection": str(self.protection)},
            "version": "8.2.35",
            "temp_folder": self.temp_folder,
            "now": 100,
            "cached": path in self.scripts,
        }
        return Response(200, {}, f"\n{FRAME}:{json.dumps(answer)}:{FRAME}\n".encode(), "", 0.001)


@contextmanager
def served(pool: Pool, path: Path) -> Iterator[str]:
    """Serve a played pool by FastCGI on a unix socket, each connection in a thread of its own."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(16)

    def accept() -> None:
        while True:
            try:
                peer, _address = listener.accept()
            except OSError:
                return
            threading.Thread(target=_answer, args=(pool, peer), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield str(path)
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _answer(pool: Pool, peer: socket.socket) -> None:
    with peer:
        data = b""
        while not data.endswith(fcgi.record(fcgi.STDIN, b"")):
            chunk = peer.recv(65536)
            if not chunk:
                return
            data += chunk
        answer = pool.request("", _params(data))
        reply = fcgi.record(fcgi.STDERR, answer.stderr.encode()) if answer.stderr else b""
        reply += fcgi.record(fcgi.STDOUT, f"Status: {answer.status}\r\n\r\n".encode() + answer.body)
        try:
            peer.sendall(reply + fcgi.record(fcgi.END_REQUEST, b"\0" * 8))
        except BrokenPipeError:
            return


def _params(data: bytes) -> dict[str, str]:
    """Return the CGI variables of a request's records."""
    stream, at = b"", 0
    while at < len(data):
        _version, kind, _request, length, padding = fcgi.HEADER.unpack_from(data, at)
        at += fcgi.HEADER.size
        stream += data[at : at + length] if kind == fcgi.PARAMS else b""
        at += length + padding
    found, at = {}, 0
    while at < len(stream):
        sizes = []
        for _side in range(2):
            if stream[at] < 128:
                sizes.append(stream[at])
                at += 1
            else:
                sizes.append(struct.unpack_from("!I", stream, at)[0] & 0x7FFFFFFF)
                at += 4
        name, value = stream[at : at + sizes[0]], stream[at + sizes[0] : at + sum(sizes)]
        found[name.decode()] = value.decode()
        at += sum(sizes)
    return found
