# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reads what opcache_get_status(false) says, as JSON, and checks it against the real segment."""

from __future__ import annotations

import json
import math
from typing import Any, Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_settings import (
    FIXED_OVERHEAD_BYTES,
    KEY_SLOT_BYTES,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_sizing import (
    Need,
    interned_capacity_bytes,
    interned_table_bytes,
)

# Half a MiB: rounding to pages is no disagreement.
DISAGREEMENT_BYTES = 512 * 1024
_MIB = 1024 * 1024
_PRELOADED = ("functions", "classes", "scripts")


class StatusError(ValueError):
    """The text is no usable OPcache status; the message says what it is instead and what to do."""


def parse_status(text: str) -> dict[str, Any]:
    """Return the status as a flat dict; raises StatusError for anything but its JSON.

    Keys in bytes end in ``_bytes``. A part that this PHP or configuration lacks (interned strings, JIT) gives None.
    Source: php/doc-en functions/opcache-get-status.xml and zend_accelerator_module.c.
    """
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        kind = _foreign_kind(text)
        raise StatusError(f"This is {kind}, not the JSON of opcache_get_status(false): encode it as JSON.") from error
    if raw is False:
        raise StatusError("opcache_get_status() returned false: OPcache is off, or opcache.restrict_api forbids it.")
    if not isinstance(raw, dict):
        raise StatusError("The JSON is not an object: pass what opcache_get_status(false) returned.")
    if raw.get("file_cache_only") is True or "memory_usage" not in raw:
        reason = "with file_cache_only there is no shared memory" if raw.get("file_cache_only") else "it is no status"
        raise StatusError(f"The status has no memory_usage ({reason}): nothing to size.")
    return _flatten(raw)


def real_used_bytes(status: Mapping[str, Any], memory_bytes: int) -> int:
    """Return what is really used of the master's memory_consumption, given its true size in bytes.

    PHP computes "used" from the *pool's* directive; free and wasted come from the segment itself, so the truth is
    size - free - wasted.
    """
    return int(memory_bytes - status["free_memory_bytes"] - status["wasted_memory_bytes"])


def disagreement(status: Mapping[str, Any], segment_bytes: int | None) -> str | None:
    """Return one sentence when the status and the real segment (from /proc/PID/maps) differ, else None.

    ``segment_bytes`` includes the JIT buffer, as the mapping does; None (not readable) is no disagreement.
    """
    if segment_bytes is None:
        return None
    told = status["memory_bytes"] + (status["jit_buffer_bytes"] or 0)
    if abs(told - segment_bytes) <= DISAGREEMENT_BYTES:
        return None
    return (
        f"opcache_get_status() speaks of {told / _MIB:.1f} MiB, but the master's segment has "
        f"{segment_bytes / _MIB:.1f} MiB: a pool sets opcache.memory_consumption, which only the master's ini can."
    )


def need_of(status: Mapping[str, Any], memory_bytes: int | None = None) -> Need:
    """Return what the cached scripts need, apart from buffers; ``memory_bytes`` is the true size where it is known.

    Wasted memory is left out: a fresh master has none.
    """
    used = status["used_memory_bytes"] if memory_bytes is None else real_used_bytes(status, memory_bytes)
    buffer_bytes, strings_table = _strings_buffer(status["interned_buffer_bytes"] or 0)
    keys_table = status["max_cached_keys"] * KEY_SLOT_BYTES
    scripts = max(used - buffer_bytes - keys_table - FIXED_OVERHEAD_BYTES, 0)
    interned = max((status["interned_used_bytes"] or 0) - strings_table, 0)
    return Need(scripts, interned, status["num_cached_keys"])


def starved(status: Mapping[str, Any]) -> str | None:
    """Return one sentence when the cache is or was too small, so that its figures are no measure; else None."""
    if status["cache_full"]:
        return "The cache is full: files run uncached, so the need is larger than what was measured."
    restarts = status["oom_restarts"] + status["hash_restarts"]
    if restarts:
        return f"The cache restarted {restarts} times for lack of room, so the need is larger than what was measured."
    free = status["interned_free_bytes"]
    if free is not None and status["interned_buffer_bytes"] and free < 4096:
        return "The interned strings buffer is full: strings went elsewhere, so the need is larger than measured."
    return None


def _strings_buffer(told_bytes: int) -> tuple[int, int]:
    """Return the buffer's whole size and the part of the told use that is its table.

    Since php-src's pull 11717 of 2023, PHP tells whole MiB and counts the table as used. Before, so in 7.4, 8.0 and old
    patch releases of 8.1 and 8.2, it leaves the table out of both (6291008 for 8 MiB).
    """
    if told_bytes % _MIB == 0:
        return told_bytes, interned_table_bytes(told_bytes // _MIB)
    near = told_bytes // _MIB
    for size in range(near * 2 + 2, near, -1):
        if 0 <= interned_capacity_bytes(size) - told_bytes < 4096:
            return size * _MIB, 0
    return told_bytes, 0


def _flatten(raw: Mapping[str, Any]) -> dict[str, Any]:
    memory = _part(raw, "memory_usage")
    strings = _part(raw, "interned_strings_usage")
    numbers = _part(raw, "opcache_statistics")
    jit = _part(raw, "jit")
    used, free, wasted = (_integer(memory, key) or 0 for key in ("used_memory", "free_memory", "wasted_memory"))
    return {
        "enabled": raw.get("opcache_enabled") is True,
        "cache_full": raw.get("cache_full") is True,
        "restart_pending": raw.get("restart_pending") is True,
        "restart_in_progress": raw.get("restart_in_progress") is True,
        "memory_bytes": used + free + wasted,
        "used_memory_bytes": used,
        "free_memory_bytes": free,
        "wasted_memory_bytes": wasted,
        "interned_buffer_bytes": _integer(strings, "buffer_size"),
        "interned_used_bytes": _integer(strings, "used_memory"),
        "interned_free_bytes": _integer(strings, "free_memory"),
        "interned_strings": _integer(strings, "number_of_strings"),
        "num_cached_scripts": _integer(numbers, "num_cached_scripts") or 0,
        "num_cached_keys": _integer(numbers, "num_cached_keys") or 0,
        "max_cached_keys": _integer(numbers, "max_cached_keys") or 0,
        "hits": _integer(numbers, "hits") or 0,
        "misses": _integer(numbers, "misses") or 0,
        "blacklist_misses": _integer(numbers, "blacklist_misses") or 0,
        "oom_restarts": _integer(numbers, "oom_restarts") or 0,
        "hash_restarts": _integer(numbers, "hash_restarts") or 0,
        "manual_restarts": _integer(numbers, "manual_restarts") or 0,
        "start_time_seconds": _integer(numbers, "start_time"),
        "last_restart_time_seconds": _integer(numbers, "last_restart_time"),
        "jit_enabled": jit.get("enabled") is True if jit else None,
        "jit_on": jit.get("on") is True if jit else None,
        "jit_buffer_bytes": _integer(jit, "buffer_size"),
        "jit_free_bytes": _integer(jit, "buffer_free"),
        "jit_kind": _integer(jit, "kind"),
        "jit_opt_level": _integer(jit, "opt_level"),
        "jit_opt_flags": _integer(jit, "opt_flags"),
        "preload": _preload(raw),
    }


def _preload(raw: Mapping[str, Any]) -> dict[str, int | None] | None:
    """Return what preloading holds, None without it: bytes, and how many functions, classes and scripts."""
    part = _part(raw, "preload_statistics")
    if not part:
        return None
    counts = {name: len(part[name]) if isinstance(part.get(name), (list, dict)) else 0 for name in _PRELOADED}
    return {"memory_bytes": _integer(part, "memory_consumption"), **counts}


def _part(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = raw.get(name)
    return part if isinstance(part, dict) else {}


def _integer(part: Mapping[str, Any], name: str) -> int | None:
    value = part.get(name)
    if isinstance(value, float) and math.isfinite(value) and abs(value) < 2**63:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None


def _foreign_kind(text: str) -> str:
    start = text.lstrip()[:2000]
    if start.startswith("<?php"):
        return "PHP source"
    if "=>" in start or start.startswith(("array(", "Array")):
        return "a dump by var_dump() or print_r()"
    return "text of another kind" if start else "an empty text"
