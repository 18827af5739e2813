# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The files and the pointer of a site's slots on this host."""

from __future__ import annotations

import grp
import json
import os
import shutil
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Iterator

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import SLOTS, File, Layout, Rendering
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import (
    Unreadable,
    fsync_dir,
    read_text,
    replace_symlink,
    write_atomic,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.lock import Locked, locked


@contextmanager
def site_lock(site: str, layout: Layout, wait_seconds: float = 10.0) -> Iterator[None]:
    """Hold the site's lock; StepFailed names the process that has it. It ends with the process that holds it."""
    with ExitStack() as held:
        try:
            held.enter_context(locked(layout.lock(site), wait_seconds))
        except Locked as error:
            raise StepFailed(
                f"Site {site} is being changed by another run (process {error.holder}); try again when it has ended."
            ) from error
        yield


def live_slot(site: str, layout: Layout) -> str | None:
    """Return the slot that the pointer names, None for a site without one; StepFailed for a pointer of another kind."""
    pointer = Path(layout.pointer(site))
    try:
        target = os.readlink(str(pointer))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StepFailed(f"{pointer} is not a symlink to a slot ({error.strerror}); remove it.") from error
    slot = Path(target).name
    if slot not in SLOTS:
        raise StepFailed(f"{pointer} names {target}, which is no slot; point it to ../slots/blue or ../slots/green.")
    return slot


def switch(site: str, expected: str | None, slot: str, layout: Layout) -> None:
    """Rename the pointer to another slot, when it still names the expected one, and make that durable."""
    now = live_slot(site, layout)
    if now != expected:
        raise StepFailed(f"The pointer of site {site} names {now}, not {expected}: another hand has moved it.")
    try:
        replace_symlink(layout.pointer(site), f"../slots/{slot}")
    except OSError as error:
        if read_link(layout.pointer(site)) == f"../slots/{slot}":
            return  # It was renamed, and traffic goes there: only fsync(2) of its folder failed.
        raise StepFailed(f"The pointer of site {site} could not be renamed: {error.strerror or error}.") from error


def read_stored(site: str, slot: str, layout: Layout) -> dict[str, Any] | None:
    """Return the options that a slot was rendered from, None when there are none; StepFailed for a broken file."""
    path = Path(layout.config_dir(site, slot)) / "site.json"
    try:
        stored = json.loads(read_text(path))
    except Unreadable as error:
        if error.missing:
            return None
        raise StepFailed(error.reason) from error
    except ValueError as error:
        raise StepFailed(f"{path} can't be read ({error}); restore or remove it.") from error
    if not isinstance(stored, dict):
        raise StepFailed(f"{path} holds no site; restore or remove it.")
    return stored


def read_file(path: str) -> str | None:
    """Return a file's text, None when it can't be read."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def read_link(path: str) -> str | None:
    """Return a symlink's target, None when there is none."""
    try:
        return os.readlink(path)
    except OSError:
        return None


def present(rendering: Rendering) -> tuple[dict[str, str | None], dict[str, str | None]]:
    """Return what is there now for each file and each link of a rendering; None for what is missing."""
    return (
        {path: read_file(path) for path in rendering.files},
        {path: read_link(path) for path in rendering.links},
    )


def differing(rendering: Rendering, ignore: tuple[str, ...] = ()) -> list[str]:
    """Return the paths of a rendering that are missing or different on this host; ``ignore`` names base names."""
    files, links = present(rendering)
    wrong = [path for path, file in rendering.files.items() if files[path] != file.text]
    wrong += [path for path, target in rendering.links.items() if links[path] != target]
    return sorted(path for path in wrong if Path(path).name not in ignore)


def _folder(path: str | Path, mode: int = 0o755, gid: int = -1) -> None:
    """Make a folder with exactly this mode and group, whatever the umask says."""
    Path(path).mkdir(parents=True, exist_ok=True)
    os.chown(str(path), -1, gid)
    os.chmod(str(path), mode)  # noqa: PTH101


def group_id(name: str) -> int:
    """Return a group's number; StepFailed names a group that the host lacks."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise StepFailed(f"The group {name} does not exist on this host; create it or name another.") from error


def write_files(files: dict[str, File], gid: int) -> None:
    """Write files that differ; StepFailed names the one that can't be written."""
    for path, file in files.items():
        try:
            write_atomic(path, file.text, file.mode, 0 if os.geteuid() == 0 else -1, gid if file.grouped else -1)
        except OSError as error:
            raise StepFailed(f"{path} could not be written: {error.strerror or error}.") from error


def stage(site: str, slot: str, rendering: Rendering, group: str, layout: Layout) -> bool:
    """Write the whole of a slot that is not live, from nothing: what an earlier run left there goes first.

    Returns whether its unit is another one now.
    """
    gid = group_id(group)
    try:
        drop_in = layout.drop_in(site, slot)
        # A drop-in that stays as it is spares systemd a reload.
        same = read_file(drop_in) == rendering.files[drop_in].text
        remove_slot(site, slot, layout, keep_drop_in=same)
        top = layout.site_dir(site)
        for folder in (layout.state, top, f"{top}/ptr", f"{top}/slots"):
            _folder(folder)
        for folder in (layout.config, f"{layout.config}/{site}"):
            _folder(folder)
        for folder in (layout.config_dir(site, slot), f"{layout.config_dir(site, slot)}/ini.d"):
            _folder(folder, 0o750, gid)
        for folder in (layout.slot_dir(site, slot), f"{layout.slot_dir(site, slot)}/ptr"):
            _folder(folder)
        _folder(Path(drop_in).parent)
        write_files({path: file for path, file in rendering.files.items() if not (same and path == drop_in)}, gid)
        for path, target in rendering.links.items():
            replace_symlink(path, target)
        fsync_dir(f"{top}/slots")
        return not same
    except OSError as error:
        raise StepFailed(f"Slot {slot} of site {site} could not be written: {error}.") from error


def remove_slot(site: str, slot: str, layout: Layout, keep_drop_in: bool = False) -> None:
    """Remove a slot's files; what is not there is no error. Raises OSError."""
    drop_ins = str(Path(layout.drop_in(site, slot)).parent)
    for folder in (
        layout.config_dir(site, slot),
        layout.slot_dir(site, slot),
        *([] if keep_drop_in else [drop_ins]),
        str(Path(layout.socket(site, slot)).parent),
    ):
        if Path(folder).is_symlink():
            Path(folder).unlink()
        elif Path(folder).exists():
            shutil.rmtree(folder)
    with suppress(FileNotFoundError):
        Path(layout.web_socket(site, slot)).unlink()


def slot_paths(site: str, slot: str, layout: Layout) -> list[str]:
    """Return which of a slot's folders are there."""
    drop_ins = str(Path(layout.drop_in(site, slot)).parent)
    return [
        path for path in (layout.config_dir(site, slot), layout.slot_dir(site, slot), drop_ins) if Path(path).exists()
    ]


def remove_site(site: str, layout: Layout) -> None:
    """Remove all that the site had: both slots, the pointer, its folders. Raises OSError."""
    for slot in SLOTS:
        remove_slot(site, slot, layout)
    for folder in (layout.site_dir(site), f"{layout.config}/{site}"):
        if Path(folder).exists():
            shutil.rmtree(folder)


def site_paths(site: str, layout: Layout) -> list[str]:
    """Return what is there of a site, by path."""
    paths = [layout.site_dir(site), f"{layout.config}/{site}"]
    paths += [str(Path(layout.drop_in(site, slot)).parent) for slot in SLOTS]
    return [path for path in paths if Path(path).exists()]


def sites(layout: Layout) -> list[str]:
    """Return the names of all sites that have a pointer on this host."""
    try:
        return sorted(path.parent.parent.name for path in Path(layout.state).glob("*/ptr/live") if path.is_symlink())
    except OSError:
        return []
