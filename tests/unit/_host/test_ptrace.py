# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""With real processes: one that is held does nothing, and goes on as if nothing had been."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Iterator

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host.ptrace import NotHeld, held

# Takes connections as a worker does, and says what became of a wait during one.
WORKER = r"""
import os, select, signal, socket, sys
def leave(number, frame):
    sys.stdout.write("asked to leave\n"); sys.stdout.flush(); os._exit(7)
signal.signal(signal.SIGQUIT, leave)
server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
server.bind(sys.argv[1]); server.listen(8)
sys.stdout.write("ready\n"); sys.stdout.flush()
while True:
    connection, _peer = server.accept()
    select.select([connection], [], [], 30)
    connection.recv(64)
    connection.sendall(b"served")
    connection.close()
"""


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    path = str(tmp_path / "s")
    process = subprocess.Popen([sys.executable, "-c", WORKER, path], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process, path
    finally:
        process.kill()
        process.wait()


def until(happened: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def call(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(5)
    connection.connect(path)
    return connection


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_nothing_happens_while_it_is_held_and_all_of_it_afterwards(worker: tuple[subprocess.Popen[str], str]) -> None:
    process, path = worker
    with held(process.pid):
        connection = call(path)
        connection.sendall(b"request")
        time.sleep(0.05)
        assert state(process.pid) == "t"
        connection.setblocking(False)
        with pytest.raises(BlockingIOError):
            connection.recv(64)
    connection.settimeout(5)
    with connection:
        assert connection.recv(64) == b"served"
    assert process.poll() is None


def test_a_signal_sent_meanwhile_comes_before_the_next_connection(worker: tuple[subprocess.Popen[str], str]) -> None:
    process, path = worker
    with held(process.pid):
        os.kill(process.pid, signal.SIGQUIT)
        connection = call(path)
    assert process.wait(timeout=5) == 7
    assert process.stdout is not None
    assert process.stdout.read() == "asked to leave\n"
    connection.close()


def test_a_request_in_progress_goes_on(worker: tuple[subprocess.Popen[str], str]) -> None:
    process, path = worker
    with call(path) as connection:
        # Until it waits in select.
        until(lambda: state(process.pid) == "S")
        time.sleep(0.05)
        for _turn in range(20):
            with held(process.pid):
                pass
        connection.sendall(b"request")
        assert connection.recv(64) == b"served"


def test_it_goes_on_when_what_is_done_meanwhile_fails(worker: tuple[subprocess.Popen[str], str]) -> None:
    process, _path = worker
    with pytest.raises(ZeroDivisionError), held(process.pid):
        raise ZeroDivisionError
    until(lambda: state(process.pid) == "S")


def test_it_goes_on_when_we_are_killed(worker: tuple[subprocess.Popen[str], str]) -> None:
    process, path = worker
    child = os.fork()
    if child == 0:
        with held(process.pid):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    with call(path) as connection:
        connection.sendall(b"request")
        assert connection.recv(64) == b"served"


def test_a_process_that_is_gone_can_not_be_held(worker: tuple[subprocess.Popen[str], str]) -> None:
    process, _path = worker
    process.kill()
    process.wait()
    with pytest.raises(NotHeld, match="gone") as told, held(process.pid):
        pass
    assert not told.value.fatal


def test_one_that_is_stopped_stays_so(worker: tuple[subprocess.Popen[str], str]) -> None:
    process, _path = worker
    process.send_signal(signal.SIGSTOP)
    until(lambda: state(process.pid) == "T")
    with pytest.raises(NotHeld, match="signal"), held(process.pid):
        pass
    until(lambda: state(process.pid) == "T")
    process.send_signal(signal.SIGCONT)
    until(lambda: state(process.pid) == "S")


def test_one_that_is_traced_already_is_left_alone(worker: tuple[subprocess.Popen[str], str]) -> None:
    process, _path = worker
    with held(process.pid):
        other = os.fork()
        if other == 0:
            try:
                with held(process.pid):
                    os._exit(1)
            except NotHeld as error:
                os._exit(2 if not error.fatal else 3)
        _pid, status = os.waitpid(other, 0)
    assert os.WEXITSTATUS(status) == 2
