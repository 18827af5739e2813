# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reads /proc/buddyinfo: how large the pieces of free memory are."""

from __future__ import annotations

import re
from typing import Any, Sequence

_ROW = re.compile(r"Node (\d{1,6}), zone\s+(\S{1,32})((?:\s+\d{1,18}){1,64})\s*")
_MOST_ZONES = 4096


def parse_buddyinfo(text: str, page_size: int) -> list[dict[str, Any]]:
    """Return free memory by zone, in the form in which oom_facts shows it; ``page_size`` in bytes.

    Each zone is {node, zone, free_bytes, largest_order_free, blocks}: ``blocks`` are the free blocks of two to the
    power of their place pages, ``largest_order_free`` the highest place that is not 0, None where all are. Lines of
    another form are passed over. Source: man5 proc_buddyinfo, linux mm/vmstat.c.
    """
    zones: list[dict[str, Any]] = []
    for line in text.splitlines():
        match = _ROW.fullmatch(line) if len(line) < 4096 else None
        if match is None or len(zones) >= _MOST_ZONES:
            continue
        blocks = [int(word) for word in match.group(3).split()]
        free = [order for order, count in enumerate(blocks) if count]
        zones.append(
            {
                "node": int(match.group(1)),
                "zone": match.group(2),
                "free_bytes": sum(count << order for order, count in enumerate(blocks)) * page_size,
                "largest_order_free": free[-1] if free else None,
                "blocks": blocks,
            }
        )
    return zones


def unusable_share(zones: Sequence[Sequence[int]], order: int) -> float | None:
    """Return which part of the free memory lies in blocks too small for a request of two to the power ``order`` pages.

    ``zones`` are the ``blocks`` of each. None where nothing is free. It is the kernel's own index over all zones
    (unusable_show_print in mm/vmstat.c).
    """
    free = sum(count << place for blocks in zones for place, count in enumerate(blocks))
    small = sum(count << place for blocks in zones for place, count in enumerate(blocks[:order]))
    return small / free if free else None
