# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""How much the dentry cache grew between two readings of one kernel."""

from __future__ import annotations

from typing import Any, Mapping

# What is compared; the kernel counts the last two in /proc/sys/fs/dentry-state.
COUNTS = ("objects", "bytes", "unused", "negative")


def reading(dentry: Mapping[str, Any], epoch_seconds: float, boot: str) -> dict[str, Any]:
    """Return what the next run compares with: ``dentry`` as slab_facts has it, the time, and the kernel's boot id."""
    return {"time": epoch_seconds, "boot": boot, **{name: dentry.get(name) for name in COUNTS}}


def growth(before: Any, now: Mapping[str, Any]) -> dict[str, float | int | None] | None:
    """Return {seconds, objects, bytes, unused, negative}: what came in that time, less than 0 for what went.

    Both are of reading(). None where they can't be compared: there is no earlier one, it is of another boot, from the
    future or of this very moment, or not of this form. A count that one of them lacks is None.
    """
    if not isinstance(before, Mapping) or before.get("boot") != now["boot"]:
        return None
    then = before.get("time")
    if not isinstance(then, (int, float)) or isinstance(then, bool) or not 0 <= then < now["time"]:
        return None
    found: dict[str, float | int | None] = {"seconds": round(now["time"] - then, 1)}
    for name in COUNTS:
        one, other = before.get(name), now[name]
        known = all(isinstance(count, int) and not isinstance(count, bool) for count in (one, other))
        found[name] = other - one if known else None
    return found
