# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Verdicts over temporary files: a dentry cache that grows, TMPDIR on a disk, and memory in small pieces."""

from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._core.buddyinfo import unusable_share
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import human_bytes, human_percent
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.masters import name_of
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.memory import dentry_share
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import (
    INFO,
    WARNING,
    Cure,
    Evidence,
    Facts,
    Thresholds,
    Verdict,
    entries,
    listed,
    number,
    ratio,
    section,
    sub,
)

# A file that is removed leaves no dentry there: overlay drops its own (60,000 such files left 492 with Linux 6.18).
_LEAVES_NONE = ("tmpfs", "ramfs", "overlay")
# Two readings that are nearer, or a growth that is smaller, tell of nothing but a moment's work.
_LEAST_SECONDS, _LEAST_BYTES = 10.0, 4 * 1024 * 1024
# The kernel tries hardest for blocks of up to 8 pages (PAGE_ALLOC_COSTLY_ORDER in linux mmzone.h).
_ORDER = 3
_TMPDIR = Cure(
    "Put temporary files on a tmpfs (TMPDIR below /dev/shm): each one on disk leaves a dentry.",
    "phpops.webhost.tune",
    tags=["tmpdir"],
)


def _growth(facts: Facts) -> Facts | None:
    """Return what the dentry cache gained since the last run, None where that is not known or too short ago."""
    growth = sub(sub(section(facts, "phpops_slab"), "dentry"), "growth")
    return growth if ratio(growth, "seconds") >= _LEAST_SECONDS else None


def _shared(facts: Facts) -> str:
    container = (section(facts, "phpops_slab") or {}).get("container")
    return f"; these are numbers of the kernel that this container ({container}) shares." if container else "."


def dentry_growing(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """The dentry cache grows at a rate that fills the memory within days."""
    growth, memory = _growth(facts), number(section(facts, "phpops_slab"), "memory_total_bytes")
    size, seconds = number(growth, "bytes"), ratio(growth, "seconds")
    if not memory or size < _LEAST_BYTES or size / seconds * 3600 / memory < marks.dentry_growth:
        return []
    hourly = int(size / seconds * 3600)
    sentence = (
        f"The dentry cache grew by {human_bytes(size)} in {seconds:.0f} s, {human_bytes(hourly)} in an hour or "
        f"{human_percent(hourly / memory)} of the memory"
    )
    evidence = [
        Evidence("growth of the dentry cache", size, "bytes"),
        Evidence("time between the two readings", seconds, "seconds"),
        Evidence("growth in an hour", hourly, "bytes"),
    ]
    cure = Cure(_TMPDIR.text, _TMPDIR.play, tags=["tmpdir", "dentry_cache"])
    return [Verdict("dentry_growing", WARNING, sentence + _shared(facts), evidence, cure)]


def _on_disk(facts: Facts) -> list[str]:
    """Return who keeps temporary files on a disk, and where."""
    places = [
        (group.get("name"), folder.get("path"), folder.get("fstype"))
        for group in entries(section(facts, "phpops_shm"), "groups")
        for folder in entries(group, "temp_folders")
    ]
    places += [
        (name_of(master), master.get("temp_folder"), master.get("temp_fstype"))
        for master in entries(sub(facts, "phpops_opcache"), "masters")
    ]
    return [f"{name} in {path} ({kind})" for name, path, kind in places if kind and kind not in _LEAVES_NONE]


def tmpdir_on_disk(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """Temporary files are on a disk, and files are removed at a high rate: each leaves a dentry."""
    where, growth = _on_disk(facts), _growth(facts)
    # A file that is removed leaves a negative dentry; older kernels count no such.
    count = number(growth, "objects" if (growth or {}).get("negative") is None else "negative")
    rate = count / ratio(growth, "seconds") if growth else 0.0
    large = bool(dentry_share(facts, marks))
    if not where or (rate < marks.removed_files_per_second and not large):
        return []
    sentence = f"Temporary files are on a disk: {listed(where)}"
    evidence = [Evidence("temporary folders on a disk", len(where), "folders")]
    if growth:
        sentence += f"; since the last run at least {rate:.0f} files in a second left a dentry"
        evidence.append(Evidence("dentries that were left", round(rate, 1), "per second"))
    sentence += "; the dentry cache is large already" if large else ""
    return [Verdict("tmpdir_on_disk", WARNING, sentence + _shared(facts), evidence, _TMPDIR)]


def memory_fragmented(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """Free memory is in pieces: a warning where a process was killed for that, else for your information."""
    cure = Cure(
        "Compact it with sysctl vm.compact_memory=1, and raise vm.min_free_kbytes, so that more stays in one piece."
    )
    killed = [event for event in entries(section(facts, "phpops_oom"), "events") if _for_want_of_a_piece(event)]
    if killed:
        last = killed[-1]
        order = number(sub(last, "trigger"), "order")
        free = sum(number(zone, "free_bytes") for zone in _zones(last))
        when = f" at {last['time']}" if last.get("time") else ""
        sentence = (
            f"A process was killed{when} as there was no piece of {1 << order} pages, although {human_bytes(free)} "
            "were free in smaller ones."
        )
        evidence = [
            Evidence("kills for want of a piece", len(killed), "events"),
            Evidence("pages asked for", 1 << order, "pages"),
            Evidence("free then", free, "bytes"),
        ]
        return [Verdict("memory_fragmented", WARNING, sentence, evidence, cure)]
    slab = section(facts, "phpops_slab")
    events = [event for event in entries(section(facts, "phpops_oom"), "events") if _zones(event)]
    then = f" when memory ran out at {events[-1].get('time')}" if events and events[-1].get("time") else ""
    readings = [(_zones(slab), "are", "", _shared(facts))]
    readings += [(_zones(events[-1]), "were", then or " when memory ran out", ".")] if events else []
    for zones, verb, when, end in readings:
        shares = [
            (unusable_share([_blocks(zone)], _ORDER) or 0.0, number(zone, "free_bytes"), str(zone.get("zone")))
            for zone in zones
            if number(zone, "free_bytes") >= _LEAST_BYTES
        ]
        share, free, name = max(shares, default=(0.0, 0, ""))
        if share >= marks.fragmented:
            sentence = (
                f"{human_percent(share)} of the free memory of zone {name} ({human_bytes(free)}) {verb} in pieces of "
                f"less than {1 << _ORDER} pages{when}{end}"
            )
            evidence = [
                Evidence("free memory in small pieces", round(share, 4), "ratio"),
                Evidence("free memory", free, "bytes"),
            ]
            return [Verdict("memory_fragmented", INFO, sentence, evidence, cure)]
    return []


def _zones(facts: Facts | None) -> list[Facts]:
    """Return the zones but the small one for old devices, which is kept free."""
    return [zone for zone in entries(facts, "fragmentation") if zone.get("zone") != "DMA"]


def _blocks(zone: Facts) -> list[int]:
    blocks = zone.get("blocks")
    return [count for count in blocks if isinstance(count, int)] if isinstance(blocks, (list, tuple)) else []


def _for_want_of_a_piece(event: Facts) -> bool:
    """Return whether the kernel killed for a block of several pages, while as much was free in smaller ones."""
    order, zones = number(sub(event, "trigger"), "order"), _zones(event)
    free = [sum(count << place for place, count in enumerate(_blocks(zone))) for zone in zones]
    largest = [number(zone, "largest_order_free") for zone in zones]
    return bool(0 < order <= 20 and zones and max(largest) < order and sum(free) >= 1 << order)
