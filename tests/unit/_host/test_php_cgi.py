# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import signal
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host import php_cgi
from ansible_collections.phpops.webhost.plugins.module_utils._host.php_cgi import Process, wait_gone

UNIX = "Num RefCount Protocol Flags Type St Inode Path\n0: 00000003 00000000 00000000 0001 03 77 /f/sock/1.0\n"


def _process(proc: Path, pid: int, comm: str, parent: int, sockets: tuple[int, ...] = (), state: str = "S") -> None:
    (proc / str(pid) / "fd").mkdir(parents=True)
    fields = " ".join(str(number) for number in range(5, 22))
    (proc / str(pid) / "stat").write_text(f"{pid} ({comm}) {state} {parent} {fields} 4242 1\n")
    for number, inode in enumerate(sockets):
        (proc / str(pid) / "fd" / str(number)).symlink_to(f"socket:[{inode}]")


def test_php_cgi_is_found_by_its_name_and_is_busy_by_its_socket(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "unix").write_text(UNIX)
    _process(tmp_path, 10, "php-cgi8.2", 1, (76, 77))
    _process(tmp_path, 11, "php-cgi", 9, (76,))
    _process(tmp_path, 12, "php) cgi (x", 9)
    _process(tmp_path, 13, "php-cgi", 9, state="Z")
    found = sorted(php_cgi.php_cgi(str(tmp_path)), key=lambda one: one.pid)
    assert [(one.pid, one.parent) for one in found] == [(10, 1), (11, 9)]
    assert {one.start for one in found} == {4242}
    assert [one.pid for one in php_cgi.busy(found, str(tmp_path), "/f/sock")] == [10]
    assert php_cgi.busy(found, str(tmp_path / "none")) == []


def test_orphans_are_ended_and_those_that_stay_are_told() -> None:
    orphan, child, new = Process(5, 1, 33, 100), Process(6, 4, 33, 100), Process(7, 1, 33, 300)
    alive = [orphan, child, new]
    killed: list[tuple[int, int]] = []

    def kill(pid: int, number: int) -> None:
        killed.append((pid, number))
        alive.remove(orphan)

    ended, left = wait_gone([orphan, child], 0.3, lambda: list(alive), kill)
    assert killed == [(5, signal.SIGTERM)]
    assert (ended, left) == ([5], [child])


def test_a_pid_that_was_given_again_is_not_the_old_process() -> None:
    assert wait_gone([Process(5, 1, 33, 100)], 5, lambda: [Process(5, 1, 33, 101)]) == ([], [])


def test_it_waits_until_it_was_quiet_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, one = [0.0], Process(5, 1, 33, 100)
    seen = iter([True, False, True, *[False] * 9])
    monkeypatch.setattr(php_cgi, "php_cgi", lambda: [one])
    monkeypatch.setattr(php_cgi, "busy", lambda processes: processes if next(seen) else [])
    monkeypatch.setattr(php_cgi.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(php_cgi.time, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    assert php_cgi.wait_idle(30, 3, 1) == (5.0, [])
    seen = iter([True, False, False])
    assert php_cgi.wait_idle(2, 3, 1) == (2.0, [one])
