# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What has to be done so that a host has enough swap, or none of ours any more.

Nothing is ever swapped off to grow: a swap file in use can't grow ("Text file busy"), so a further file is added.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.fstab import (
    escaped,
    parse_fstab,
    with_lines,
    with_replaced,
    without_lines,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.swaps import (
    MAX_FILES,
    Swap,
    file_name,
    file_number,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of, human_bytes

FILE_SYSTEMS = ("ext4", "xfs")
_WHY_NOT = {
    "btrfs": "a swap file there must be neither compressed nor in a snapshot, and can't be on several devices",
    "overlay": "the kernel takes no swap file there",
    "tmpfs": "its files are in the memory that swap is to relieve",
    "ramfs": "its files are in the memory that swap is to relieve",
    "zfs": "swapping to it can lock the host up when memory is short",
}
_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "fuse.sshfs", "glusterfs", "fuse.glusterfs", "virtiofs")


class SwapRefused(Exception):
    """It can't be done on this host as it is; the text is one sentence with the numbers and the cure."""


@dataclass(frozen=True)
class File:
    """A swap file of ours on the disk; ``whole`` tells that it is a swap area, root's alone, and not a directory."""

    path: str
    size_bytes: int
    whole: bool


@dataclass(frozen=True)
class Seen:
    """What a host shows: ``files`` are ours, on the disk or in fstab, ``unfinished`` what a killed run was building.

    ``free_bytes`` is what the file system of the directory has for users, None when that is not known.
    """

    active: Sequence[Swap]
    files: Sequence[File]
    unfinished: Sequence[File]
    fstab: str
    directory: str
    file_system: str
    free_bytes: int
    memory_bytes: int
    available_bytes: int
    page_bytes: int = 4096


@dataclass
class Plan:
    """The steps, in the order in which they are done; ``build`` is a path and a size in bytes."""

    remove: list[str] = field(default_factory=list)
    build: tuple[str, int] | None = None
    on: list[tuple[str, int | None]] = field(default_factory=list)
    off: list[str] = field(default_factory=list)
    again: list[tuple[str, int | None]] = field(default_factory=list)
    fstab: str = ""
    notes: list[str] = field(default_factory=list)


def fstab_line(path: str, priority: int | None) -> str:
    """Return our line for a swap file; without the file the host boots all the same (nofail)."""
    options = "sw,nofail" if priority is None else f"sw,nofail,pri={priority}"
    return f"{escaped(path)} none swap {options} 0 0"


def kept_free(seen: Seen) -> int:
    """Return how much of the available memory must be left after a swapoff: 5 % of all, at least 64 MiB."""
    return max(64 << 20, seen.memory_bytes // 20)


def priority_of(path: str, priority: int | None) -> int | None:
    """Return the priority of one of our files: each later one comes after those before it, not beside them."""
    return None if priority is None else max(0, priority - (file_number(path) or 1) + 1)


def plan_present(seen: Seen, size_bytes: int, priority: int | None, reserve_bytes: int) -> Plan:
    """Return what gives the host ``size_bytes`` of swap, counting what it has. Raises SwapRefused.

    ``priority``: that of our first file, None for the kernel's choice; ``reserve_bytes``: what stays free on the disk.
    """
    active = {swap.path: swap for swap in seen.active}
    named = {entry.source for entry in parse_fstab(seen.fstab) if entry.kind == "swap"}
    plan = Plan(remove=[file.path for file in seen.unfinished])
    freed = sum(file.size_bytes for file in seen.unfinished)
    counted = [swap for swap in seen.active if not swap.in_memory]
    have = sum(swap.size_bytes for swap in counted)
    # A partition of exactly the wanted size counts as that, although its header takes a page of it.
    rounded = have + len(counted) * seen.page_bytes
    kept = [swap.path for swap in seen.active if swap.ours]
    for file in sorted(seen.files, key=lambda file: (file.path not in named, file_number(file.path) or 0)):
        if file.path in active:
            continue
        if file.whole and (file.path in named or rounded < size_bytes):
            plan.on.append((file.path, priority_of(file.path, priority)))
            kept.append(file.path)
            have += file.size_bytes - seen.page_bytes
            rounded += file.size_bytes
        else:
            plan.remove.append(file.path)
            freed += file.size_bytes
    if rounded < size_bytes:
        wanted = size_bytes - have + seen.page_bytes
        plan.build = (_free_path(seen, kept), -(-wanted // seen.page_bytes) * seen.page_bytes)
        _refuse_disk(seen, plan.build[1], freed, reserve_bytes)
        plan.on.append((plan.build[0], priority_of(plan.build[0], priority)))
        kept.append(plan.build[0])
    _change_priorities(seen, plan, priority)
    plan.fstab = _fstab_with(seen.fstab, kept, priority)
    in_memory = [swap.path for swap in seen.active if swap.in_memory]
    if in_memory:
        plan.notes.append(f"{', '.join(in_memory)} is compressed memory and was not counted as swap.")
    return plan


def _free_path(seen: Seen, kept: Sequence[str]) -> str:
    # A deleted file that is still in use has our name with " (deleted)" behind it, and takes no number.
    taken = {file_number(path) for path in kept}
    number = next(number for number in range(1, MAX_FILES + 2) if number not in taken)
    if number > MAX_FILES:
        raise SwapRefused(
            f"This host has {MAX_FILES} swap files of this role, as many as it may have:"
            " join them (state absent, then present) when little of them is in use."
        )
    return f"{seen.directory}/{file_name(number)}"


def _refuse_disk(seen: Seen, size: int, freed: int, reserve_bytes: int) -> None:
    if seen.file_system not in FILE_SYSTEMS:
        why = _WHY_NOT.get(seen.file_system)
        if why is None:
            network = seen.file_system in _NETWORK
            why = "it needs memory to be written to" if network else "nobody has tried a swap file there"
        raise SwapRefused(
            f"{seen.directory} is on {seen.file_system}, and {why}: give a directory on {' or '.join(FILE_SYSTEMS)}."
        )
    free = seen.free_bytes + freed
    if free - size < reserve_bytes:
        raise SwapRefused(
            f"{seen.directory} has {human_bytes(free)} free, and {human_bytes(size)} for a swap file would leave"
            f" less than the {human_bytes(reserve_bytes)} to be kept: free space, or give another directory."
        )


def _change_priorities(seen: Seen, plan: Plan, priority: int | None) -> None:
    """Only a swapoff changes the priority of an area in use: done where all of it fits into memory, else told."""
    room = seen.available_bytes - kept_free(seen)
    for swap in seen.active:
        wanted = priority_of(swap.path, priority)
        if not swap.ours or (swap.priority < 0 if wanted is None else swap.priority == wanted):
            continue
        if swap.used_bytes <= room:
            plan.again.append((swap.path, wanted))
            room -= swap.used_bytes
        else:
            plan.notes.append(
                f"{swap.path} keeps the priority {swap.priority} until the next boot:"
                f" {human_bytes(swap.used_bytes)} are in it, and only {human_bytes(max(0, room))} of memory can be had."
            )


def _fstab_with(text: str, paths: Sequence[str], priority: int | None) -> str:
    """Return fstab with one line of ours for each path, and none for another swap file of ours."""
    lines = {path: fstab_line(path, priority_of(path, priority)) for path in paths}
    seen: set[str] = set()
    gone: list[int] = []
    replaced: dict[int, str] = {}
    for entry in parse_fstab(text):
        if entry.kind != "swap" or file_number(entry.source) is None:
            continue
        if entry.source in lines and entry.source not in seen:
            replaced[entry.number] = lines[entry.source]
            seen.add(entry.source)
        else:
            gone.append(entry.number)
    text = without_lines(with_replaced(text, replaced), gone)
    new = sorted((path for path in lines if path not in seen), key=lambda path: file_number(path) or 0)
    return with_lines(text, [lines[path] for path in new]) if new else text


def plan_absent(seen: Seen) -> Plan:
    """Return what takes our swap files away. Raises SwapRefused where what is in them doesn't fit into memory."""
    ours = [swap for swap in seen.active if swap.ours]
    used = sum(swap.used_bytes for swap in ours)
    kept = kept_free(seen)
    if used and used > seen.available_bytes - kept:
        raise SwapRefused(
            f"{human_bytes(used)} are in {count_of(len(ours), 'swap file')} of this role, and of the"
            f" {human_bytes(seen.available_bytes)} of memory that are available {human_bytes(kept)} must stay:"
            " stop what uses memory, and run the task again."
        )
    return Plan(
        remove=[file.path for file in (*seen.unfinished, *seen.files)],
        off=[swap.path for swap in ours],
        fstab=_fstab_with(seen.fstab, [], None),
    )
