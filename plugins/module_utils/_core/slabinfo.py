# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reads the kernel's slab caches: /proc/slabinfo 1.1 to 2.1, and /proc/sys/fs/dentry-state."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_MAX_LINE = 4096
# A mail client's hard wrap cuts a row of 110 columns into at most this many lines.
_MAX_PIECES = 3

_VERSION = re.compile(r"^slabinfo - version: ([0-9]{1,3}\.[0-9]{1,3})\b")
_N = r"([0-9]{1,20})"
# By place, never by the header: 2.0 and 2.1 name the tunables in another order than they print them.
_ROW_2 = re.compile(
    rf"^(\S.*?) {_N} {_N} {_N} {_N} {_N} : tunables {_N} {_N} {_N} : slabdata {_N} {_N} {_N}(?: :.*)?$",
)
# 1.x: the sizes come third and sixth, and what (SMP) and (statistics) add follows a colon.
_ROW_1 = re.compile(rf"^(\S.*?) {_N} {_N} {_N} {_N} {_N} {_N}(?: :[ 0-9:]*)?$")
_ROW_2_BEGUN = re.compile(
    r"^\S.*?(?: [0-9]{1,20}){2,5}"
    r"(?: :(?: tunables(?: [0-9]{1,20}){0,3}(?: :(?: slabdata(?: [0-9]{1,20}){0,2})?)?)?)?$"
)
_HEADER_WORDS = frozenset(("#", "name", ":", "tunables", "slabdata", "globalstat", "cpustat"))
_DENTRY_CACHES = ("dentry", "dentry_cache")


class NotSlabinfo(Exception):
    """The text holds no cache row; the message says what it looks like and which file is wanted."""


@dataclass(frozen=True)
class Cache:
    """One slab cache. Counts of objects and slabs, ``objsize`` in bytes, ``bytes`` an upper bound of its memory."""

    name: str
    active_objs: int
    num_objs: int
    objsize: int
    objperslab: int | None
    pagesperslab: int
    active_slabs: int
    num_slabs: int
    bytes: int


@dataclass(frozen=True)
class Slabinfo:
    """A whole file: ``caches`` largest first, each name once; ``foreign_lines`` counts what was passed over."""

    version: str | None
    caches: list[Cache]
    foreign_lines: int

    @property
    def total_bytes(self) -> int:
        """The memory of all caches."""
        return sum(cache.bytes for cache in self.caches)


def _row(line: str, version: str | None, page_size: int) -> Cache | None:
    """Return the cache of one line with single blanks, None for any other line."""
    found = _ROW_2.match(line)
    if found:
        # 7, 8 and 9 are the tunables, 12 is sharedavail.
        active, total, size, per_slab, pages = (int(found.group(place)) for place in range(2, 7))
        active_slabs, slabs = int(found.group(10)), int(found.group(11))
        name = found.group(1)
        return Cache(name, active, total, size, per_slab, pages, active_slabs, slabs, slabs * pages * page_size)
    found = _ROW_1.match(line) if (version or "").startswith("1.") else None
    if found:
        active, total, size, active_slabs, slabs, pages = (int(found.group(place)) for place in range(2, 8))
        name = found.group(1)
        return Cache(name, active, total, size, None, pages, active_slabs, slabs, slabs * pages * page_size)
    return None


def _is_frame(words: list[str]) -> bool:
    """Tell header words and the statistics of a wrapped row, which are no data and no foreign text either."""
    return all(word in _HEADER_WORDS or (word.startswith("<") and word.endswith(">")) for word in words) or (
        all(word in _HEADER_WORDS or (word.isascii() and word.isdigit()) for word in words)
        and bool({"globalstat", "cpustat"} & set(words))
    )


def _merged(caches: list[Cache]) -> list[Cache]:
    """Sum caches of one name (memcg kernels print several) and sort by memory, largest first.

    The sizes of one object and one slab are those of the largest of them.
    """
    by_name: dict[str, Cache] = {}
    for cache in caches:
        other = by_name.get(cache.name)
        if other is None:
            by_name[cache.name] = cache
            continue
        by_name[cache.name] = replace(
            cache if cache.bytes > other.bytes else other,
            active_objs=cache.active_objs + other.active_objs,
            num_objs=cache.num_objs + other.num_objs,
            active_slabs=cache.active_slabs + other.active_slabs,
            num_slabs=cache.num_slabs + other.num_slabs,
            bytes=cache.bytes + other.bytes,
        )
    return sorted(by_name.values(), key=lambda cache: (-cache.bytes, cache.name))


def parse_slabinfo(text: str, page_size: int) -> Slabinfo:
    """Parse /proc/slabinfo, or a memory cgroup's kmem.slabinfo, which has the same form.

    Versions 1.1 (also SMP and statistics), 2.0 and 2.1 (also statistics); ``page_size`` in bytes. Names may hold
    blanks and colons. Rows that a mail client wrapped are joined, any white space separates, other lines are counted
    as foreign. A cache's bytes are slabs x pages x page size: an upper bound, as SLUB may take smaller slabs.
    Raises NotSlabinfo when there is no cache row. Source: man5/slabinfo, linux mm/slab_common.c.
    """
    version: str | None = None
    caches: list[Cache] = []
    pieces: list[str] = []
    foreign = 0
    for raw in text.split("\n"):
        words = raw.lstrip(" \t>").split() if len(raw) <= _MAX_LINE else ["\0"]
        line = " ".join(words)
        found = _VERSION.match(line)
        if found:
            version = found.group(1)
        elif words and not _is_frame(words):
            joined = " ".join([*pieces, line])
            whole = _row(line, version, page_size)
            cache = whole or (_row(joined, version, page_size) if pieces else None)
            if cache is not None:
                # A row that is whole by itself was not what the lines before it were waiting for.
                foreign += len(pieces) if whole else 0
                caches.append(cache)
                pieces = []
            elif len(pieces) < _MAX_PIECES - 1 and _ROW_2_BEGUN.match(joined):
                pieces.append(line)
            elif _ROW_2_BEGUN.match(line):
                foreign += len(pieces)
                pieces = [line]
            else:
                foreign += len(pieces) + 1
                pieces = []
    foreign += len(pieces)
    if not caches:
        raise NotSlabinfo(_what_it_is(text, version))
    return Slabinfo(version, _merged(caches), foreign)


def _what_it_is(text: str, version: str | None) -> str:
    wanted = "a copy of /proc/slabinfo is wanted (read it as root)."
    if ("OBJ SIZE" in text and "CACHE SIZE" in text) or "Active / Total Objects" in text:
        return f"holds the table of slabtop, whose numbers are rounded: {wanted}"
    if "ermission denied" in text:
        return f"holds an error message instead of data: {wanted}"
    if not text.strip() or version is not None:
        return "lists no cache, as in containers whose kernel hides the host's slabs: read it on the host itself."
    return f"holds no row of a slab cache: {wanted}"


def dentry_cache(slabinfo: Slabinfo) -> Cache | None:
    """Return the directory entry cache under either of its names (``dentry``, in old kernels ``dentry_cache``)."""
    return next((cache for cache in slabinfo.caches if cache.name in _DENTRY_CACHES), None)


def parse_dentry_state(text: str, kernel_release: str | None) -> tuple[int | None, int | None]:
    """Return (unused, negative) dentries of /proc/sys/fs/dentry-state; None for what the text doesn't tell.

    The six numbers are nr_dentry, nr_unused, age_limit, want_pages, nr_negative and a dummy. nr_negative came with
    5.0; before that the place held a 0 that means nothing, so a 0 counts only when ``kernel_release`` (as of
    ``uname -r``) is 5.0 or later. Other kernels that took the counter over show it by another value than 0.
    Source: linux Documentation/admin-guide/sysctl/fs.rst.
    """
    words = text.split()
    if len(text) > _MAX_LINE or len(words) != 6:
        return None, None
    if not all(word.isascii() and word.lstrip("-").isdigit() and len(word) <= 20 for word in words):
        return None, None
    unused, negative = int(words[1]), int(words[4])
    major = re.match(r"[0-9]{1,4}", kernel_release or "")
    known = negative > 0 or (negative == 0 and major is not None and int(major.group()) >= 5)
    return (unused if unused >= 0 else None), (negative if known else None)
