# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reads the ends of Apache's error logs for OPcache's failures, in pieces, so that a huge log costs no memory."""

from __future__ import annotations

import os
import stat
from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.shm_errors import ShmErrors

_NEEDLE = b"Unable to allocate shared memory"
_PIECE_BYTES = 1024 * 1024


def scan_error_log(path: str | None, server_root: str, max_bytes: int) -> dict[str, Any]:
    """Count the failures in a log and the one rotated before it (.1), at most ``max_bytes`` from each one's end.

    Returns count, first, last, segment_bytes and reason; the count is null, and reason says why, where the log can't
    be read. A log that isn't there yet counts as empty.
    """
    errors = ShmErrors()
    if not path or path.startswith(("|", "syslog", "journald")):
        return {
            **errors.as_dict(),
            "count": None,
            "reason": f"The error log goes to {path or 'nowhere'}, not to a file.",
        }
    full = os.path.join(server_root, path)  # noqa: PTH118
    reason = None
    for name in (full + ".1", full):
        try:
            _scan(name, max_bytes, errors)
        except FileNotFoundError:
            continue
        except OSError as error:
            reason = f"{name} can't be read ({os.strerror(error.errno or 0)}): run the task with become."
    answer = errors.as_dict()
    if reason and not errors.count:
        answer["count"] = None
    return {**answer, "reason": reason}


def _scan(name: str, max_bytes: int, errors: ShmErrors) -> None:
    descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as log:
        status = os.fstat(log.fileno())
        if not stat.S_ISREG(status.st_mode):
            return
        left = min(status.st_size, max_bytes)
        log.seek(status.st_size - left)
        rest = b""
        while left > 0:
            piece = log.read(min(_PIECE_BYTES, left))
            if not piece:
                break
            left -= len(piece)
            rest += piece
            if _NEEDLE not in rest:
                rest = _last_line(rest)
                continue
            lines = rest.split(b"\n")
            rest = lines.pop()[-_PIECE_BYTES:]
            for line in lines:
                if _NEEDLE in line:
                    errors.take(line.decode("utf-8", "replace"))
        if _NEEDLE in rest:
            errors.take(rest.decode("utf-8", "replace"))


def _last_line(data: bytes) -> bytes:
    return data[data.rfind(b"\n") + 1 :][-_PIECE_BYTES:]
