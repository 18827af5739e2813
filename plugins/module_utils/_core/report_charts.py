# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The geometry of a report's pictures, so that a template only puts numbers into SVG."""

from __future__ import annotations

import math
from datetime import datetime, timezone
from typing import Sequence

# A bar is drawn in a box of this width; what would be thinner than that sliver is still seen.
WIDTH = 1000.0
SLIVER = 3.0
# A gauge is half a circle around (50, 50).
RADIUS = 40.0
# From these shares on a gauge is a warning, and critical.
WARN, CRITICAL = 0.85, 0.95


def stack(sizes: Sequence[int], whole: int) -> list[dict[str, float]]:
    """Return {x, width} for each size, one after the other, in a box of WIDTH that stands for ``whole`` bytes.

    Sizes are at least 0. When they come to more than ``whole`` the box stands for their sum.
    """
    scale = max(whole, sum(sizes), 1)
    boxes = []
    x = 0.0
    for size in sizes:
        width = size / scale * WIDTH
        shown = max(width, SLIVER) if size else 0.0
        boxes.append({"x": round(min(x, WIDTH - shown), 2), "width": round(shown, 2)})
        x += width
    return boxes


def limit_mark(used: int, limit: int) -> float:
    """Return where a limit stands in a `stack` of it: at the end, or before it when more than the limit is used."""
    return round(limit / max(used, limit, 1) * WIDTH, 2)


def arc(share: float) -> str:
    """Return the path of a gauge that is filled to a share; below 0 and above 1 it is drawn empty and full."""
    angle = math.pi * (1 - min(max(share, 0.0), 1.0))
    x, y = 50 + RADIUS * math.cos(angle), 50 - RADIUS * math.sin(angle)
    return f"M {50 - RADIUS:.2f} 50 A {RADIUS:.2f} {RADIUS:.2f} 0 0 1 {x:.2f} {y:.2f}"


def level(share: float) -> str:
    """Return ``critical``, ``warning`` or ``good`` for a gauge that is bad when full."""
    return "critical" if share >= CRITICAL else "warning" if share >= WARN else "good"


def moment(text: object) -> float | None:
    """Return the seconds of an ISO 8601 time, one without an offset taken as UTC; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        # Python 3.8 does not know the Z.
        found = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
        return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()
    except ValueError:
        return None


def time_line(times: Sequence[float]) -> list[float]:
    """Return where each time stands between the first (30) and the last (970); all at one time stand in the middle."""
    if not times:
        return []
    first, span = min(times), max(times) - min(times)
    return [round(30 + (at - first) / span * 940, 2) if span else 500.0 for at in times]
