# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Packs a folder into an archive that has the same bytes each time, as long as the files are the same."""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Iterator, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.path_exclude import excluded

# Of 1 to 9: level 1 packs as fast as a fast network takes it.
_LEVEL = 1


@dataclass(frozen=True)
class Archive:
    """What was packed. bytes: of the files, not of the archive."""

    path: str
    sha256: str
    files: int
    bytes: int
    seconds: float


def _walk(top: str, below: str, exclude: Sequence[str]) -> Iterator[tuple[str, os.stat_result]]:
    """Yield each path below the folder, folders before what is in them, by name."""
    with os.scandir(os.path.join(top, below)) as entries:  # noqa: PTH118
        names = sorted(entry.name for entry in entries)
    for name in names:
        path = f"{below}/{name}" if below else name
        if excluded(path, exclude):
            continue
        status = os.lstat(f"{top}/{path}")
        yield path, status
        if stat.S_ISDIR(status.st_mode):
            yield from _walk(top, path, exclude)


def _entry(top: str, path: str, status: os.stat_result) -> tarfile.TarInfo:
    """Return the header of one path, without owner; StepFailed for what is no file, folder or symlink."""
    entry = tarfile.TarInfo(path)
    entry.mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISREG(status.st_mode):
        entry.size = status.st_size
    elif stat.S_ISDIR(status.st_mode):
        entry.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(status.st_mode):
        entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, os.readlink(f"{top}/{path}"), 0o777
    else:
        raise StepFailed(f"{top}/{path} is no file, folder or symlink: exclude it, or take it away.")
    return entry


class _Hashed:
    """Hashes what is written through it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self.sum = stream, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.sum.update(data)
        return self._stream.write(data)

    def flush(self) -> None:
        self._stream.flush()


def pack(folder: str, target: str, exclude: Sequence[str] = ()) -> Archive:
    """Write the folder's content as a gzipped tar file; StepFailed names what can't be packed.

    Owners and times are left out: a new checkout of the same code is the same archive. A release gets times of its own.
    """
    began = time.monotonic()
    if not Path(folder).is_dir():
        raise StepFailed(f"{folder} is no folder on the controller; name the one that holds the code.")
    files = size = 0
    try:
        with Path(target).open("wb") as stream:
            hashed = _Hashed(stream)
            packed = gzip.GzipFile("", "wb", _LEVEL, hashed, mtime=0)
            with packed, tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
                for path, status in _walk(folder, "", exclude):
                    entry = _entry(folder, path, status)
                    if entry.isreg():
                        with Path(folder, path).open("rb") as content:
                            tar.addfile(entry, content)
                        files, size = files + 1, size + entry.size
                    else:
                        tar.addfile(entry)
    except OSError as error:
        place = error.filename or target
        raise StepFailed(f"{folder} could not be packed: {place}: {error.strerror or error}.") from error
    if not files:
        raise StepFailed(f"{folder} holds no file that is not excluded; name the folder that holds the code.")
    return Archive(target, hashed.sum.hexdigest(), files, size, time.monotonic() - began)
