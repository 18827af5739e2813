# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What OPcache's figures say of a round of requests: whether it still grows, and whether it is large enough."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Any, Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_settings import MIB
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_status import disagreement
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of, human_bytes, human_percent

_PROBE_KEYS = 2
# What a pool says is its site's own word.
_SECONDS = re.compile(r"[0-9]{1,10}")
# What the role opcache plans above a need that was measured.
HEADROOM = 1.3


@dataclass(frozen=True)
class Marks:
    """The most of the cache's memory and keys that may be taken, as ratios."""

    memory_ratio: float = 0.95
    keys_ratio: float = 0.95


@dataclass(frozen=True)
class Figures:
    """OPcache's figures at one moment, without the probe's own script. ``total_bytes`` is the segment less its JIT."""

    scripts: int = 0
    keys: int = 0
    max_keys: int = 0
    free_bytes: int = 0
    wasted_bytes: int = 0
    total_bytes: int = 0
    segment_bytes: int | None = None
    cache_full: bool = False
    restart_pending: bool = False
    oom_restarts: int = 0
    hash_restarts: int = 0
    manual_restarts: int = 0
    misses: int = 0
    started_seconds: int = 0
    protection_seconds: int = 0

    @property
    def used_bytes(self) -> int:
        """What scripts, strings and tables take; PHP's own word for it can be wrong (see opcache_status)."""
        return max(self.total_bytes - self.free_bytes - self.wasted_bytes, 0)

    @property
    def restarts(self) -> int:
        return self.oom_restarts + self.hash_restarts + self.manual_restarts


def figures_of(
    status: Mapping[str, Any], directives: Mapping[str, str], segment_bytes: int | None, probe_cached: bool, probes: int
) -> Figures:
    """Return the figures of a parsed status.

    segment_bytes: the master's real segment, None when it can't be read. probe_cached: whether the probe's script is
    in the cache; it is left out of scripts and keys. probes: how often it ran so far in this run, each one a miss
    where it is not.
    """
    own = 1 if probe_cached else 0
    total = status["memory_bytes"]
    if disagreement(status, segment_bytes) and segment_bytes is not None:
        # The status tells 16 bytes less than the JIT buffer's pages.
        total = segment_bytes - -(-(status["jit_buffer_bytes"] or 0) // 4096) * 4096
    protection = directives.get("opcache.file_update_protection", "0")
    return Figures(
        scripts=max(status["num_cached_scripts"] - own, 0),
        keys=max(status["num_cached_keys"] - own, 0),
        max_keys=status["max_cached_keys"],
        free_bytes=status["free_memory_bytes"],
        wasted_bytes=status["wasted_memory_bytes"],
        total_bytes=total,
        segment_bytes=segment_bytes,
        cache_full=status["cache_full"],
        restart_pending=status["restart_pending"] or status["restart_in_progress"],
        oom_restarts=status["oom_restarts"],
        hash_restarts=status["hash_restarts"],
        manual_restarts=status["manual_restarts"],
        misses=max(status["misses"] - (own or probes), 0),
        started_seconds=status["start_time_seconds"] or 0,
        protection_seconds=int(protection) if _SECONDS.fullmatch(protection) else 0,
    )


def grown(before: Figures, after: Figures) -> bool:
    """Return whether a round added scripts or keys."""
    return (before.scripts, before.keys) != (after.scripts, after.keys)


def too_young(before: Figures, after: Figures) -> bool:
    """Return whether files were compiled again without being kept, which those younger than the protection are."""
    return after.protection_seconds > 0 and after.misses > before.misses


def complaint(first: Figures, now: Figures, round_number: int, requests: int, marks: Marks) -> str | None:
    """Return one sentence when the cache can't hold what these entry points load, else None.

    first: the figures before the first round. requests: how many there were since. What is needed is told in bytes or
    keys, with the directive to raise.
    """
    if first.started_seconds and now.started_seconds and first.started_seconds != now.started_seconds:
        return f"The master was started anew during round {round_number}, so the cache is cold again; see its log."
    if now.manual_restarts > first.manual_restarts:
        return (
            f"OPcache was reset during round {round_number}: one of these pages calls opcache_reset(); take that out of"
            " the request."
        )
    if now.scripts <= first.scripts:
        # What was there before is all that is known of the size of scripts.
        first = replace(first, scripts=0, keys=0, free_bytes=first.total_bytes, wasted_bytes=0)
    lack = _lack(first, now, requests)
    # The probe's own script has its keys too.
    if now.hash_restarts > first.hash_restarts or (now.max_keys and now.keys >= now.max_keys - _PROBE_KEYS):
        return _keys_sentence(now, f"all taken after round {round_number}", first.keys, now.keys, lack)
    if now.oom_restarts > first.oom_restarts:
        return _memory_sentence(now, f"restarted for lack of room in round {round_number}", 0, now.total_bytes, (1, 2))
    if now.restart_pending:
        return _memory_sentence(now, f"waits for a restart after round {round_number}", 0, now.total_bytes, (1, 2))
    if now.cache_full:
        return _memory_sentence(now, f"is full after round {round_number}", first.used_bytes, now.used_bytes, lack)
    if now.total_bytes and (now.total_bytes - now.free_bytes) > marks.memory_ratio * now.total_bytes:
        ratio = (now.total_bytes - now.free_bytes) / now.total_bytes
        what = f"is {human_percent(ratio)} taken, above the mark of {human_percent(marks.memory_ratio)}"
        needed = (now.total_bytes - now.free_bytes) / marks.memory_ratio
        return _memory_sentence(now, what, 0, needed, (1, 1))
    if now.max_keys and now.keys > marks.keys_ratio * now.max_keys:
        what = f"{human_percent(now.keys / now.max_keys)} taken, above the mark of {human_percent(marks.keys_ratio)}"
        return _keys_sentence(now, what, 0, now.keys / marks.keys_ratio, (1, 1))
    return None


def no_room(before: Figures, now: Figures, marks: Marks) -> str | None:
    """Return one sentence when files are compiled anew in each round of a cache that has stopped growing, else None.

    OPcache calls itself full only below 64 KiB of free memory, so a file that is larger than what is free leaves no
    other trace. before: the figures of the round before. A mark of 1 for the memory asks for no such complaint.
    """
    loads = now.misses - before.misses
    tight = marks.memory_ratio < 1 and now.free_bytes * 2 < now.total_bytes
    if loads <= 0 or grown(before, now) or now.protection_seconds or not tight:
        return None
    mib = math.ceil((2 * now.total_bytes - now.free_bytes) / MIB / 2) * 2
    return (
        f"{count_of(loads, 'load')} of files in the last round found no room in the cache, where {now.free_bytes} of"
        f" {now.total_bytes} bytes are free: each of them is larger than that, and is compiled by every request."
        f" To cache them, raise opcache.memory_consumption to {mib}; if they can't be, set memory_ratio_max to 1."
    )


def _lack(first: Figures, now: Figures, requests: int) -> tuple[float, float]:
    """Return by what factor the cache is too small, at least and at most.

    A file that finds no room is compiled each time it is loaded, which OPcache counts as a miss. The files that were
    left out are at least as many as such loads of one request, and at most all of these loads; each is taken to be as
    large as those that were kept since the first figures.
    """
    loads = max((now.misses - first.misses) - (now.scripts - first.scripts), 0)
    kept = max(now.scripts - first.scripts, 1)
    return 1 + loads / max(requests, 1) / kept, 1 + loads / kept


def _wanted(least: int, fixed: int, taken: float, factors: tuple[float, float]) -> tuple[str, int]:
    """Return what is needed, in words, and a size to try: that, or with headroom the geometric mean of both ends.

    fixed: the part of what is taken that other scripts don't add to (tables, the buffer of strings).
    """
    low, high = (max(math.ceil(fixed + (taken - fixed) * factor), least) for factor in factors)
    if low == high:
        return f"{low}", low
    return f"between {low} and {high}", min(math.ceil(math.sqrt(low * high) * HEADROOM), high)


def _memory_sentence(now: Figures, what: str, fixed: int, taken: float, factors: tuple[float, float]) -> str:
    words, size = _wanted(now.total_bytes + 1, fixed, taken, factors)
    return (
        f"The cache {what}: {count_of(now.scripts, 'script')} fill {human_bytes(now.total_bytes - now.free_bytes)} of"
        f" {human_bytes(now.total_bytes)}; {words} bytes are needed and {now.total_bytes} are there: raise"
        f" opcache.memory_consumption to {math.ceil(size / MIB / 2) * 2}."
    )


def _keys_sentence(now: Figures, what: str, fixed: int, taken: float, factors: tuple[float, float]) -> str:
    words, size = _wanted(now.max_keys + 1, fixed, taken, factors)
    return (
        f"The cache's keys are {what}: {now.keys} of {now.max_keys} for {count_of(now.scripts, 'script')}, with"
        f" {now.free_bytes} of {now.total_bytes} bytes free; {words} keys are needed: raise"
        f" opcache.max_accelerated_files to {size}."
    )
