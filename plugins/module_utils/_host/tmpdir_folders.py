# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The folders for temporary files and their files of tmpfiles.d, by which they come back at boot and age."""

from __future__ import annotations

import os
import re
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import Iterable, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import tmpdir
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir import Directory, TmpdirError
from ansible_collections.phpops.webhost.plugins.module_utils._host import systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import fsync_dir, write_atomic
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_store import read_file

# Whose folders in /dev/shm are; another number is for tests.
ROOT = 0


def ours(folder: str) -> dict[str, str]:
    """Return the texts of our files of tmpfiles.d, by path: those that say so in their first line."""
    found = {}
    for path in sorted(Path(folder).glob("phpops*.conf")):
        with suppress(OSError):
            text = path.read_text(encoding="utf-8", errors="replace")
            if text.startswith(tmpdir.HEADER + "\n"):
                found[str(path)] = text
    return found


def stale(texts: Mapping[str, str], wanted: Iterable[str], there: Iterable[str], folder: str) -> dict[str, str]:
    """Return our files of sites that are gone from the host, by path."""
    kept = {tmpdir.tmpfiles_path(site, folder) for site in {*wanted, *there, tmpdir.WEB_SERVER_NAME}} | set(texts)
    return {path: text for path, text in ours(folder).items() if path not in kept}


def refuse_foreign(directories: Sequence[Directory]) -> None:
    """TmpdirError where somebody else has put something in the place of a folder: all may write to /dev/shm."""
    for one in directories:
        if not one.shared or not os.path.lexists(one.path):
            continue
        found = os.lstat(one.path)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != ROOT:
            raise TmpdirError(f"{one.path} is there already and belongs to user {found.st_uid}: remove it.")


def is_right(one: Directory, sessions: bool) -> bool:
    """Return whether a folder is there with its owner, group and mode, and the one for sessions in it."""
    paths = [one.path] + ([f"{one.path}/{tmpdir.SESSIONS}"] if sessions and one.kind == tmpdir.FPM else [])
    for path in paths:
        try:
            found = os.lstat(path)
        except OSError:
            return False
        uid, gid, mode = one.owner
        state = (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode))
        if not stat.S_ISDIR(found.st_mode) or state != (uid or ROOT, gid, mode):
            return False
    return True


def check(directories: Sequence[Directory], sessions: bool) -> None:
    """TmpdirError for a folder that is not as it should be after all was done."""
    for one in directories:
        if not is_right(one, sessions):
            uid, gid, mode = one.owner
            raise TmpdirError(
                f"{one.path} is not a folder of {uid}:{gid} with mode {mode:04o} although systemd-tmpfiles was to make"
                " it so: see its messages in the journal."
            )


def write(run: systemd.Run, texts: Mapping[str, str], gone: Mapping[str, str]) -> None:
    """Write the files, let systemd-tmpfiles make the folders, and remove those of sites that are gone.

    Raises TmpdirError and OSError.
    """
    for path, text in texts.items():
        Path(path).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        if read_file(path) != text:
            write_atomic(path, text, 0o644, 0 if os.geteuid() == 0 else -1, 0 if os.geteuid() == 0 else -1)
    status, out, err = run(["systemd-tmpfiles", "--create", *texts]) if texts else (0, "", "")
    if status != 0:
        raise TmpdirError(f"systemd-tmpfiles could not make the folders: {' '.join((err or out).split()) or status}")
    remove(gone)


def remove(texts: Mapping[str, str]) -> None:
    """Remove our files of tmpfiles.d and the folders on /dev/shm that they name. Raises OSError."""
    for path, text in texts.items():
        for folder in re.findall(rf"(?m)^d ({re.escape(tmpdir.SHM_PATH)}/phpops[-.][a-z0-9_.-]+) ", text):
            # Root's alone: nobody else can have put another one there.
            if _is_folder_of(folder, ROOT):
                shutil.rmtree(folder)
        with suppress(FileNotFoundError):
            Path(path).unlink()
            fsync_dir(Path(path).parent)


def diff(texts: Mapping[str, str], gone: Mapping[str, str]) -> list[dict[str, str]]:
    """Return entries of a module's diff for the files that change."""
    found = []
    for path, text in [*texts.items(), *((path, "") for path in gone)]:
        before = read_file(path) or ""
        if before != text:
            found.append({"before_header": path, "after_header": path, "before": before, "after": text})
    return found


def without_passwords(text: str) -> str:
    """Return the text of fstab as it may be shown: network mounts may hold passwords in their options."""
    return re.sub(r"\b(pass(?:word)?2?=)[^,\s]+", r"\1(hidden)", text)


def _is_folder_of(path: str, uid: int) -> bool:
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == uid
