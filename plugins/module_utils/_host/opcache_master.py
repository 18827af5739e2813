# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Which process listens on a unix socket."""

from __future__ import annotations

import socket
import struct


def master_pid(socket_path: str, timeout_seconds: float = 2.0) -> int | None:
    """Return the process that called listen(2) on the socket (an FPM pool's master), None when nobody answers.

    Source: SO_PEERCRED of unix(7): for a client, the credentials are those of the listener. The connection is closed
    at once and no byte is sent, which FPM takes for a client that went away.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout_seconds)
            connection.connect(socket_path)
            told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    except OSError:
        return None
    pid = int(struct.unpack("3i", told)[0])
    return pid if pid > 0 else None
