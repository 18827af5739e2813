# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Swap areas: /proc/swaps, the names of our swap files, and whether a file holds a swap area."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.phpops.webhost.plugins.module_utils._core.fstab import unescaped

# The most files of ours on one host: the kernel takes 23 to 29 swap areas in all.
MAX_FILES = 16
_ROW = re.compile(r"^(/\S*)\s+([a-z]+)\s+([0-9]{1,20})\s+([0-9]{1,20})\s+(-?[0-9]{1,6})\s*$")
_OURS = re.compile(r"^/(?:.*/)?phpops-([1-9][0-9]{0,2})\.swap$")
_MAGIC = b"SWAPSPACE2"
# The compressed swap in memory itself adds none to it.
_MEMORY = re.compile(r"^/dev/zram[0-9]+$")


@dataclass(frozen=True)
class Swap:
    """One active swap area; sizes in bytes, ``size_bytes`` without the page of its header."""

    path: str
    kind: str
    size_bytes: int
    used_bytes: int
    priority: int

    @property
    def ours(self) -> bool:
        """Whether it is a file of this collection."""
        return self.kind == "file" and file_number(self.path) is not None

    @property
    def in_memory(self) -> bool:
        """Whether it is compressed memory (zram), no room besides the memory."""
        return _MEMORY.match(self.path) is not None


def parse_swaps(text: str) -> list[Swap]:
    """Return the active swap areas of /proc/swaps, whose sizes are in KiB (proc_swaps(5)); other lines are passed over.

    A file that was deleted while in use keeps the kernel's " (deleted)" in its path.
    """
    swaps = []
    for line in text.split("\n"):
        match = _ROW.match(line)
        if match:
            path = unescaped(match.group(1))
            size, used, priority = (int(match.group(place)) for place in (3, 4, 5))
            swaps.append(Swap(path, match.group(2), size * 1024, used * 1024, priority))
    return swaps


def file_name(number: int) -> str:
    """Return the name of our n-th swap file."""
    return f"phpops-{number}.swap"


def file_number(path: str) -> int | None:
    """Return which of our swap files a path is, None for any other path."""
    match = _OURS.match(path)
    return int(match.group(1)) if match else None


def is_unfinished(name: str) -> bool:
    """Return whether a file's name is that of one of our swap files that is being built."""
    return name.startswith("phpops-") and name.endswith(".swap.new")


def holds_swap_area(first_page: bytes) -> bool:
    """Return whether a file's first page ends with the mark of mkswap(8), whatever the page's size is."""
    return len(first_page) >= 4096 and first_page.endswith(_MAGIC)
