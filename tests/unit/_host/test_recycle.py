# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs against workers that are played, and against a real process with a socket of mod_fcgid's kind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.recycle import Settings, Worker
from ansible_collections.phpops.webhost.plugins.module_utils._core.worker_memory import Memory
from ansible_collections.phpops.webhost.plugins.module_utils._host import recycle as recycling
from ansible_collections.phpops.webhost.plugins.module_utils._host.ptrace import NotHeld
from ansible_collections.phpops.webhost.plugins.module_utils._host.recycle import Hidden, Host, Outcome, recycle

MIB = 1 << 20
CHOSEN = Settings(50 * MIB, 0.5)


def worker(pid: int, mib: int = 100, kind: str = "php-fpm", siblings: bool = True) -> Worker:
    return Worker(pid, 7, kind, "app", "app", Memory(mib * MIB, 0, mib * MIB), siblings)


class Played(Host):
    """Workers by pid: what each does at its first, second, … look ("wait", "work"), the last one for ever."""

    def __init__(self, looks: dict[int, list[str]], deaf: tuple[int, ...] = (), refused: str = "") -> None:
        super().__init__("x86_64")
        self.looks, self.deaf, self.refused = looks, deaf, refused
        self.log: list[str] = []
        self.still: set[int] = set()
        self.gone: set[int] = set()

    def waits(self, worker: Worker) -> bool:
        looks = self.looks[worker.pid]
        return (looks.pop(0) if len(looks) > 1 else looks[0]) == "wait"

    def is_there(self, worker: Worker) -> bool:
        return worker.pid not in self.gone

    @contextmanager
    def held(self, worker: Worker) -> Iterator[None]:
        if self.refused:
            raise NotHeld(self.refused, fatal=self.refused == "forbidden")
        self.still.add(worker.pid)
        try:
            yield
        finally:
            self.still.remove(worker.pid)

    def kill(self, worker: Worker, number: int) -> None:
        assert worker.pid in self.still, "a signal to a process that may do anything meanwhile"
        self.log.append(f"{signal.Signals(number).name} {worker.pid}")
        if worker.pid not in self.deaf:
            self.gone.add(worker.pid)

    def hide(self, worker: Worker) -> Hidden:
        self.log.append(f"hide {worker.pid}")
        log = self.log

        class Socket:
            def show(self) -> None:
                log.append("show")

            def forget(self) -> None:
                log.append("forget")

            def close(self) -> None:
                log.append("close")

        return Socket()  # type: ignore[return-value]

    def sleep(self, seconds: float) -> None:
        assert seconds < 1


def run(host: Played, *workers: Worker) -> tuple[Outcome, list[str]]:
    said: list[str] = []
    return recycle(workers, CHOSEN, said.append, host), said


def test_one_that_waits_is_asked_and_told() -> None:
    host = Played({1: ["wait"], 2: ["wait"]})
    outcome, said = run(host, worker(1), worker(2, 10))
    assert host.log == ["SIGQUIT 1"]
    assert (outcome.above, outcome.recycled, outcome.busy) == (1, 1, 0)
    assert said[0].startswith("recycled pid=1 kind=php-fpm site=app ")
    assert f"private_peak_bytes={100 * MIB} threshold_bytes={50 * MIB}" in said[0]


@pytest.mark.parametrize("looks", [["work"], ["wait", "work"]])
def test_one_that_works_is_left_alone_even_when_it_began_just_now(looks: list[str]) -> None:
    host = Played({1: looks})
    outcome, said = run(host, worker(1))
    assert host.log == []
    assert (outcome.recycled, outcome.busy) == (0, 1)
    assert said[0].startswith("left alone")


def test_the_share_counts_who_was_asked_and_a_busy_one_makes_room_for_the_next() -> None:
    host = Played({1: ["work"], 2: ["wait"], 3: ["wait"], 4: ["wait"]}, deaf=(2,))
    outcome, said = run(host, worker(1, 104), worker(2, 103), worker(3, 102), worker(4, 101))
    assert host.log == ["SIGQUIT 2", "SIGQUIT 3"]
    assert (outcome.busy, outcome.failed, outcome.recycled, outcome.later) == (1, 1, 1, 1)
    assert "still there" in said[1]
    sentence = "4 above the threshold, 1 recycled, 1 busy and left alone, 1 left for the next run, 1 failed"
    assert outcome.sentence() == sentence


def test_a_php_cgi_that_nobody_shares_the_socket_with_is_hidden_first() -> None:
    host = Played({1: ["wait"]})
    assert run(host, worker(1, kind="php-cgi", siblings=False))[0].recycled == 1
    assert host.log == ["hide 1", "SIGTERM 1", "forget", "close"]


def test_it_is_shown_again_when_it_had_begun_to_work() -> None:
    host = Played({1: ["wait", "work"]})
    assert run(host, worker(1, kind="php-cgi", siblings=False))[0].busy == 1
    assert host.log == ["hide 1", "show", "close"]
    host = Played({1: ["wait"]}, refused="it is gone")
    assert run(host, worker(1, kind="php-cgi", siblings=False))[0].failed == 1
    assert host.log == ["hide 1", "show", "close"]


def test_a_php_cgi_with_siblings_is_not_hidden() -> None:
    host = Played({1: ["wait"]})
    run(host, worker(1, kind="php-cgi"))
    assert host.log == ["SIGTERM 1"]


def test_a_host_that_lets_us_hold_none_ends_the_run() -> None:
    outcome, said = run(Played({1: ["wait"], 2: ["wait"]}, refused="forbidden"), worker(1), worker(2))
    assert (outcome.fatal, outcome.failed, outcome.recycled) == ("forbidden", 1, 0)
    assert said[0].startswith("not recycled: forbidden")
    outcome, said = run(Played({1: ["wait"], 2: ["wait"]}, refused="gone"), worker(1), worker(2))
    assert (outcome.fatal, outcome.failed) == ("", 2)


# A php-cgi as far as sockets go: waits in accept, and leaves at SIGTERM.
CHILD = r"""
import os, signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
server.bind(sys.argv[1]); server.listen(8)
sys.stdout.write("ready\n"); sys.stdout.flush()
while True:
    connection, _peer = server.accept()
    connection.recv(64)
    connection.sendall(b"served"); connection.close()
"""


@pytest.fixture
def child(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    path = tmp_path / "474.1"
    process = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process, path
    finally:
        process.kill()
        process.wait()


def real(process: subprocess.Popen[str]) -> Worker:
    start = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19]
    return Worker(process.pid, int(start), "php-cgi", "x", "x", Memory(1, 0, 1), siblings=False)


@pytest.fixture
def php_cgi_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the child pass for php-cgi: its name is python's."""
    monkeypatch.setattr(recycling.waits.__globals__["shm"], "kind_of", lambda _name: "php-cgi")


@pytest.mark.usefixtures("php_cgi_by_name")
def test_a_real_process_in_accept_is_hidden_and_ended(child: tuple[subprocess.Popen[str], Path]) -> None:
    process, path = child
    one = real(process)
    host = Host()
    deadline = time.monotonic() + 5
    while not host.waits(one):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    outcome = recycle([one], Settings(0, 1.0), lambda _line: None, host)
    assert (outcome.recycled, outcome.failed, outcome.busy) == (1, 0, 0)
    assert process.wait(timeout=5) == 0
    assert list(path.parent.iterdir()) == []


@pytest.mark.usefixtures("php_cgi_by_name")
def test_a_real_process_with_a_connection_is_left_alone(child: tuple[subprocess.Popen[str], Path]) -> None:
    process, path = child
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(5)
        connection.connect(str(path))
        one, host = real(process), Host()
        deadline = time.monotonic() + 5
        while host.waits(one):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        outcome = recycle([one], Settings(0, 1.0), lambda _line: None, host)
        assert (outcome.recycled, outcome.busy) == (0, 1)
        connection.sendall(b"request")
        assert connection.recv(64) == b"served"
    assert [entry.name for entry in path.parent.iterdir()] == ["474.1"]
    assert process.poll() is None


def test_only_a_socket_is_renamed(child: tuple[subprocess.Popen[str], Path]) -> None:
    process, path = child
    path.unlink()
    path.mkdir()
    with pytest.raises(FileNotFoundError):
        Hidden(real(process))
    assert [entry.name for entry in path.parent.iterdir()] == ["474.1"]


def test_what_a_killed_run_has_hidden_is_found(child: tuple[subprocess.Popen[str], Path]) -> None:
    process, path = child
    first = Hidden(real(process))
    first.close()
    assert os.listdir(path.parent) == ["474.1.phpops"]  # noqa: PTH208 - of two names
    again = Hidden(real(process))
    again.show()
    again.close()
    assert [entry.name for entry in path.parent.iterdir()] == ["474.1"]
