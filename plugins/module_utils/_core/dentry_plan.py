# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""When dropping the dentry cache is worth it, and what its settings may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core.units import human_bytes, human_percent

PRESSURE = "vm.vfs_cache_pressure"
NEGATIVE = "fs.dentry-negative"
# Looking at so many more objects than can be freed costs locks: linux Documentation/admin-guide/sysctl/vm.rst.
MUCH_PRESSURE = 1000
# One object in the 64-bit kernels of Debian 12 and 13, for a kernel that shows no slab caches.
DENTRY_BYTES = 192


@dataclass(frozen=True)
class Threshold:
    """A drop is done when what it can free is over each of these that is given: a ratio of the memory, and bytes."""

    share: float | None
    size_bytes: int | None


def complaint(pressure: int | None, threshold: Threshold, drop: bool) -> str:
    """Return what is wrong with the options as one sentence with the cure, or an empty string."""
    if pressure is not None and pressure < 1:
        return (
            f"vfs_cache_pressure is {pressure}: with 0 the kernel never frees dentries and inodes, which ends in the"
            " OOM killer; give 1 or more (100 is the kernel's own)."
        )
    if pressure is not None and pressure > 2**31 - 1:
        return f"vfs_cache_pressure is {pressure}: the kernel takes at most 2147483647; give less."
    if threshold.share is not None and not 0 < threshold.share <= 1:
        return f"drop_over_share is {threshold.share}: give a ratio over 0 and up to 1."
    if threshold.size_bytes is not None and threshold.size_bytes < 1:
        return f"drop_over_bytes is {threshold.size_bytes}: give a number of bytes over 0."
    if drop and threshold.share is None and threshold.size_bytes is None:
        return "drop is true without a threshold: give drop_over_share, drop_over_bytes or both."
    return ""


def warnings(pressure: int | None) -> list[str]:
    """Return what there is to warn of, as sentences."""
    if pressure is None or pressure <= MUCH_PRESSURE:
        return []
    return [
        f"vfs_cache_pressure is {pressure}: over {MUCH_PRESSURE} the kernel spends much time on locks to find what it"
        " can free, and frees little more."
    ]


def settings(
    pressure: int | None, negative: bool | None, has_negative: bool, release: str
) -> tuple[dict[str, str], list[str]]:
    """Return the kernel settings to make and what to say of one that this kernel doesn't have.

    ``release`` is that of the running kernel. fs.dentry-negative = 1, since Linux 6.13, drops a dentry with its file.
    """
    wanted: dict[str, str] = {}
    notes = []
    if pressure is not None:
        wanted[PRESSURE] = str(pressure)
    if negative is not None and has_negative:
        wanted[NEGATIVE] = str(int(negative))
    elif negative:
        notes.append(
            f"This kernel ({release}) has no {NEGATIVE}, which came with Linux 6.13: each deleted file leaves a dentry"
            " until memory is short; put temporary files on a tmpfs."
        )
    return wanted, notes


def droppable_bytes(dentry: Mapping[str, Any]) -> int | None:
    """Return what a drop could free at most: unused dentries, each of one object's size; None when not known.

    ``dentry`` as slab_facts has it. Dentries in use, and slabs that still hold one, stay.
    """
    unused = dentry.get("unused")
    if unused is None:
        return None
    objects, size = dentry.get("objects"), dentry.get("bytes")
    each = size / objects if objects and size else DENTRY_BYTES
    return int(unused * each)


def over(threshold: Threshold, droppable: int | None, memory_bytes: int | None) -> tuple[bool, str]:
    """Return whether to drop, and a sentence with the numbers."""
    if droppable is None or not memory_bytes:
        return False, "Nothing was dropped: the kernel doesn't tell how many dentries are unused."
    share = droppable / memory_bytes
    reached = []
    parts = []
    if threshold.share is not None:
        reached.append(share > threshold.share)
        parts.append(human_percent(threshold.share))
    if threshold.size_bytes is not None:
        reached.append(droppable > threshold.size_bytes)
        parts.append(human_bytes(threshold.size_bytes))
    does = all(reached) and bool(reached)
    than = "more" if does else "not more"
    return does, (
        f"Unused dentries hold {human_bytes(droppable)}, {human_percent(share)} of the memory:"
        f" {than} than {' and '.join(parts)}."
    )
