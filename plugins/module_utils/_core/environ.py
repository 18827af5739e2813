# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The environment that a process started with, as /proc/PID/environ holds it."""

from __future__ import annotations


def environment_value(environ: bytes, name: str) -> str | None:
    """Return a variable of a process by the text of its /proc/PID/environ, None where it has none."""
    for item in environ.split(b"\0"):
        key, equals, value = item.partition(b"=")
        if equals and key.decode("utf-8", "replace") == name:
            return value.decode("utf-8", "replace")
    return None
