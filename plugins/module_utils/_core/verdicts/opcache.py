# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Verdicts over the room in OPcache, as the masters of PHP-FPM tell it."""

from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of, human_bytes, human_percent
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.masters import (
    SIZE,
    Hit,
    answered,
    cure_by_size,
    fresh_master,
    name_of,
    tell,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import (
    CRITICAL,
    INFO,
    WARNING,
    Cure,
    Evidence,
    Facts,
    Thresholds,
    Verdict,
    entries,
    number,
    ratio,
    section,
)

_MEMORY, _KEYS = "opcache.memory_consumption", "opcache.max_accelerated_files"
_STRINGS = "opcache.interned_strings_buffer"
# A smaller cache would give back less than this: not worth a word.
_LEAST_SPARE = 32 * 1024 * 1024


def _stuck(master: Facts) -> bool:
    """Return whether the cache is full and will not become empty by a restart."""
    restarts = master.get("restart_pending") is True or master.get("restart_in_progress") is True
    return master.get("cache_full") is True and not restarts


def _keys_gone(master: Facts) -> bool:
    return 0 < number(master, "max_keys") <= number(master, "keys")


def _memory_hit(master: Facts) -> Hit:
    size, wasted = number(master, "memory_bytes"), number(master, "wasted_bytes")
    taken = size - number(master, "free_bytes")
    words = f"{human_bytes(taken)} of {human_bytes(size)} taken, {human_bytes(wasted)} of it wasted"
    name = name_of(master)
    evidence = [Evidence(f"OPcache of {name} taken", taken, "bytes"), Evidence(f"OPcache of {name}", size, "bytes")]
    return Hit(name, words, evidence, cure_by_size(master, _MEMORY))


def opcache_full(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """A cache has no memory left, or nearly none."""
    full, near = [], []
    for master in answered(facts):
        taken = 1 - number(master, "free_bytes") / number(master, "memory_bytes")
        if _stuck(master) and not _keys_gone(master):
            full.append(_memory_hit(master))
        elif taken >= marks.opcache_near_full:
            near.append(_memory_hit(master))
    stuck = "OPcache is full and no restart is due, so files that are new to it run uncached"
    return [
        *tell("opcache_full", CRITICAL, stuck, full),
        *tell("opcache_full", WARNING, "OPcache is nearly full", near),
    ]


def _keys_hit(master: Facts) -> Hit:
    keys, most, name = number(master, "keys"), number(master, "max_keys"), name_of(master)
    evidence = [Evidence(f"keys of {name}", keys, "keys"), Evidence(f"keys of {name} at most", most, "keys")]
    return Hit(name, f"{keys} of {most} keys", evidence, cure_by_size(master, _KEYS))


def opcache_keys_full(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """A cache has no key left for another script, or nearly none."""
    full, near = [], []
    for master in answered(facts):
        most = number(master, "max_keys")
        if _stuck(master) and _keys_gone(master):
            full.append(_keys_hit(master))
        elif most and number(master, "keys") / most >= marks.opcache_keys_near_full:
            near.append(_keys_hit(master))
    stuck = "OPcache has no key left and no restart is due, so files that are new to it run uncached"
    return [
        *tell("opcache_keys_full", CRITICAL, stuck, full),
        *tell("opcache_keys_full", WARNING, "OPcache has few keys left", near),
    ]


def opcache_strings_full(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """The buffer of interned strings is full: each script then keeps its strings for itself."""
    hits = []
    for master in answered(facts):
        used, size, name = number(master, "interned_used_bytes"), number(master, "interned_bytes"), name_of(master)
        if size and used / size >= marks.opcache_strings_near_full:
            words = f"{human_bytes(used)} of {human_bytes(size)}, {human_percent(used / size)}"
            evidence = [
                Evidence(f"interned strings of {name}", used, "bytes"),
                Evidence(f"buffer of {name}", size, "bytes"),
            ]
            hits.append(Hit(name, words, evidence, cure_by_size(master, _STRINGS)))
    begin = "OPcache's buffer of interned strings is full or nearly so, and each script then keeps its own copies"
    return tell("opcache_strings_full", WARNING, begin, hits)


def opcache_wasted(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """Scripts that are no longer valid take much of a cache, which never gives them back but by a restart."""
    hits = []
    for master in answered(facts):
        share, wasted, name = ratio(master, "wasted_ratio"), number(master, "wasted_bytes"), name_of(master)
        if share >= marks.opcache_wasted:
            words = f"{human_bytes(wasted)}, {human_percent(share)} of the cache"
            evidence = [
                Evidence(f"wasted of {name}", wasted, "bytes"),
                Evidence(f"wasted share of {name}", share, "ratio"),
            ]
            hits.append(Hit(name, words, evidence, fresh_master(facts, master)))
    begin = "OPcache holds scripts that are no longer valid, until it restarts"
    return tell("opcache_wasted", WARNING, begin, hits)


def opcache_restarted(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """A cache was too small before: it restarted, and every script was compiled anew under a lock."""
    hits = []
    for master in answered(facts):
        memory, keys, name = number(master, "oom_restarts"), number(master, "hash_restarts"), name_of(master)
        if memory + keys >= marks.opcache_restarts:
            words = f"{memory} for memory, {keys} for keys"
            evidence = [Evidence(f"restarts of {name}", memory + keys, "restarts")]
            directive = _MEMORY if memory >= keys else _KEYS
            hits.append(Hit(name, words, evidence, cure_by_size(master, directive)))
    return tell("opcache_restarted", WARNING, "OPcache restarted for lack of room, and was empty each time", hits)


def opcache_reset(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """A script or a tool emptied a cache: all requests after it compile at once."""
    cure = Cure("Deploy with a new master that is primed before it takes requests: nothing needs a reset then.")
    hits = []
    for master in answered(facts):
        count, name = number(master, "manual_restarts"), name_of(master)
        if count >= marks.opcache_restarts:
            hits.append(Hit(name, count_of(count, "time"), [Evidence(f"resets of {name}", count, "restarts")], cure))
    return tell("opcache_reset", INFO, "A script or a tool reset OPcache", hits)


def opcache_oversized(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """A cache holds little long after its start; a warning where reserved memory has a limit."""
    limits = entries(section(facts, "phpops_shm"), "limits")
    limited = any(limit.get("kind") == "reserved" and number(limit, "limit_bytes") for limit in limits)
    hits = []
    for master in answered(facts):
        size, used, name = number(master, "memory_bytes"), number(master, "used_bytes"), name_of(master)
        settled = number(master, "age_seconds") >= marks.opcache_settled_seconds
        if settled and 0 < used <= marks.opcache_oversized * size and size - used >= _LEAST_SPARE:
            evidence = [Evidence(f"used of {name}", used, "bytes"), Evidence(f"OPcache of {name}", size, "bytes")]
            cure = SIZE if master.get("site") else Cure(f"Lower {_MEMORY} in the ini that the master starts with.")
            hits.append(Hit(name, f"{human_bytes(used)} of {human_bytes(size)} used", evidence, cure))
    begin = "OPcache reserves far more than it needs"
    return tell("opcache_oversized", WARNING if limited else INFO, begin, hits)
