# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Replaces /etc/fstab after `findmnt --verify` has looked at the new one."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from ansible_collections.phpops.webhost.plugins.module_utils._core.fstab import new_errors
from ansible_collections.phpops.webhost.plugins.module_utils._host import systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import bytes_if_there, write_atomic

FSTAB = "/etc/fstab"
# Where findmnt finds the old and the new text: gone at the next boot, whatever happens.
SCRATCH = "/run/phpops"


class FstabError(Exception):
    """The file was not replaced; the text is a sentence that says why."""


def read_fstab(path: str = FSTAB) -> str:
    """Return the file's text, "" where there is none; bytes that are not UTF-8 become surrogates. Raises Unreadable."""
    return (bytes_if_there(path) or b"").decode("utf-8", errors="surrogateescape")


def _verify(run: systemd.Run, text: str, path: Path) -> str:
    """Return what findmnt says of a text; run() must set LC_ALL=C."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    write_atomic(path, text, 0o600)
    try:
        status, out, err = run(["findmnt", "--verify", "--tab-file", str(path)])
    finally:
        with suppress(OSError):
            path.unlink()
    if status == 127:
        raise FstabError(f"findmnt (package mount) is needed to check the new fstab: {err.strip()}.")
    return f"{out}\n{err}"


def replace_fstab(run: systemd.Run, before: str, after: str, path: str = FSTAB, scratch: str = SCRATCH) -> None:
    """Replace the file, durably, when findmnt finds no error that ``before`` didn't have, and let systemd read it.

    ``before`` is what the caller computed ``after`` from: a file that was changed meanwhile is left alone.
    A symlink stays, the file behind it is replaced. Raises FstabError, SystemctlError, Unreadable, OSError.
    """
    if read_fstab(path) != before:
        raise FstabError(f"{path} was changed by somebody else just now: run the task again.")
    real = Path(os.path.realpath(path))
    check = Path(scratch, "fstab.check")
    errors = new_errors(_verify(run, before, check), _verify(run, after, check))
    if errors:
        raise FstabError(f"{path} was left as it is, since findmnt --verify refuses the new one: {'; '.join(errors)}.")
    mode, uid, gid = 0o644, -1, -1
    if real.exists():
        status = real.stat()
        mode, uid, gid = stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid
    write_atomic(real, after, mode, uid, gid)
    systemd.daemon_reload(run)
