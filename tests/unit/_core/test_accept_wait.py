# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.accept_wait import (
    Listener,
    accept_descriptor,
    knows_machine,
    tcp_listener,
    unix_listener,
)
from hypothesis import given
from hypothesis import strategies as st

# Lines as kernel 6.18 printed them for a worker of PHP 8.2.
WAITS = "43 0xa 0x7ffcb498d980 0x7ffcb498d978 0x1 0x0 0x0 0x7ffcb498d958 0x7f90722186f0\n"
UNIX = (
    "Num               RefCount Protocol Flags    Type St Inode Path\n"
    "0000000000000000: 00000002 00000000 00010000 0001 01 70 /run/php/www.sock\n"
    "0000000000000000: 00000003 00000000 00000000 0001 03 71 /run/php/www.sock\n"
    "0000000000000000: 00000003 00000000 00000000 0001 03 72 /run/php/www.sock\n"
    "0000000000000000: 00000003 00000000 00000000 0001 03 73\n"
    "0000000000000000: 00000003 00000000 00000000 0001 03 74 /run/other.sock\n"
    "0000000000000000: 00000002 00000000 00010000 0001 01 75 /run/a name.sock\n"
)
TCP = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 0100007F:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 80 1 0 100 0 0 10 0\n"
    "   1: 0100007F:2328 0100007F:9C40 01 00000000:00000000 00:00000000 00000000    33        0 81 1 0 20 4 30 10 -1\n"
    "   2: 0100007F:9C40 0100007F:2328 01 00000000:00000000 00:00000000 00000000    33        0 82 1 0 20 4 30 10 -1\n"
)


@pytest.mark.parametrize(
    ("text", "machine", "descriptor"),
    [
        (WAITS, "x86_64", 10),
        (WAITS.replace("43 ", "288 ", 1), "x86_64", 10),
        ("202 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n", "aarch64", 0),
        # read, poll, and the same number on another machine.
        (WAITS.replace("43 ", "0 ", 1), "x86_64", None),
        (WAITS.replace("43 ", "7 ", 1), "x86_64", None),
        (WAITS, "aarch64", None),
        (WAITS, "pdp11", None),
        ("running\n", "x86_64", None),
        ("-1 0x7ffd 0x7f\n", "x86_64", None),
        ("43\n", "x86_64", None),
        ("43 nothing\n", "x86_64", None),
        ("", "x86_64", None),
    ],
)
def test_which_descriptor_is_waited_on(text: str, machine: str, descriptor: int | None) -> None:
    assert accept_descriptor(text, machine) == descriptor


def test_machines_are_known_by_name() -> None:
    assert knows_machine("x86_64")
    assert knows_machine("aarch64")
    assert not knows_machine("pdp11")


def test_a_unix_listener_has_the_connections_that_bear_its_path() -> None:
    assert unix_listener(UNIX, 70) == Listener("/run/php/www.sock", frozenset({71, 72}))
    assert unix_listener(UNIX, 75) == Listener("/run/a name.sock", frozenset())


@pytest.mark.parametrize("inode", [71, 73, 99])
def test_what_does_not_listen_is_no_listener(inode: int) -> None:
    assert unix_listener(UNIX, inode) is None


def test_a_tcp_listener_has_the_connections_to_its_port() -> None:
    assert tcp_listener(TCP, 80) == Listener("port 9000", frozenset({81}))
    assert tcp_listener(TCP, 81) is None
    assert tcp_listener(TCP, 99) is None


@given(st.text(), st.integers(0, 100))
def test_any_text_is_read(text: str, inode: int) -> None:
    unix_listener(text, inode)
    tcp_listener(text, inode)
    assert unix_listener(UNIX + text, 70) is not None
    assert tcp_listener(TCP + text, 80) is not None
    assert accept_descriptor("43 0xa " + text, "x86_64") == 10
