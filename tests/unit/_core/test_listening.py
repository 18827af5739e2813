# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""On sockets of this kernel, and on lines as it prints them."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.listening import (
    connectable,
    tcp_listeners,
    unix_listeners,
)
from hypothesis import given
from hypothesis import strategies as st


def inode(one: socket.socket) -> int:
    return os.fstat(one.fileno()).st_ino


def test_the_queue_of_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(path)
        listener.listen(5)
        for _client in range(3):
            stack.enter_context(socket.socket(socket.AF_UNIX)).connect(path)
        stack.enter_context(listener.accept()[0])
        (found,) = unix_listeners(Path("/proc/self/net/unix").read_text(), {inode(listener)})
    assert (found.address, found.queue, found.connections) == (path, 2, 1)


@pytest.mark.parametrize(("family", "host", "file"), [(socket.AF_INET, "127.0.0.1", "tcp")])
def test_the_queue_of_a_tcp_socket(family: socket.AddressFamily, host: str, file: str) -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket(family))
        listener.bind((host, 0))
        listener.listen(5)
        port = listener.getsockname()[1]
        for _client in range(2):
            stack.enter_context(socket.create_connection((host, port)))
        (found,) = tcp_listeners(Path(f"/proc/self/net/{file}").read_text(), {inode(listener)})
    assert (found.address, found.queue, found.connections) == (f"{host}:{port}", 2, None)


def test_an_address_of_ipv6() -> None:
    line = " 0: 00000000000000000000000001000000:2328 0:0 0A 00000000:00000003 00:0 0 0 0 60 1 0 100 0 0 10 0\n"
    (found,) = tcp_listeners("sl local\n" + line, {60})
    assert (found.address, found.queue) == ("[::1]:9000", 3)


def test_the_sockets_of_others_are_left_out() -> None:
    text = "Num\n0: 00000002 0 00010000 0001 01 70 /run/a\n0: 00000002 0 00010000 0001 01 71 @abstract\n"
    assert unix_listeners(text, {71}) == []
    assert [one.address for one in unix_listeners(text, {70, 71})] == ["/run/a"]


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        ("0.0.0.0:9000", "127.0.0.1:9000"),
        ("[::]:9000", "[::1]:9000"),
        ("10.0.0.1:9000", "10.0.0.1:9000"),
        ("/run/a", "/run/a"),
    ],
)
def test_where_a_client_connects(address: str, reached: str) -> None:
    assert connectable(address) == reached


@given(st.text(max_size=300), st.sets(st.integers(min_value=0, max_value=99)))
def test_any_text_never_crashes(text: str, inodes: set[int]) -> None:
    assert len(unix_listeners(text, inodes)) <= len(inodes)
    tcp_listeners(text, inodes)
