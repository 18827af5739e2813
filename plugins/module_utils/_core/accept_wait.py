# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Tells whether a process waits in accept(2), on which socket, and which connections came from that socket."""

from __future__ import annotations

from typing import NamedTuple

# accept and accept4 by machine (uname -m), from the kernel's syscall tables.
_ACCEPT = {
    "x86_64": (43, 288),
    "aarch64": (202, 242),
    "riscv64": (202, 242),
    "loongarch64": (202, 242),
    "i686": (364,),
    "armv7l": (285, 366),
    "ppc64le": (330, 344),
    "s390x": (364,),
}
_UNIX_ACCEPTS, _TCP_LISTENS = 0x10000, "0A"


class Listener(NamedTuple):
    """A listening socket: its path or port, and the inodes of the connections that were accepted from it."""

    name: str
    accepted: frozenset[int]


def knows_machine(machine: str) -> bool:
    """Return whether the numbers of accept are known for a machine as uname -m names it."""
    return machine in _ACCEPT


def accept_descriptor(syscall: str, machine: str) -> int | None:
    """Return the descriptor that a process waits on in accept(2), None when it does anything else.

    syscall is the text of /proc/PID/syscall (proc_pid_syscall(5)): the number and the arguments in hex, or "running".
    """
    words = syscall.split()
    if len(words) < 2 or not words[0].isdigit() or int(words[0]) not in _ACCEPT.get(machine, ()):
        return None
    try:
        return int(words[1], 16) & 0xFFFFFFFF
    except ValueError:
        return None


def unix_listener(text: str, inode: int) -> Listener | None:
    """Return the listening unix socket with this inode from the text of /proc/PID/net/unix (proc_pid_net(5)).

    An accepted socket bears its listener's path, whatever became of that path since. Lines of another form are
    passed over.
    """
    rows = []
    for line in text.split("\n"):
        words = line.split(None, 7)
        if len(words) == 8 and words[6].isdigit():
            rows.append((int(words[6]), words[3], words[7]))
    for number, flags, path in rows:
        if number == inode and _flag(flags, _UNIX_ACCEPTS):
            return Listener(path, frozenset(other for other, _flags, name in rows if name == path and other != inode))
    return None


def tcp_listener(text: str, inode: int) -> Listener | None:
    """Return the listening TCP socket with this inode from the text of /proc/PID/net/tcp and tcp6, joined."""
    rows = []
    for line in text.split("\n"):
        words = line.split()
        if len(words) >= 10 and words[9].isdigit() and ":" in words[1]:
            rows.append((int(words[9]), words[3], words[1].rpartition(":")[2]))
    for number, state, port in rows:
        if number == inode and state == _TCP_LISTENS:
            others = (other for other, its_state, name in rows if name == port and its_state != _TCP_LISTENS)
            return Listener(f"port {int(port, 16)}" if _is_hex(port) else port, frozenset(others))
    return None


def _flag(word: str, bit: int) -> bool:
    return _is_hex(word) and bool(int(word, 16) & bit)


def _is_hex(word: str) -> bool:
    return 0 < len(word) <= 16 and all(letter in "0123456789abcdefABCDEF" for letter in word)
