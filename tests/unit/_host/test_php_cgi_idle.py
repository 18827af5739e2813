# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Against processes that end as they are told, and a clock that moves with each pause."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host import php_cgi_idle
from ansible_collections.phpops.webhost.plugins.module_utils._host.php_cgi import Process
from ansible_collections.phpops.webhost.plugins.module_utils._host.php_cgi_idle import Idle, end_idle, look

UNIX = (
    "Num RefCount Protocol Flags Type St Inode Path\n"
    "0: 00000002 00000000 00010000 0001 01 70 /f/sock/1.0\n"
    "0: 00000003 00000000 00000000 0001 03 77 /f/sock/1.0\n"
    "0: 00000002 00000000 00010000 0001 01 80 /other/1.0\n"
)


class Host:
    """php-cgi processes: pid -> (start, busy); a signal ends one after a pause, unless it is deaf."""

    def __init__(self, processes: dict[int, tuple[int, bool]], deaf: tuple[int, ...] = ()) -> None:
        self.processes, self.deaf = processes, deaf
        self.killed: list[tuple[int, int]] = []
        self.now = 0.0

    def look(self) -> Idle:
        found = {True: [], False: []}
        for pid, (start, busy) in sorted(self.processes.items()):
            found[busy].append(Process(pid, 1, 33, start))
        return Idle(found[False], found[True])

    def kill(self, pid: int, number: int) -> None:
        self.killed.append((pid, number))
        if pid not in self.processes:
            raise ProcessLookupError(pid)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        for pid, _number in self.killed:
            if pid not in self.deaf:
                self.processes.pop(pid, None)

    def end(self, count: int, timeout_seconds: float = 5.0) -> list[int]:
        done = end_idle(count, timeout_seconds, self.look, self.kill, self.sleep, lambda: self.now)
        return [process.pid for process in done]


def test_as_many_as_needed_end_the_oldest_first() -> None:
    host = Host({1: (300, False), 2: (100, False), 3: (50, True), 4: (200, False)})
    assert host.end(2) == [2, 4]
    assert host.killed == [(2, signal.SIGTERM), (4, signal.SIGTERM)]
    assert sorted(host.processes) == [1, 3]


def test_a_busy_one_is_waited_for_and_never_ended() -> None:
    host = Host({3: (50, True)})
    assert host.end(1) == []
    assert host.killed == []
    assert host.now == pytest.approx(5.0, abs=0.2)
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            host.processes[3] = (50, False)
        host.now += seconds
        if host.killed:
            host.processes.clear()

    done = end_idle(1, 5.0, host.look, host.kill, sleep, lambda: host.now)
    assert [process.pid for process in done] == [3]
    assert len(pauses) >= 3


def test_one_that_does_not_end_is_not_counted_and_the_next_is_tried() -> None:
    host = Host({1: (100, False), 2: (200, False)}, deaf=(1,))
    assert host.end(1, 8.0) == [2]


def test_one_that_is_gone_already_is_not_counted() -> None:
    host = Host({1: (100, False)})
    stale = host.look()
    host.processes.clear()
    looks = [stale]
    done = end_idle(1, 1.0, lambda: looks.pop() if looks else host.look(), host.kill, host.sleep, lambda: host.now)
    assert done == []


def test_none_is_ended_when_none_is_wanted() -> None:
    host = Host({1: (100, False)})
    assert (host.end(0), host.killed) == ([], [])


def _process(proc: Path, pid: int, *sockets: int) -> None:
    (proc / str(pid) / "fd").mkdir(parents=True)
    fields = " ".join(str(number) for number in range(5, 22))
    (proc / str(pid) / "stat").write_text(f"{pid} (php-cgi8.2) S 1 {fields} {pid} 1\n")
    for number, inode in enumerate(sockets):
        (proc / str(pid) / "fd" / str(number)).symlink_to(f"socket:[{inode}]")


def test_only_those_of_mod_fcgid_are_idle_or_busy(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "unix").write_text(UNIX)
    _process(tmp_path, 10, 70)
    _process(tmp_path, 11, 70, 77)
    _process(tmp_path, 12, 80)
    _process(tmp_path, 13)
    found = look(str(tmp_path), "/f/sock")
    assert ([one.pid for one in found.idle], [one.pid for one in found.busy]) == ([10], [11])


def test_nothing_is_idle_where_the_sockets_cannot_be_read(tmp_path: Path) -> None:
    _process(tmp_path, 10, 70)
    assert php_cgi_idle.look(str(tmp_path), "/f/sock") == Idle([], [])
