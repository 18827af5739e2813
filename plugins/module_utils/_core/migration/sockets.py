# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Tells from /proc/net/unix which php-cgi serves a request at this moment."""

from __future__ import annotations

_LISTENING, _CONNECTED = "01", "03"


def fcgid_sockets(text: str, folder: str) -> tuple[frozenset[int], frozenset[int]]:
    """Return the inodes of (listening, connected) sockets of mod_fcgid's folder, from the text of /proc/net/unix.

    mod_fcgid connects anew for each request, and the accepted socket bears the listener's path: a connected one is
    a request in progress (tried with mod_fcgid 2.3.9). Lines of another form are passed over.
    """
    listening, connected = set(), set()
    prefix = folder.rstrip("/") + "/"
    for line in text.splitlines():
        words = line.split(None, 7)
        if len(words) < 8 or not words[7].startswith(prefix) or not words[6].isdigit():
            continue
        if words[5] == _LISTENING and int(words[3], 16) & 0x10000:
            listening.add(int(words[6]))
        elif words[5] == _CONNECTED:
            connected.add(int(words[6]))
    return frozenset(listening), frozenset(connected)
