# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The OOM report's memory block: counters, swap, a control group's usage, and what is free by zone and order."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

# What the facts show of the memory, by the kernel's names: in Mem-Info, in a control group's statistics of cgroup v2
# and of v1. Source: linux mm/page_alloc.c or mm/show_mem.c, mm/memcontrol.c, mm/memcontrol-v1.c.
NAMES = (
    *("total", "free", "anon", "file", "active_anon", "inactive_anon", "active_file", "inactive_file", "unevictable"),
    *("dirty", "writeback", "mapped", "shmem", "slab_reclaimable", "slab_unreclaimable", "pagetables", "kernel_stack"),
    *("pagecache", "usage", "limit"),
)
_COUNTERS = frozenset(NAMES[1:2] + NAMES[4:16])
_STATS = {**{name: name for name in NAMES[2:17]}, "file_mapped": "mapped", "file_dirty": "dirty"}
_STATS["file_writeback"] = "writeback"
_OLD_STATS = {**_STATS, "cache": "file", "rss": "anon", "mapped_file": "mapped"}
# 2^63 rounded down to a page is printed in kB: no limit. Old kernels print it in other roundings.
_UNLIMITED_KB = 2**52

_PAGES_RAM = re.compile(r"^(\d{1,15}) pages (?:of )?RAM\b")
_PAGECACHE = re.compile(r"^(\d{1,15}) total pagecache pages")
_SWAP = re.compile(r"^(Free|Total) swap {0,4}[=:] {0,8}(\d{1,15})kB")
_USAGE = re.compile(r"^(memory|swap): usage (\d{1,20})kB, limit (\d{1,20})kB(?:, failcnt (\d{1,20}))?")
_STATS_FOR = re.compile(r"^Memory cgroup stats(?: for (.{1,4096}?))? ?: ?(.*)$")
_ZONE = re.compile(
    r"^(?:Node (\d{1,5}) )?([A-Z]\w{0,15}): ((?:\d{1,15}\*\d{1,9}kB (?:\(\w{0,8}\) )?){1,32})= (\d{1,15})kB"
)
_BLOCK = re.compile(r"(\d+)\*(\d+)kB")


@dataclass
class Memory:
    """What one report says. ``pages`` are counters in pages, ``sizes`` in bytes, both by NAMES; the first word wins."""

    pages: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int | None] = field(default_factory=dict)
    swap: dict[str, int | None] = field(default_factory=dict)
    failcnt: int | None = None
    stats_for: str | None = None
    in_stats: bool = False
    zones: dict[tuple[int, str], dict[str, Any]] = field(default_factory=dict)
    page_size: int | None = None
    memcg: bool = False

    def take(self, body: str) -> bool:
        """Take a line of the block; False for any other line."""
        first = body[:1]
        if first.isdigit():
            return self._total(body)
        if "*" in body:
            return self._zone(body)
        if self._usage(body) or self._counters(body):
            return True
        found = _SWAP.match(body)
        if found:
            self.swap.setdefault(f"{found.group(1).lower()}_bytes", int(found.group(2)) * 1024)
            return True
        return body.startswith(("Mem-Info", "Node ", "lowmem_reserve[", "Swap cache stats"))

    def _total(self, body: str) -> bool:
        for pattern, name in ((_PAGES_RAM, "total"), (_PAGECACHE, "pagecache")):
            found = pattern.match(body)
            if found:
                self.pages.setdefault(name, int(found.group(1)))
                return True
        return " pages " in body

    def _counters(self, body: str) -> bool:
        words = body.split(None, 64)
        key, colon, value = words[0].partition(":") if words else ("", "", "")
        if self.in_stats and len(words) == 2 and words[1].isdigit() and len(words[1]) <= 20:
            # cgroup v2, in bytes.
            if words[0] in _STATS:
                self.sizes.setdefault(_STATS[words[0]], int(words[1]))
            return key.replace("_", "").isalnum()
        if not colon or not value.isdigit() or not key.replace("_", "").isalpha():
            return False
        for word in words:
            key, _colon, value = word.partition(":")
            if key in _COUNTERS and value.isdigit() and len(value) <= 15:
                self.pages.setdefault(key, int(value))
        return True

    def _usage(self, body: str) -> bool:
        found = _USAGE.match(body)
        if found:
            self.memcg = True
            usage, limit = int(found.group(2)) * 1024, int(found.group(3))
            ceiling = None if limit >= _UNLIMITED_KB else limit * 1024
            if found.group(1) == "memory":
                self.sizes.setdefault("usage", usage)
                self.sizes.setdefault("limit", ceiling)
                self.failcnt = int(found.group(4)) if found.group(4) else None
            else:
                self.swap.setdefault("total_bytes", ceiling)
                self.swap.setdefault("free_bytes", None if ceiling is None else max(0, ceiling - usage))
            return True
        found = _STATS_FOR.match(body)
        if found is None:
            return body.startswith(("memory+swap: usage", "kmem: usage"))
        self.memcg = self.in_stats = True
        self.stats_for = self.stats_for or found.group(1)
        for word in found.group(2).split(None, 64):
            key, _colon, value = word.partition(":")
            if key in _OLD_STATS and value.endswith("KB") and value[:-2].isdigit() and len(value) <= 20:
                self.sizes.setdefault(_OLD_STATS[key], int(value[:-2]) * 1024)
        return True

    def _zone(self, body: str) -> bool:
        found = _ZONE.match(body)
        if found is None:
            return body.startswith("Node ")
        pairs = [(int(count), int(size)) for count, size in _BLOCK.findall(found.group(3))]
        counts = [count for count, _size in pairs]
        self.page_size = self.page_size or pairs[0][1] * 1024
        node, zone = int(found.group(1) or 0), found.group(2)
        free = [order for order, count in enumerate(counts) if count]
        if len(self.zones) < 4096:
            self.zones.setdefault(
                (node, zone),
                {
                    "node": node,
                    "zone": zone,
                    "free_bytes": int(found.group(4)) * 1024,
                    "largest_order_free": free[-1] if free else None,
                    "blocks": counts,
                },
            )
        return True

    def shown(self, page_size: int) -> dict[str, int | None]:
        """Return the facts' ``mem``: bytes by name, None where the report doesn't tell."""
        found: dict[str, int | None] = {}
        for name in NAMES:
            size = self.sizes.get(name)
            found[f"{name}_bytes"] = self.pages[name] * page_size if size is None and name in self.pages else size
        return {**found, "failcnt": self.failcnt}
