# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Puts a master's OPcache into numbers that hold: computed from the real segment where the status can't be right."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_settings import parse_bytes, prime_for
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_status import disagreement, real_used_bytes

# Directives are what the site says: PHP has about 60, the longest a path.
MAX_DIRECTIVES, MAX_LETTERS = 200, 4096
_PAGE = 4096
_STRINGS_FULL_BYTES = 4096

NO_MASTER = "No PHP-FPM master runs on this host."
EMPTY: dict[str, Any] = dict.fromkeys(
    (
        *("reported_bytes", "directives_disagree", "memory_bytes", "used_bytes", "free_bytes", "wasted_bytes"),
        *("wasted_ratio", "keys", "max_keys", "keys_ratio", "scripts", "interned_used_bytes", "interned_bytes"),
        *("interned_strings", "hits", "misses", "hit_ratio", "blacklist_misses", "oom_restarts", "hash_restarts"),
        *("manual_restarts", "cache_full", "restart_pending", "restart_in_progress", "age_seconds", "healthy"),
        *("jit", "preload", "config"),
    )
)


def report(
    status: Mapping[str, Any], directives: Mapping[str, str], segment_bytes: int | None, age_seconds: int | None
) -> dict[str, Any]:
    """Return the numbers of one master, with ``notes`` (what to know of them) and ``problems`` (what is wrong).

    ``segment_bytes`` is the size of the mapping in /proc/PID/maps with the JIT buffer, None when it can't be read.
    Free and wasted memory are counted in the segment. "Used" is what PHP computes from the size that the *asked pool's*
    directive names, so it is wrong, even negative, where a pool sets opcache.memory_consumption
    (zend_accelerator_module.c, opcache_get_status).
    """
    told = int(status["memory_bytes"])
    lie = disagreement(status, segment_bytes)
    memory = told
    if lie is not None and segment_bytes is not None:
        memory = max(segment_bytes - _pages(status["jit_buffer_bytes"] or 0), 0)
    used = real_used_bytes(status, memory)
    hits, misses = int(status["hits"]), int(status["misses"])
    found: dict[str, Any] = {
        "reported_bytes": told + (status["jit_buffer_bytes"] or 0),
        "directives_disagree": lie is not None,
        "memory_bytes": memory,
        "used_bytes": used,
        "free_bytes": status["free_memory_bytes"],
        "wasted_bytes": status["wasted_memory_bytes"],
        "wasted_ratio": _ratio(status["wasted_memory_bytes"], memory),
        "keys": status["num_cached_keys"],
        "max_keys": status["max_cached_keys"],
        "keys_ratio": _ratio(status["num_cached_keys"], status["max_cached_keys"]),
        "scripts": status["num_cached_scripts"],
        "interned_used_bytes": status["interned_used_bytes"],
        "interned_bytes": status["interned_buffer_bytes"],
        "interned_strings": status["interned_strings"],
        "hits": hits,
        "misses": misses,
        "hit_ratio": _ratio(hits, hits + misses),
        **{
            name: status[name]
            for name in (
                *("blacklist_misses", "oom_restarts", "hash_restarts", "manual_restarts"),
                *("cache_full", "restart_pending", "restart_in_progress", "preload"),
            )
        },
        "age_seconds": age_seconds,
        "jit": _jit(status),
        "config": {name[:100]: value[:MAX_LETTERS] for name, value in sorted(directives.items())[:MAX_DIRECTIVES]},
    }
    notes = [lie] if lie else []
    if lie is not None and used < 0:
        notes.append("What is free and wasted is more than the segment has: this is not the segment of this cache.")
    keys_note = _keys_note(found["max_keys"], directives.get("opcache.max_accelerated_files", "")[:20])
    notes += [keys_note] if keys_note else []
    problems = _problems(found, status["interned_free_bytes"], directives)
    return {**found, "healthy": not problems, "problems": problems, "notes": notes}


def _problems(found: Mapping[str, Any], strings_free: int | None, directives: Mapping[str, str]) -> list[str]:
    problems = []
    restarts = found["restart_pending"] or found["restart_in_progress"]
    if found["cache_full"] and not restarts:
        cause = "all keys are taken" if found["max_keys"] and found["keys"] >= found["max_keys"] else "memory ran out"
        enough = directives.get("opcache.max_wasted_percentage", "5")[:20]
        problems.append(
            f"The cache is full ({cause}) and no restart is due, as {found['wasted_ratio'] or 0:.1%} is wasted and it "
            f"takes {enough}%: files that are new to it run uncached. Raise opcache.memory_consumption or "
            "opcache.max_accelerated_files."
        )
    if found["interned_bytes"] and strings_free is not None and strings_free < _STRINGS_FULL_BYTES:
        problems.append(
            "The buffer of interned strings is full: each script keeps its strings for itself. Raise "
            "opcache.interned_strings_buffer."
        )
    return problems


def _jit(status: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the JIT's state, None where this PHP has none; enabled but not on still reserves its buffer."""
    if status["jit_enabled"] is None:
        return None
    size, free = status["jit_buffer_bytes"], status["jit_free_bytes"]
    return {
        "enabled": status["jit_enabled"],
        "on": status["jit_on"],
        "kind": status["jit_kind"],
        "opt_level": status["jit_opt_level"],
        "opt_flags": status["jit_opt_flags"],
        "buffer_bytes": size,
        "buffer_used_bytes": size - free if size is not None and free is not None else None,
    }


def _keys_note(max_keys: int, setting: str) -> str | None:
    """Return a sentence when the table has another size than the directive asks for: a pool's can't change it."""
    wanted = parse_bytes(setting)
    if not max_keys or wanted <= 0 or prime_for(wanted) == max_keys:
        return None
    return (
        f"The asked pool says opcache.max_accelerated_files={setting}, but the master made room for {max_keys} keys: "
        "only the ini that the master started with counts."
    )


def _pages(size: int) -> int:
    return -(-size // _PAGE) * _PAGE


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole > 0 else None
