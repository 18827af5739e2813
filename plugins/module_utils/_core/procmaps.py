# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reads /proc/PID/maps, status and smaps_rollup: which shared memory a process maps (format: man5 proc_pid_maps)."""

from __future__ import annotations

import re
from typing import Iterable, Iterator, NamedTuple

#: OPcache refuses a memory_consumption below 8 MiB: no smaller mapping is an OPcache segment.
OPCACHE_MIN_BYTES = 8 * 1024 * 1024

#: What holds the pages of a mapping.
ANONYMOUS, SYSV, POSIX, MEMFD, HUGETLB, TMPFS = "anonymous", "sysv", "posix", "memfd", "hugetlb", "tmpfs"

# Keys of SysV segments that PHP makes for itself alone: IPC_PRIVATE, and the -1 that OPcache starts with.
_PRIVATE_SYSV = ("/SYSV00000000", "/SYSVffffffff")

_SHARED = re.compile(
    r"([0-9a-f]{1,16})-([0-9a-f]{1,16}) [r-][w-]([x-])s ([0-9a-f]{1,16}) ([0-9a-f]{1,8}:[0-9a-f]{1,8}) (\d{1,20})"
    r"(?:[ \t]+(.*))?"
)
_STATUS = re.compile(r"^(Name|State|PPid|Uid|VmSize|VmSwap|RssAnon):[ \t]*([^\n]*)$", re.MULTILINE)
# Caches of compiled code. Beside apcu.so, apc.so only brings the old names of its functions.
OPCACHE = "OPcache"
_OPCODE_CACHES = (
    ("/opcache.so", OPCACHE),
    ("/apc.so", "APC"),
    ("/xcache.so", "XCache"),
    ("/eaccelerator.so", "eAccelerator"),
)
_PSS = re.compile(r"^Pss:[ \t]+(\d{1,18}) kB", re.MULTILINE)


class Mapping(NamedTuple):
    """One shared mapping; `device` is "major:minor" in hex as the kernel prints it, sizes and offset in bytes."""

    start: int
    end: int
    offset: int
    device: str
    inode: int
    executable: bool
    path: str
    backing: str


class Status(NamedTuple):
    """What /proc/PID/status says; sizes in bytes, None where the kernel has no such line."""

    name: str
    parent: int
    uid: int
    swap_bytes: int | None
    anon_bytes: int | None
    has_memory: bool


def backing_of(path: str, device: str, tmpfs_devices: Iterable[str] = ()) -> str | None:
    """Return what backs a shared mapping, or None when it is a file of a real file system or a device.

    The names are the kernel's: shared anonymous memory shows as "/dev/zero (deleted)" (mm/shmem.c, shmem_zero_setup),
    SysV as "/SYSVkey" (ipc/shm.c), huge pages as "/anon_hugepage" (mm/mmap.c).
    """
    if path.startswith("/dev/zero"):
        return ANONYMOUS
    if path.startswith("/SYSV"):
        return SYSV
    if path.startswith("/memfd:"):
        return MEMFD
    if path.startswith("/anon_hugepage"):
        return HUGETLB
    if path.startswith("/dev/shm/"):
        return POSIX
    return TMPFS if device in tmpfs_devices else None


def shared_mappings(maps_text: str, tmpfs_devices: Iterable[str] = ()) -> list[Mapping]:
    """Return the shared mappings of shared memory in the text of /proc/PID/maps; other lines are passed over."""
    found = []
    for line in _shared_lines(maps_text):
        match = _SHARED.fullmatch(line)
        if match is None:
            continue
        start, end, executable, offset, device, inode, path = match.groups("")
        backing = backing_of(path, device, tmpfs_devices)
        low, high = int(start, 16), int(end, 16)
        if backing is not None and high > low:
            found.append(Mapping(low, high, int(offset, 16), device, int(inode), executable == "x", path, backing))
    return found


def opcode_caches(maps_text: str) -> tuple[str, ...]:
    """Return the caches of compiled code that a PHP process has loaded, by the text of its /proc/PID/maps.

    PHP 8.5 has OPcache built in, which shows as no file.
    """
    found = [name for file, name in _OPCODE_CACHES if file in maps_text]
    return tuple(name for name in found if name != "APC" or "/apcu.so" not in maps_text)


def _shared_lines(text: str) -> Iterator[str]:
    """Yield each line that may be a shared mapping.

    A PHP process has about 900 mappings and 3 shared ones, so the flags are found by a plain search, ten times faster
    than a match of each line.
    """
    for mark in ("-s ", "xs "):
        place = text.find(mark)
        while place >= 0:
            start, end = text.rfind("\n", 0, place) + 1, text.find("\n", place)
            end = len(text) if end < 0 else end
            # The flags stand where the two addresses end; anywhere else it is a part of the path.
            if place - start < 38:
                yield text[start:end]
            place = text.find(mark, end)


def mapped_bytes(mappings: Iterable[Mapping]) -> int:
    """Return how many bytes of one segment these mappings cover, a part that is mapped twice counted once."""
    total = 0
    covered = 0
    for start, end in sorted((m.offset, m.offset + m.end - m.start) for m in mappings):
        total += max(0, end - max(start, covered))
        covered = max(covered, end)
    return total


def segment_key(mapping: Mapping) -> tuple[str, int, str]:
    """Return what names a segment on a host: device, inode and backing (SysV ids are "inodes" of the same device)."""
    return mapping.device, mapping.inode, mapping.backing


def opcache_segment(mappings: Iterable[Mapping]) -> list[Mapping]:
    """Return the mappings of OPcache's segment among those of a PHP process; [] when there is none.

    A file that PHP names ZendAccelerator* is certain. Else it is the segment of at least 8 MiB that has executable
    pages (the JIT buffer), else the one that was made last: OPcache starts after all other extensions (APCu), and the
    kernel numbers shared memory upwards. In the memory model "shm" OPcache takes several private SysV segments
    of up to 32 MiB (seen with PHP 8.2), which count as one.
    """
    segments: dict[tuple[object, ...], list[Mapping]] = {}
    for mapping in mappings:
        piece = mapping.backing == SYSV and mapping.path.startswith(_PRIVATE_SYSV)
        key: tuple[object, ...] = (SYSV,) if piece else segment_key(mapping)
        segments.setdefault(key, []).append(mapping)
    candidates = []
    for parts in segments.values():
        named = "/ZendAccelerator" in parts[0].path
        unnamed = parts[0].backing in (ANONYMOUS, HUGETLB) or parts[0].path.startswith(_PRIVATE_SYSV)
        if (named or unnamed) and reserved_bytes(parts) >= OPCACHE_MIN_BYTES:
            executable = any(part.executable for part in parts)
            candidates.append(((named, executable, max(part.inode for part in parts)), parts))
    return max(candidates, key=lambda candidate: candidate[0])[1] if candidates else []


def reserved_bytes(mappings: Iterable[Mapping]) -> int:
    """Return how many bytes these mappings of one process reserve, each part of each segment once."""
    segments: dict[tuple[str, int, str], list[Mapping]] = {}
    for mapping in mappings:
        segments.setdefault(segment_key(mapping), []).append(mapping)
    return sum(mapped_bytes(parts) for parts in segments.values())


def opcache_segment_bytes(maps_text: str) -> int | None:
    """Return the bytes that the OPcache segment of a PHP process reserves (JIT buffer included), from /proc/PID/maps.

    None means that no mapping looks like one: OPcache is off, or the master has not started it yet.
    """
    parts = opcache_segment(shared_mappings(maps_text))
    return reserved_bytes(parts) if parts else None


def parse_status(text: str) -> Status:
    """Return what /proc/PID/status says; a kernel thread or a zombie has no VmSize line, so `has_memory` is False."""
    fields = dict(_STATUS.findall(text))
    return Status(
        name=fields.get("Name", "").strip(),
        parent=_first_int(fields.get("PPid")) or 0,
        uid=_first_int(fields.get("Uid")) or 0,
        swap_bytes=_kib(fields.get("VmSwap")),
        anon_bytes=_kib(fields.get("RssAnon")),
        has_memory="VmSize" in fields,
    )


def parse_pss(text: str) -> int | None:
    """Return the proportional set size in bytes from /proc/PID/smaps_rollup (kernel 4.14 and newer), else None."""
    match = _PSS.search(text)
    return int(match.group(1)) * 1024 if match else None


def smaps_pss(text: str) -> dict[tuple[str, int, str], int]:
    """Return the proportional set size in bytes of each shared segment that /proc/PID/smaps shows.

    Summed over all processes that map a segment it is the number of its pages that any of them has touched: a page
    that n processes map counts 1/n in each (man5 proc_pid_smaps).
    """
    found: dict[tuple[str, int, str], int] = {}
    key: tuple[str, int, str] | None = None
    for line in text.split("\n"):
        if line.startswith("Pss:"):
            size = _kib(line[4:])
            if key is not None and size is not None:
                found[key] = found.get(key, 0) + size
            key = None
        elif "-" in line[:17] and ":" not in line[:17]:
            mappings = shared_mappings(line)
            key = segment_key(mappings[0]) if mappings else None
    return found


def _first_int(value: str | None) -> int | None:
    words = (value or "").split()
    return int(words[0]) if words and words[0].isascii() and words[0].isdigit() and len(words[0]) < 19 else None


def _kib(value: str | None) -> int | None:
    number = _first_int(value)
    return None if number is None else number * 1024
