# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Puts a packed program of the collection in its place on the host, or takes it away."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

from ansible_collections.phpops.webhost.plugins.module_utils._host.files import (
    bytes_if_there,
    fsync_dir,
    write_atomic,
)

FOLDER = "/usr/local/lib/phpops"
MODE = 0o755


def default_path(program: str) -> str:
    """Return where a program goes when nothing else is said."""
    return f"{FOLDER}/{program.replace('_', '-')}.pyz"


def place(path: str, content: bytes | None, check_mode: bool) -> tuple[bool, dict[str, str]]:
    """Bring a file to this content, None: to nothing; return whether that is a change, and its diff.

    The folder of all programs goes with the last of them. Raises Unreadable, OSError.
    """
    before = bytes_if_there(path)
    wrong_mode = before is not None and content is not None and _mode(path) != (MODE, 0, 0)
    changed = before != content or wrong_mode
    diff = {
        "before_header": path,
        "after_header": path,
        "before": listing(before) if before is not None else "",
        "after": listing(content) if content is not None else "",
    }
    if not changed or check_mode:
        return changed, diff
    folder = Path(path).parent
    if content is None:
        Path(path).unlink()
        fsync_dir(folder)
        if str(folder) == FOLDER:
            with suppress(OSError):
                folder.rmdir()
    else:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        write_atomic(path, content, MODE, 0, 0)
    return changed, diff


def _mode(path: str) -> tuple[int, int, int]:
    found = Path(path).stat()
    return stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid


def listing(content: bytes) -> str:
    """Return the members of a packed program, one a line with checksum and size, as a diff shows them."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            rows = [(info.filename, info.CRC, info.file_size) for info in archive.infolist() if info.file_size]
    except (zipfile.BadZipFile, zlib.error, ValueError):
        return f"{len(content)} bytes that are no packed program\n"
    return "".join(f"{name} {crc:08x} {size} bytes\n" for name, crc, size in rows)
