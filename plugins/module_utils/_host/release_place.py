# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The folders that releases live in, their records, and what a run that was killed left there."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Iterator

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.release import (
    ID,
    LEFTOVER,
    Record,
    Wanted,
    parse_record,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.release_keep import Chain
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import human_bytes
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text, replace_symlink
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_store import live_slot, read_link, read_stored

# incoming holds archives that may have secrets in them.
FOLDERS = {"releases": 0o755, "shared": 0o755, "incoming": 0o700}


def check_above(path: str) -> None:
    """StepFailed when another than us could put something else in the place of a folder on the way to ``path``."""
    ours = {0, os.geteuid()}
    for place in (Path(path), Path(os.path.realpath(path))):
        for folder in (place, *place.parents):
            try:
                found = os.lstat(folder)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StepFailed(f"{folder} can't be looked at: {error.strerror}; run the task with become.") from error
            if stat.S_ISLNK(found.st_mode):
                continue
            if not stat.S_ISDIR(found.st_mode):
                raise StepFailed(f"{folder} is not a directory; name another path, or move it away.")
            # In a folder like /tmp others can add names, but not move ours.
            open_to_others = found.st_mode & 0o022 and not (found.st_mode & stat.S_ISVTX and folder != place)
            if found.st_uid not in ours or open_to_others:
                raise StepFailed(
                    f"{folder} can be changed by others than root (owner {found.st_uid}, mode"
                    f" {stat.S_IMODE(found.st_mode):04o}), who could lead a deploy elsewhere: make it root's,"
                    " writable by root alone, or choose another path."
                )


def check_path(wanted: Wanted, layout: Layout) -> None:
    """StepFailed for a path that can't hold releases: open to others, another tool's, or another site's."""
    check_above(wanted.path)
    for name in FOLDERS:
        folder = f"{wanted.path}/{name}"
        if not os.path.lexists(folder) or (name == "shared" and os.path.isdir(folder)):
            continue
        if os.path.islink(folder) or not os.path.isdir(folder):
            raise StepFailed(f"{folder} is not a directory; move it away, or choose another path.")
        check_above(folder)
    current = f"{wanted.path}/current"
    if os.path.lexists(current) and read_link(current) != layout.live_release(wanted.site):
        raise StepFailed(
            f"{current} is there and not of this module (it leads to {read_link(current) or 'nothing'}); another tool"
            " may serve from it: choose another path, or remove it when nothing uses it."
        )
    for record in records(wanted.releases).values():
        if record.site != wanted.site:
            raise StepFailed(f"{wanted.path} holds releases of site {record.site}; give each site a path of its own.")


def make_skeleton(wanted: Wanted, layout: Layout) -> bool:
    """Make the folders and the link of a path; return whether anything was missing. Raises OSError."""
    changed = False
    above = [(str(folder), 0o755) for folder in reversed(Path(wanted.path).parents)]
    own = [(f"{wanted.path}/{name}", mode) for name, mode in FOLDERS.items()]
    for folder, mode in (*above, (wanted.path, 0o755), *own):
        with suppress(FileExistsError):
            os.mkdir(folder, mode)
            os.chmod(folder, mode)
            changed = True
    if not os.path.lexists(f"{wanted.path}/current"):
        replace_symlink(f"{wanted.path}/current", layout.live_release(wanted.site))
        changed = True
    return changed


@contextmanager
def path_lock(releases: str) -> Iterator[None]:
    """Keep other runs away from this folder of releases, whatever site they were given; StepFailed when one has it."""
    descriptor = os.open(releases, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StepFailed(
                f"{releases} is being changed by a run for another site; give each a path of its own."
            ) from error
        yield
    finally:
        os.close(descriptor)


def remove_leftovers(releases: str) -> None:
    """Remove what a killed run left: only this module's own names, only directories, no symlink followed."""
    with os.scandir(releases) as entries:
        names = [
            entry.name for entry in entries if LEFTOVER.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
        ]
    for name in names:
        remove_tree(f"{releases}/{name}")


def remove_tree(path: str) -> None:
    """Remove a directory and all below it, never through a symlink. Raises OSError."""
    if not shutil.rmtree.avoids_symlink_attacks:
        raise StepFailed(f"Python can't remove {path} without following symlinks on this host; remove it by hand.")
    try:
        shutil.rmtree(path)
    except RecursionError as error:
        # Its owner nested it deeper than Python goes.
        command = ["rm", "-rf", "--", path]
        done = subprocess.run(command, capture_output=True, check=False)  # pylint: disable=ansible-bad-function
        if done.returncode != 0:
            raise StepFailed(f"{path} can't be removed: {done.stderr.decode('utf-8', 'replace').strip()}.") from error


def new_name(kind: str, name: str) -> str:
    """Return a name for what is not a release yet (new) or no longer (old)."""
    return f".{kind}-{name}-{os.urandom(8).hex()}"


def directories(releases: str) -> list[str]:
    """Return the ids of the releases that are there."""
    try:
        with os.scandir(releases) as entries:
            return sorted(
                entry.name for entry in entries if entry.is_dir(follow_symlinks=False) and ID.fullmatch(entry.name)
            )
    except FileNotFoundError:
        return []


def records(releases: str) -> dict[str, Record]:
    """Return the records of the releases that are there, by id."""
    found = {}
    for name in directories(releases):
        with suppress(Unreadable):
            record = parse_record(read_text(f"{releases}/{name}.json"))
            if record is not None and record.id == name:
                found[name] = record
    return found


def chain(site: str, layout: Layout) -> Chain:
    """Return which releases were live, as the live slot's stored options say; an empty chain without a release."""
    slot = live_slot(site, layout)
    stored = read_stored(site, slot, layout) if slot is not None else None
    release = (stored or {}).get("release")
    if not isinstance(release, dict) or not release.get("id"):
        return Chain()
    history = release.get("history")
    return Chain(
        live=str(release["id"]),
        history=tuple(str(name) for name in history) if isinstance(history, list) else (),
        switched=os.lstat(layout.pointer(site)).st_mtime,
    )


def free_sentence(folder: str, error: OSError) -> str:
    """Return why a release could not be written, with the space that is free now: to be called before a removal."""
    why = f"The release could not be written to {folder}: {error.strerror or error}"
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return f"{why}{f' ({os.fsdecode(error.filename)})' if error.filename else ''}. Nothing else was changed."
    try:
        found = os.statvfs(folder)
    except OSError:
        return f"{why}. Nothing else was changed."
    free = f"{human_bytes(found.f_bavail * found.f_frsize)} and {found.f_favail} inodes"
    return (
        f"{why}. {free} were free there at that moment."
        " What was written of it is removed, and nothing else was changed: make room, or lower keep."
    )
