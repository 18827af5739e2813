# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Gathers the slab facts from /proc/slabinfo, meminfo, buddyinfo and sys/fs/dentry-state, and compares two readings."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core import dentry_growth
from ansible_collections.phpops.webhost.plugins.module_utils._core.buddyinfo import parse_buddyinfo
from ansible_collections.phpops.webhost.plugins.module_utils._core.meminfo import parse_meminfo
from ansible_collections.phpops.webhost.plugins.module_utils._core.slabinfo import (
    NotSlabinfo,
    Slabinfo,
    dentry_cache,
    parse_dentry_state,
    parse_slabinfo,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text
from ansible_collections.phpops.webhost.plugins.module_utils._host.readings import (
    DENTRIES,
    keep_reading,
    read_reading,
)

DEFAULT_PATH = "/proc/slabinfo"
DEFAULT_MEMINFO_PATH = "/proc/meminfo"
DEFAULT_DENTRY_STATE_PATH = "/proc/sys/fs/dentry-state"
DEFAULT_BUDDYINFO_PATH = "/proc/buddyinfo"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
_MAX_BYTES = 16 * 1024 * 1024


def _caches(path: str, page_size: int) -> tuple[Slabinfo | None, str | None]:
    """Return what the file holds, or why it can't be had, as a sentence."""
    try:
        return parse_slabinfo(read_text(path, _MAX_BYTES), page_size), None
    except NotSlabinfo as error:
        return None, f"{path} {error}"
    except Unreadable as error:
        hint = " This kernel shows no slab caches (CONFIG_SLUB_DEBUG is off)." if error.missing else ""
        return None, f"{error.reason}{hint if path == DEFAULT_PATH else ''}"


def _dentries(slabinfo: Slabinfo | None) -> dict[str, Any]:
    cache = dentry_cache(slabinfo) if slabinfo else None
    if slabinfo is None or cache is None:
        return {"objects": None, "active": None, "bytes": None, "share": None}
    total = slabinfo.total_bytes
    return {
        "objects": cache.num_objs,
        "active": cache.active_objs,
        "bytes": cache.bytes,
        "share": round(cache.bytes / total, 4) if total else None,
    }


def gather(
    path: str,
    meminfo_path: str,
    dentry_state_path: str,
    top: int,
    page_size: int,
    container: str | None,
    kernel_release: str,
    buddyinfo_path: str | None = None,
) -> dict[str, Any]:
    """Return the facts; nothing is raised for a file that can't be read.

    ``top`` bounds the caches that are returned (0: all), ``page_size`` is in bytes, ``container`` the kind of
    container that we are in, ``kernel_release`` that of the running kernel (it speaks for the default paths only).
    ``buddyinfo_path`` None leaves the fragmentation out.
    """
    notes: list[str] = []
    slabinfo, reason = _caches(path, page_size)
    of_a_cgroup = path.endswith("kmem.slabinfo")
    if of_a_cgroup:
        notes.append(f"{path} counts one memory cgroup only, not the host.")
    elif container and path == DEFAULT_PATH:
        notes.append(f"This host is a container ({container}): the numbers are those of the kernel it shares.")
    memory: dict[str, int] = {}
    unused = negative = None
    try:
        memory = parse_meminfo(read_text(meminfo_path, _MAX_BYTES))
        if "SReclaimable" not in memory:
            notes.append(f"{meminfo_path} doesn't tell what is reclaimable.")
    except Unreadable as error:
        notes.append(error.reason)
    try:
        running = kernel_release if dentry_state_path == DEFAULT_DENTRY_STATE_PATH else None
        unused, negative = parse_dentry_state(read_text(dentry_state_path, _MAX_BYTES), running)
    except Unreadable as error:
        notes.append(error.reason)
    if of_a_cgroup:
        # The host's numbers would stand beside the cgroup's as if they were parts of one sum.
        memory, unused, negative = {}, None, None
    zones = []
    if buddyinfo_path and not of_a_cgroup:
        try:
            zones = parse_buddyinfo(read_text(buddyinfo_path, _MAX_BYTES), page_size)
        except Unreadable as error:
            notes.append(error.reason)
    caches = slabinfo.caches if slabinfo else []
    return {
        "available": slabinfo is not None,
        "reason": reason,
        "version": slabinfo.version if slabinfo else None,
        "page_size": page_size,
        "scope": "cgroup" if of_a_cgroup else "host",
        "container": container,
        "caches": [asdict(cache) for cache in (caches[:top] if top else caches)],
        "cache_count": len(caches),
        "foreign_lines": slabinfo.foreign_lines if slabinfo else 0,
        "total_bytes": slabinfo.total_bytes if slabinfo else None,
        "reclaimable_bytes": memory.get("SReclaimable"),
        "unreclaimable_bytes": memory.get("SUnreclaim"),
        "memory_total_bytes": memory.get("MemTotal"),
        "dentry": {**_dentries(slabinfo), "unused": unused, "negative": negative, "growth": None},
        "fragmentation": zones,
        "notes": notes,
    }


def since_last_run(dentry: dict[str, Any], state_path: str, write: bool, epoch_seconds: float) -> list[str]:
    """Set ``growth`` of the dentry cache against the reading in a file, and put this one there; return warnings.

    ``write`` is false in check mode. Nothing is raised for a file that can't be read or written.
    """
    try:
        boot = read_text(BOOT_ID).strip()
    except Unreadable:
        boot = ""
    now = dentry_growth.reading(dentry, epoch_seconds, boot)
    before, warning = read_reading(state_path, DENTRIES)
    dentry["growth"] = dentry_growth.growth(before, now)
    warnings = [warning, keep_reading(state_path, DENTRIES, now) if write else None]
    return [text for text in warnings if text]
