# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A /proc that is written for the test, whose master is this process: it listens on real sockets and answers there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host import opcache_facts
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_facts import Options
from ansible_collections.phpops.webhost.tests.unit._host.played_pool import Pool, served

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
MASTER, WORKER = os.getpid(), 4000000
STATUS = "Name:\t{name}\nState:\tS\nPPid:\t{parent}\nUid:\t{uid} 0 0 0\nGid:\t{gid} {gid} 0 0\nVmSize:\t 9 kB\n"
CGI_MAPS = "01-php82-cgi-64.maps"
NONE_MAPS = "11-php82-fpm-opcache-off.maps"


class Host:
    """The played /proc, the pool that answers, and the configuration of the master."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self.proc, self.stack = folder, folder / "proc", stack
        self.readable = folder / "readable"
        self.readable.mkdir()
        self.pool = Pool(looks_at_times=True)
        self._links(self.proc / "self")
        self.unit = "php8.2-fpm.service"
        self.conf = ""

    def _links(self, folder: Path, namespace: str = "1") -> None:
        (folder / "ns").mkdir(parents=True)
        (folder / "ns" / "pid").symlink_to(f"pid:[{namespace}]")
        (folder / "ns" / "mnt").symlink_to("mnt:[1]")
        (folder / "root").symlink_to("/")

    def add(self, pid: int, parent: int, name: str, title: str, maps: str, namespace: str = "1", uid: int = 0) -> Path:
        folder = self.proc / str(pid)
        self._links(folder, namespace)
        fields = " ".join(str(number) for number in range(4, 40))
        files = {
            "status": STATUS.format(name=name, parent=parent, uid=uid, gid=os.getgid()),
            "stat": f"{pid} ({name}) S {fields}\n",
            "cmdline": title + "\0",
            "cgroup": f"0::/system.slice/{self.unit}\n",
            "maps": (FIXTURES / "procmaps" / maps).read_text(encoding="utf-8"),
            "smaps_rollup": "Pss:    2048 kB\n",
        }
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
        (folder / "net").mkdir()
        for file in ("unix", "tcp", "tcp6"):
            (folder / "net" / file).symlink_to(f"/proc/self/net/{file}")
        (folder / "fd").mkdir()
        return folder

    def serve(self, name: str = "www.sock", pool: Pool | None = None) -> str:
        path = self.folder / name
        self.stack.enter_context(served(pool or self.pool, path))
        return str(path)

    def master(self, maps: str = "03-php82-fpm-master-debian-default.maps", namespace: str = "1") -> Path:
        conf = self.folder / "php-fpm.conf"
        conf.write_text(self.conf, encoding="utf-8")
        folder = self.add(MASTER, 1, "php-fpm8.2", f"php-fpm: master process ({conf})", maps, namespace)
        for number, goal in enumerate(Path("/proc/self/fd").iterdir()):
            try:
                (folder / "fd" / str(number)).symlink_to(os.readlink(goal))
            except FileNotFoundError:
                continue
        return folder

    def worker(self, pool: str = "www", pid: int = WORKER, uid: int = 0) -> None:
        self.add(pid, MASTER, "php-fpm8.2", f"php-fpm: pool {pool}", NONE_MAPS, uid=uid)

    def facts(self, **options: Any) -> dict[str, Any]:
        options.setdefault("probe_folders", [str(self.readable)])
        lock = str(self.folder / "lock")
        return opcache_facts.opcache_facts(Options(proc=str(self.proc), lock=lock, timeout_seconds=5.0, **options))


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with ExitStack() as stack:
        yield Host(tmp_path, stack)
