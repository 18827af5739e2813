# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reads the ends of error logs for OPcache's failures, in pieces, so that a huge log costs no memory."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from typing import IO, Any

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


@dataclass(frozen=True)
class Place:
    """How far a log was read: of which file (it is another one after a rotation), up to which byte."""

    inode: int
    offset: int


def follow(path: str, before: Place | None, max_bytes: int) -> tuple[int, Place]:
    """Count the failures in a log since the last call, and return where to go on; at most ``max_bytes`` of each file.

    After a rotation the rest of the old file (.1) is read first; one that was emptied is read anew. A line without its
    end waits for the next call. Raises OSError; the log itself must be there.
    """
    errors = ShmErrors()
    with _opened(path) as log:
        now = os.fstat(log.fileno())
        if not stat.S_ISREG(now.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", path)
        offset = 0
        if before is not None and before.inode == now.st_ino:
            offset = before.offset if before.offset <= now.st_size else 0
        elif before is not None:
            _finish(path + ".1", before, max_bytes, errors)
        rest = _read_lines(log, max(offset, now.st_size - max_bytes), now.st_size, errors)
        place = Place(now.st_ino, now.st_size - (len(rest) if len(rest) < _PIECE_BYTES else 0))
    return errors.count, place


def _finish(path: str, before: Place, max_bytes: int, errors: ShmErrors) -> None:
    """Read what was added to a log before it got its new name; it may be gone."""
    try:
        with _opened(path) as log:
            now = os.fstat(log.fileno())
            if stat.S_ISREG(now.st_mode) and now.st_ino == before.inode:
                rest = _read_lines(log, max(before.offset, now.st_size - max_bytes), now.st_size, errors)
                if _NEEDLE in rest:
                    errors.take(rest.decode("utf-8", "replace"))
    except OSError:
        return


def _opened(name: str) -> IO[bytes]:
    descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    return os.fdopen(descriptor, "rb", buffering=0)


def _scan(name: str, max_bytes: int, errors: ShmErrors) -> None:
    with _opened(name) as log:
        status = os.fstat(log.fileno())
        if not stat.S_ISREG(status.st_mode):
            return
        rest = _read_lines(log, max(status.st_size - max_bytes, 0), status.st_size, errors)
        if _NEEDLE in rest:
            errors.take(rest.decode("utf-8", "replace"))


def _read_lines(log: IO[bytes], start: int, end: int, errors: ShmErrors) -> bytes:
    """Look at the lines between two places of an open log; return what follows the last line's end."""
    left = end - start
    log.seek(start)
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
    return rest


def _last_line(data: bytes) -> bytes:
    return data[data.rfind(b"\n") + 1 :][-_PIECE_BYTES:]
