# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands ssh a connection to a virtual machine (ProxyUseFdpass): its port is another one at each start."""

import socket
import sys

from machine import Machine

with socket.create_connection(("127.0.0.1", Machine(sys.argv[1]).port()), timeout=10) as connection:
    connection.setblocking(True)
    with socket.socket(fileno=1) as to_ssh:
        socket.send_fds(to_ssh, [b"x"], [connection.fileno()])
        to_ssh.detach()
