# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import fcgi
from ansible_collections.phpops.webhost.plugins.module_utils._host.fastcgi import FastCgiError, request, script_params


def serve(path: Path, answer: Callable[[socket.socket], None]) -> threading.Thread:
    """Answer one connection on a unix socket."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(1)

    def one() -> None:
        with listener, listener.accept()[0] as peer:
            answer(peer)

    thread = threading.Thread(target=one, daemon=True)
    thread.start()
    return thread


def read_request(peer: socket.socket) -> bytes:
    data = b""
    while not data.endswith(fcgi.record(fcgi.STDIN, b"")):
        data += peer.recv(65536)
    return data


def test_a_request_and_its_answer(tmp_path: Path) -> None:
    seen = []

    def answer(peer: socket.socket) -> None:
        seen.append(read_request(peer))
        reply = fcgi.record(fcgi.STDOUT, b"Status: 201\r\n\r\nhi") + fcgi.record(fcgi.END_REQUEST, b"\0" * 8)
        for at in range(0, len(reply), 5):
            peer.sendall(reply[at : at + 5])

    serve(tmp_path / "s", answer)
    got = request(str(tmp_path / "s"), script_params("/w/a.php", "/w", "/a.php", "x=1"), b"body", 5)
    assert (got.status, got.body) == (201, b"hi")
    assert b"SCRIPT_FILENAME/w/a.php" in seen[0] and b"REQUEST_URI/a.php?x=1" in seen[0] and b"body" in seen[0]


@pytest.mark.parametrize(
    ("answer", "match"),
    [
        (read_request, "closed the connection"),
        (lambda peer: (read_request(peer), peer.sendall(b"HTTP/1.1 400")), "does not speak FastCGI"),
        (lambda peer: (read_request(peer), threading.Event().wait(1)), "no whole answer"),
    ],
)
def test_what_goes_wrong_is_said(tmp_path: Path, answer: Callable[[socket.socket], None], match: str) -> None:
    serve(tmp_path / "s", answer)
    with pytest.raises(FastCgiError, match=match):
        request(str(tmp_path / "s"), {}, timeout_seconds=0.3)


def test_no_socket(tmp_path: Path) -> None:
    with pytest.raises(FastCgiError, match="No such file"):
        request(str(tmp_path / "none"), {})


def whole(peer: socket.socket) -> None:
    read_request(peer)
    peer.sendall(fcgi.record(fcgi.STDOUT, b"\r\n\r\nhi") + fcgi.record(fcgi.END_REQUEST, b"\0" * 8))


def test_only_the_process_that_is_meant_gets_the_request(tmp_path: Path) -> None:
    serve(tmp_path / "a", whole)
    assert request(str(tmp_path / "a"), {}, timeout_seconds=5, listeners=(1, os.getpid())).body == b"hi"
    got = []
    serve(tmp_path / "b", lambda peer: got.append(peer.recv(10)))
    with pytest.raises(FastCgiError, match=f"process {os.getpid()} listens on {tmp_path}/b, not the master"):
        request(str(tmp_path / "b"), {}, timeout_seconds=5, listeners=(1,))
    assert got in ([], [b""])


def test_an_address_without_a_slash_is_tcp() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def one() -> None:
            with listener.accept()[0] as peer:
                whole(peer)

        threading.Thread(target=one, daemon=True).start()
        assert request(f"127.0.0.1:{port}", {}, timeout_seconds=5, listeners=(1,)).body == b"hi"
    with pytest.raises(FastCgiError, match=f"127.0.0.1:{port} can't be used"):
        request(f"127.0.0.1:{port}", {}, timeout_seconds=5)
