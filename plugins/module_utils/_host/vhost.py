# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Gives a site a virtual host of its own, or takes it away: checked on a copy, one reload, and a way back."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Sequence, Union

from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import HEADER
from ansible_collections.phpops.webhost.plugins.module_utils._core.vhost import (
    AVAILABLE,
    ENABLED,
    Vhost,
    file_name,
    lines,
    spoilers,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import (
    Unreadable,
    fsync_dir,
    read_bytes,
    replace_symlink,
    write_atomic,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.lock import Locked, locked
from ansible_collections.phpops.webhost.plugins.module_utils._host.vhost_servers import ApacheSide, NginxSide

Side = Union[ApacheSide, NginxSide]


class VhostFailed(Exception):
    """The virtual host could not be changed, and all is as before; one sentence."""


@dataclass(frozen=True)
class Link:
    """A symlink to ``goal``."""

    goal: str


# A file's bytes, a symlink, or nothing.
Entry = Union[bytes, Link, None]


@dataclass(frozen=True)
class Change:
    """One name of the configuration as it is, and as it is to be."""

    path: str
    before: Entry
    after: Entry


@dataclass(frozen=True)
class Settings:
    """How long to wait for what, in seconds. A pending reload is noted where a reboot forgets it."""

    reload_timeout_seconds: float = 60.0
    lock_timeout_seconds: float = 60.0
    pending: str = "/run/phpops/reload"


def apply(side: Side, vhost: Vhost, state: str, settings: Settings, check_mode: bool) -> dict[str, Any]:
    """Bring the site's virtual host to ``state``; returns what the module returns. Raises VhostFailed."""
    try:
        with nullcontext() if check_mode else locked(side.lock, settings.lock_timeout_seconds):
            return _apply(side, vhost, state, settings, check_mode)
    except Locked as error:
        raise VhostFailed(
            f"Another run (process {error.holder}) changes {side.title} of this host; try again when it has ended."
        ) from error
    except OSError as error:
        raise VhostFailed(f"The virtual host of site {vhost.site} could not be changed: {error}.") from error


def _apply(side: Side, vhost: Vhost, state: str, settings: Settings, check_mode: bool) -> dict[str, Any]:
    root, name = side.control.config_root.rstrip("/"), file_name(vhost.site)
    path, link = f"{root}/{AVAILABLE}/{name}", f"{root}/{ENABLED}/{name}"
    _refuse_foreign(path, link, side)
    found = spoilers(vhost, side.name, path) if state == "present" else []
    if found:
        raise VhostFailed(f"Site {vhost.site}'s virtual host would spoil its next flip: {found[0]}.")
    side.look(vhost)
    wanted = side.text(vhost).encode() if state == "present" else None
    goal = Link(f"../{AVAILABLE}/{name}") if state == "present" else None
    changes = [Change(path, entry(path), wanted), Change(link, entry(link), goal)]
    if state == "absent":
        changes.reverse()
    modules = side.module_links(vhost, state)
    changes += [Change(each, entry(each), Link(to) if to else None) for each, to in modules.items()]
    changes = [change for change in changes if change.before != change.after]
    mark = Path(settings.pending) / f"{side.name}-{vhost.site}"
    pending = mark.exists() and bool(side.control.parent())
    result = {
        "changed": bool(changes) or pending,
        "lines": lines(vhost, side.name),
        "path": path,
        "reloaded": False,
        "diff": [diff_of(change) for change in changes],
        "msg": "",
    }
    if not changes and not pending:
        return result
    taken = side.taken(vhost) if state == "present" else None
    if taken:
        raise VhostFailed(
            f"Site {vhost.site}: the server name {taken} is another virtual host's; take it out there, or put the lines"
            " that this module returns into that virtual host instead."
        )
    if state == "present" and side.is_new_port(vhost) and in_use(vhost.port):
        raise VhostFailed(f"Site {vhost.site}: another program listens at port {vhost.port}; give a port that is free.")
    _check_copy(side, vhost, changes)
    if check_mode:
        return result
    mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark.touch()
    try:
        result["reloaded"], result["msg"] = _change(side, changes, state, modules, settings)
    except VhostFailed:
        _unmark(mark)
        raise
    _unmark(mark)
    return result


def _unmark(mark: Path) -> None:
    """Only a run that was killed leaves its mark: the next one reloads then, though no file differs."""
    with suppress(FileNotFoundError):
        mark.unlink()


def in_use(port: int) -> bool:
    """Tell whether a program of this host listens at a port. A reload that can't have its port would end Apache."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _refuse_foreign(path: str, link: str, side: Side) -> None:
    """A file that somebody else wrote, under the name that is ours, is never replaced."""
    for each in (path, link):
        try:
            content = read_bytes(each)
        except Unreadable as error:
            if error.missing:
                continue
            raise VhostFailed(str(error)) from error
        if not content.startswith(f"# {HEADER}\n".encode()):
            raise VhostFailed(f"{each} was not written by this collection: rename it, and let {side.title} reload.")


def entry(path: str) -> Entry:
    """Return what is at a path. Raises OSError for what is neither file nor symlink, and for what can't be read."""
    try:
        return Link(os.readlink(path))
    except FileNotFoundError:
        return None
    except OSError:
        return Path(path).read_bytes()


def put(path: str, wanted: Entry) -> None:
    """Bring a path to an entry, durably. Raises OSError."""
    if isinstance(wanted, Link):
        replace_symlink(path, wanted.goal)
    elif wanted is None:
        with suppress(FileNotFoundError):
            Path(path).unlink()
        fsync_dir(Path(path).parent)
    else:
        write_atomic(path, wanted, 0o644)


def _shown(item: Entry) -> str:
    if item is None:
        return ""
    return f"symlink to {item.goal}\n" if isinstance(item, Link) else item.decode("utf-8", "replace")


def diff_of(change: Change) -> dict[str, str]:
    """Return a change as Ansible shows differences."""
    return {
        "before_header": change.path,
        "after_header": change.path,
        "before": _shown(change.before),
        "after": _shown(change.after),
    }


def _check_copy(side: Side, vhost: Vhost, changes: Sequence[Change]) -> None:
    texts = {change.path: change.after for change in changes if isinstance(change.after, bytes)}
    made = {change.path: change.after.goal for change in changes if isinstance(change.after, Link)}
    gone = [change.path for change in changes if change.after is None]
    complaint = side.control.staged_complaint(texts, made, gone)
    if complaint:
        already = side.control.complaint()
        if already:
            raise VhostFailed(f"{side.title}'s configuration doesn't pass as it is; nothing was changed: {already}")
        raise VhostFailed(f"{side.title} refuses site {vhost.site}'s virtual host; nothing was changed: {complaint}")


def _change(
    side: Side, changes: Sequence[Change], state: str, modules: dict[str, str], settings: Settings
) -> tuple[bool, str]:
    """Change the real files, check them again, and reload; after a failure all is as before. Raises VhostFailed."""
    if state == "present":
        # Before they are made: a run that is killed in between leaves none that nobody would switch off.
        side.note_modules(modules, state)
    try:
        for change in changes:
            put(change.path, change.after)
        complaint = side.control.complaint() or side.reload_problem()
    except (OSError, *side.errors) as error:
        complaint = str(error)
    if complaint:
        _restore(side, changes, modules, state)
        raise VhostFailed(f"{side.title} can't use the changed files, which are as before again: {complaint}")
    if not side.control.parent():
        _note_gone(side, modules, state)
        return False, f"{side.title} is not running; it takes the virtual host when it starts."
    try:
        msg = side.reload(settings.reload_timeout_seconds)
    except side.errors as error:
        _restore(side, changes, modules, state)
        down = ""
        if not side.control.parent():
            down = side.control.start()
        else:
            with suppress(*side.errors):
                side.control.graceful(settings.reload_timeout_seconds)
        raise VhostFailed(f"{error} The files are as before. {down}".rstrip()) from error
    _note_gone(side, modules, state)
    return True, msg


def _note_gone(side: Side, modules: dict[str, str], state: str) -> None:
    if state == "absent":
        side.note_modules(modules, state)


def _restore(side: Side, changes: Sequence[Change], modules: dict[str, str], state: str) -> None:
    for change in reversed(changes):
        put(change.path, change.before)
    if state == "present":
        side.note_modules(modules, "absent")
