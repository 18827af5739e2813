# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Which process listens on a unix socket, and what OPcache segment it has."""

from __future__ import annotations

import socket
import struct

from ansible_collections.phpops.webhost.plugins.module_utils._core.procmaps import opcache_segment_bytes
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text


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


def segment_bytes(pid: int | None) -> int | None:
    """Return the size of the OPcache segment that a master really has, None when it can't be read."""
    if pid is None:
        return None
    try:
        return opcache_segment_bytes(read_text(f"/proc/{pid}/maps"))
    except Unreadable:
        return None
