# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Which sockets a process listens on, and how many connections wait on each, as the kernel tells it."""

from __future__ import annotations

import ipaddress
import struct
from typing import Collection, NamedTuple

_ACCEPTS, _WAITS, _TCP_LISTENS = 0x10000, "02", "0A"


class Listening(NamedTuple):
    """A listening socket: a path, "host:port" or "[host]:port".

    ``queue`` counts the connections that nobody has accepted, ``connections`` those that are open (None: not known).
    """

    inode: int
    address: str
    queue: int
    connections: int | None


def unix_listeners(text: str, inodes: Collection[int]) -> list[Listening]:
    """Return those of the sockets that listen on a path, from the text of /proc/PID/net/unix (proc_pid_net(5)).

    A connection bears its listener's path. One that waits has no inode yet and is in state SS_CONNECTING
    (net/unix/af_unix.c, unix_seq_show). A socket without a path, or with an abstract name, is left out.
    """
    listening: dict[int, str] = {}
    waiting: dict[str, int] = {}
    accepted: dict[str, int] = {}
    for line in text.split("\n"):
        words = line.split(None, 7)
        if len(words) < 8 or not words[7].startswith("/") or not words[6].isdigit():
            continue
        inode, path = int(words[6]), words[7]
        if _hex(words[3]) & _ACCEPTS:
            if inode in inodes:
                listening[inode] = path
        elif inode == 0 and words[5] == _WAITS:
            waiting[path] = waiting.get(path, 0) + 1
        elif inode:
            accepted[path] = accepted.get(path, 0) + 1
    return [
        Listening(inode, path, waiting.get(path, 0), accepted.get(path, 0)) for inode, path in sorted(listening.items())
    ]


def tcp_listeners(text: str, inodes: Collection[int]) -> list[Listening]:
    """Return those of the sockets that listen on TCP, from the text of /proc/PID/net/tcp and tcp6, joined.

    For a listener rx_queue is the length of its accept queue (net/ipv4/tcp_ipv4.c, get_tcp4_sock).
    """
    found = []
    for line in text.split("\n"):
        words = line.split()
        if len(words) < 10 or not words[9].isdigit() or ":" not in words[1]:
            continue
        host, _colon, port = words[1].partition(":")
        name = _address(host) if words[3] == _TCP_LISTENS and int(words[9]) in inodes else None
        if name is not None:
            queue = _hex(words[4].partition(":")[2])
            found.append(Listening(int(words[9]), f"{name}:{_hex(port)}", queue, None))
    return sorted(found)


def _address(word: str) -> str | None:
    """Return an address that the kernel prints as 32-bit words of the host's byte order (little-endian machines)."""
    try:
        data = bytes.fromhex(word)
    except ValueError:
        return None
    if len(data) not in (4, 16):
        return None
    native = b"".join(struct.pack("=I", number) for number in struct.unpack(f">{len(data) // 4}I", data))
    if len(native) == 4:
        return str(ipaddress.IPv4Address(native))
    return f"[{ipaddress.IPv6Address(native)}]"


def connectable(address: str) -> str:
    """Return what a client on the same host connects to: a listener on all addresses is reached by the loopback one."""
    host, colon, port = address.rpartition(":")
    return {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host) + colon + port if colon else address


def _hex(word: str) -> int:
    return int(word, 16) if 0 < len(word) <= 16 and all(c in "0123456789abcdefABCDEF" for c in word) else 0
