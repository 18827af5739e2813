# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Who uses a release: processes of any kind, slots of any site, mount points."""

from __future__ import annotations

import errno
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.proc_stat import parse_stat
from ansible_collections.phpops.webhost.plugins.module_utils._core.release_keep import Use
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host.release_build import raw
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_store import read_link

_FORBIDDEN = (errno.EACCES, errno.EPERM)
_ID = rb"/([A-Za-z0-9][A-Za-z0-9._-]{0,63})(?=[/\s\0]|\Z)"


@dataclass
class Usage:
    """``uses``: by id, who uses a release. ``stable``: who was started by the stable path of the live release.

    ``closed``: how many processes did not let us look; then nothing is proven.
    """

    uses: dict[str, list[Use]] = field(default_factory=dict)
    stable: list[Use] = field(default_factory=list)
    closed: int = 0


def spellings(folder: str) -> list[bytes]:
    """Return a folder as it is named, and as the kernel names it."""
    return list(dict.fromkeys([raw(folder), raw(os.path.realpath(folder))]))


def processes(releases: str, stable: Sequence[str], proc: str = "/proc") -> Usage:
    """Look at cwd, root, exe, open files, mappings and command line of every process (proc(5))."""
    roots = spellings(releases)
    pattern = re.compile(b"(?:" + b"|".join(re.escape(root) for root in roots) + b")" + _ID)
    usage, names = Usage(), [raw(path) for path in stable]
    mounted = Mounted(releases, proc)
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    for entry in os.listdir(proc):
        if not entry.isdigit():
            continue
        found: dict[str, str] = {}
        try:
            found.update(mounted.look(f"{proc}/{entry}"))
            command = _look(f"{proc}/{entry}", pattern, roots, found)
        except OSError as error:
            if error.errno in _FORBIDDEN:
                usage.closed += 1
            # A process that ended meanwhile uses nothing.
            continue
        by_stable = any(name in command for name in names)
        if found or by_stable:
            use = _use(proc, entry, booted)
            for name, how in found.items():
                usage.uses.setdefault(name, []).append(Use(use.pid, use.comm, how, use.started))
            if by_stable:
                usage.stable.append(Use(use.pid, use.comm, "its command line names the live release", use.started))
    return usage


def _look(folder: str, pattern: re.Pattern[bytes], roots: list[bytes], found: dict[str, str]) -> bytes:
    """Note the ids that one process uses, with the way; return its command line. Raises OSError."""

    def note(text: bytes, how: str) -> None:
        if any(root in text for root in roots):
            for name in pattern.findall(text):
                found.setdefault(name.decode(), how)

    for name in ("cwd", "root", "exe"):
        # A kernel thread has no exe, a zombie none of them.
        with suppress(FileNotFoundError):
            note(os.readlink(f"{folder}/{name}".encode()), name)
    for number in os.listdir(f"{folder}/fd"):
        with suppress(FileNotFoundError):
            note(os.readlink(f"{folder}/fd/{number}".encode()), "open file")
    note(_bytes(f"{folder}/maps"), "mapping")
    command = _bytes(f"{folder}/cmdline")
    note(command, "command line")
    return command


def _bytes(path: str) -> bytes:
    """Read one file of a process; one that has ended gives nothing."""
    parts = []
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            part = os.read(descriptor, 1 << 18)
            while part:
                parts.append(part)
                part = os.read(descriptor, 1 << 18)
        finally:
            os.close(descriptor)
    except (FileNotFoundError, ProcessLookupError):
        return b""
    return b"".join(parts)


def _use(proc: str, entry: str, booted: float) -> Use:
    """Return a process by name, with the moment at which it was started."""
    found = parse_stat(_bytes(f"{proc}/{entry}/stat").decode("utf-8", "replace"))
    if found is None:
        return Use(int(entry), "unknown", "", 0.0)
    return Use(int(entry), found.comm, "", booted + found.start / os.sysconf("SC_CLK_TCK"))


def references(path: str, layout: Layout) -> dict[str, str]:
    """Return the ids that a slot of any site or a symlink beside the releases names, with who names it."""
    found: dict[str, str] = {}
    links = [(link, f"slot {link.parent.name} of site {link.parents[2].name}") for link in _slot_links(layout)]
    with suppress(FileNotFoundError):
        links += [
            (link, str(link)) for link in sorted(Path(path).iterdir()) if link.is_symlink() and link.name != "current"
        ]
    pattern = re.compile(b"(?:" + b"|".join(re.escape(root) for root in spellings(f"{path}/releases")) + b")" + _ID)
    for link, who in links:
        for target in (raw(read_link(str(link)) or ""), raw(os.path.realpath(link))):
            for name in pattern.findall(target):
                found.setdefault(name.decode(), f"{who} names it")
    return found


def _slot_links(layout: Layout) -> list[Path]:
    top = Path(layout.state)
    return [
        link for name in ("release", "docroot") for link in sorted(top.glob(f"*/slots/*/{name}")) if link.is_symlink()
    ]


def mount_points(releases: str, mountinfo: str = "/proc/self/mountinfo") -> dict[str, str]:
    """Return the ids that hold a mount point, with its path: removing the release would empty what is mounted there."""
    pattern = re.compile(re.escape(raw(os.path.realpath(releases))) + _ID)
    found: dict[str, str] = {}
    for mount in _mounts(mountinfo):
        for name in pattern.findall(mount.place):
            found.setdefault(name.decode(), os.fsdecode(mount.place))
    return found


class _Mount(NamedTuple):
    """One line of mountinfo (proc(5)): device, what of its file system is mounted, and where."""

    device: bytes
    root: bytes
    place: bytes


def _mounts(mountinfo: str) -> list[_Mount]:
    rows = [line.split(b" ") for line in _bytes(mountinfo).split(b"\n")]
    return [_Mount(row[2], _unescape(row[3]), _unescape(row[4])) for row in rows if len(row) > 4]


def _unescape(text: bytes) -> bytes:
    return re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal.group(1), 8) & 255]), text)


class Mounted:
    """Finds releases that are mounted elsewhere, in a container for example, whose processes have other paths."""

    def __init__(self, releases: str, proc: str) -> None:
        self._seen: set[bytes] = set()
        self._device, self._pattern = b"", re.compile(rb"(?!)")
        real = raw(os.path.realpath(releases))
        for mount in sorted(_mounts(f"{proc}/self/mountinfo"), key=lambda mount: len(mount.place)):
            top = mount.place.rstrip(b"/") + b"/"
            if real.startswith(top):
                inner = mount.root.rstrip(b"/") + b"/" + real[len(top) :]
                self._device, self._pattern = mount.device, re.compile(re.escape(inner) + _ID)

    def look(self, folder: str) -> dict[str, str]:
        """Return the ids that the mount namespace of a process has mounted, with the place. Raises OSError."""
        with suppress(FileNotFoundError):
            space = os.readlink(f"{folder}/ns/mnt".encode())
            if space in self._seen:
                return {}
            self._seen.add(space)
        found: dict[str, str] = {}
        for mount in _mounts(f"{folder}/mountinfo"):
            if mount.device == self._device:
                for name in self._pattern.findall(mount.root):
                    found.setdefault(name.decode(), f"mounted at {os.fsdecode(mount.place)}")
        return found
