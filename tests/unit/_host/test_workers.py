# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""On a /proc that is written for the test, with lines as kernel 6.18 prints them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.recycle import Worker
from ansible_collections.phpops.webhost.plugins.module_utils._host.workers import (
    is_there,
    socket_path,
    waits,
    workers,
)

UNIX = (
    "Num RefCount Protocol Flags Type St Inode Path\n"
    "0: 00000002 00000000 00010000 0001 01 70 /run/php/www.sock\n"
    "0: 00000003 00000000 00000000 0001 03 71 /run/php/www.sock\n"
    "0: 00000002 00000000 00010000 0001 01 80 /var/lib/apache2/fcgid/sock/474.1\n"
    "0: 00000002 00000000 00010000 0001 01 90 /run/spawn.sock\n"
)
TCP = "sl\n 0: 0100007F:2328 00000000:0000 0A 0:0 00:0 0 0 0 60 1\n 1: 0100007F:2328 0:0 01 0:0 00:0 0 0 0 61 1\n"
STATUS = "VmHWM:\t{} kB\nRssAnon:\t 100 kB\nRssFile:\t 500 kB\nRssShmem:\t 0 kB\n"


class Proc:
    """A /proc with processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._namespace("self", "pid:[1]")

    def _namespace(self, process: str, name: str) -> None:
        (self.folder / process / "ns").mkdir(parents=True)
        (self.folder / process / "ns" / "pid").symlink_to(name)

    def add(
        self,
        pid: int,
        parent: int,
        comm: str,
        title: str,
        unit: str = "php8.2-fpm.service",
        sockets: tuple[int, ...] = (70,),
        syscall: str = "43 0x0 0x1",
        state: str = "S",
        namespace: str = "pid:[1]",
    ) -> None:
        self._namespace(str(pid), namespace)
        folder = self.folder / str(pid)
        fields = " ".join(str(number) for number in range(5, 22))
        files = {
            "stat": f"{pid} ({comm}) {state} {parent} {fields} {pid * 10} 1\n",
            "status": STATUS.format(pid),
            "cmdline": title.replace(" -", "\0-") + "\0",
            "cgroup": f"0::/system.slice/{unit}\n",
            "syscall": syscall + "\n",
        }
        for name, text in files.items():
            (folder / name).write_text(text)
        (folder / "net").mkdir()
        (folder / "net" / "unix").write_text(UNIX)
        (folder / "net" / "tcp").write_text(TCP)
        (folder / "fd").mkdir()
        for number, inode in enumerate(sockets):
            (folder / "fd" / str(number)).symlink_to(f"socket:[{inode}]")


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    return Proc(tmp_path)


def found(proc: Proc) -> dict[int, Worker]:
    return {one.pid: one for one in workers(str(proc.folder))}


def fpm(proc: Proc, *pids: int, unit: str = "php8.2-fpm.service", pool: str = "www") -> None:
    proc.add(1000, 1, "php-fpm8.2", "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)", unit)
    for pid in pids:
        proc.add(pid, 1000, "php-fpm8.2", f"php-fpm: pool {pool}", unit)


def test_workers_of_a_master_are_found_and_the_master_is_none(proc: Proc) -> None:
    fpm(proc, 1001, 1002)
    assert sorted(found(proc)) == [1001, 1002]
    one = found(proc)[1001]
    assert (one.kind, one.pool, one.site, one.start) == ("php-fpm", "www of php8.2-fpm.service", "www", 10010)
    assert one.memory is not None
    assert one.memory.private_peak_bytes == (1001 - 500) * 1024


def test_a_slots_workers_bear_the_sites_name(proc: Proc) -> None:
    fpm(proc, 1001, unit="phpops-fpm@my-shop-green.service", pool="my-shop")
    assert found(proc)[1001].site == "my-shop"
    assert found(proc)[1001].pool == "my-shop of phpops-fpm@my-shop-green.service"


def test_what_a_worker_started_what_is_dead_and_what_is_in_a_container_is_no_worker(proc: Proc) -> None:
    fpm(proc, 1001)
    proc.add(1003, 1001, "php-fpm8.2", "php-fpm: pool www")
    proc.add(1004, 1000, "php-fpm8.2", "php-fpm: pool www", state="Z")
    proc.add(1005, 1000, "php-fpm8.2", "php-fpm: pool www", namespace="pid:[2]")
    proc.add(1006, 1, "apache2", "apache2")
    assert sorted(found(proc)) == [1001]


def test_php_cgi_of_mod_fcgid_is_found_by_its_socket(proc: Proc) -> None:
    proc.add(2001, 900, "php-cgi8.2", "/usr/bin/php-cgi -c /etc/x", "apache2.service", sockets=(80,))
    proc.add(2002, 1, "php-cgi8.2", "/usr/bin/php-cgi", "spawn.service", sockets=(90,))
    one = found(proc)[2001]
    assert sorted(found(proc)) == [2001]
    assert (one.kind, one.siblings) == ("php-cgi", False)
    assert one.pool.endswith(": /usr/bin/php-cgi -c /etc/x")
    assert socket_path(2001, str(proc.folder)) == "/var/lib/apache2/fcgid/sock/474.1"
    assert socket_path(2002, str(proc.folder)) is None


def test_of_a_php_cgi_with_children_the_children_are_workers(proc: Proc) -> None:
    proc.add(2001, 900, "php-cgi8.2", "/usr/bin/php-cgi", "apache2.service", sockets=(80,))
    proc.add(2005, 2001, "php-cgi8.2", "/usr/bin/php-cgi", "apache2.service", sockets=(80,))
    assert sorted(found(proc)) == [2005]
    assert found(proc)[2005].siblings


@pytest.mark.parametrize(
    ("sockets", "syscall", "expected"),
    [
        ((70,), "43 0x0 0x1", True),
        ((5, 70), "43 0x1 0x1", True),
        ((60,), "43 0x0 0x1", True),
        # A connection of the listener is open: accept has returned, or is about to.
        ((70, 71), "43 0x0 0x1", False),
        ((60, 61), "43 0x0 0x1", False),
        # Another connection, such as one to a database, is none.
        ((70, 5), "43 0x0 0x1", True),
        ((70,), "7 0x0 0x1", False),
        ((70,), "running", False),
        ((5,), "43 0x0 0x1", False),
        ((70,), "43 0x9 0x1", False),
    ],
)
def test_who_waits(proc: Proc, sockets: tuple[int, ...], syscall: str, expected: bool) -> None:
    fpm(proc)
    proc.add(1001, 1000, "php-fpm8.2", "php-fpm: pool www", sockets=sockets, syscall=syscall)
    assert waits(found(proc)[1001], "x86_64", str(proc.folder)) is expected


def test_another_process_with_the_same_number_does_not_wait(proc: Proc) -> None:
    fpm(proc, 1001)
    other = found(proc)[1001]
    moved = Worker(other.pid, other.start - 1, other.kind, other.pool, other.site, other.memory)
    assert not waits(moved, "x86_64", str(proc.folder))
    assert is_there(other, str(proc.folder))
    assert not is_there(moved, str(proc.folder))


def test_one_that_is_gone_does_not_wait(proc: Proc) -> None:
    gone = Worker(4000, 1, "php-fpm", "x", "x", None)
    assert not waits(gone, "x86_64", str(proc.folder))
