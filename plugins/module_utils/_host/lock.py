# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""One lock on one file, flock(2): the kernel drops it when its holder dies."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

_POLL_SECONDS = 0.05


class Locked(Exception):
    """The lock was not free in time; ``holder`` is what its holder wrote into the file, its process."""

    def __init__(self, path: str, holder: str) -> None:
        super().__init__(f"{path} is locked by process {holder}.")
        self.path, self.holder = path, holder


@contextmanager
def locked(path: str, wait_seconds: float) -> Iterator[None]:
    """Hold the lock of a file, which is made when it is not there; Locked when it isn't free in time. Raises OSError.

    A symlink is refused.
    """
    Path(path).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
                    raise Locked(path, holder) from error
                time.sleep(_POLL_SECONDS)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
