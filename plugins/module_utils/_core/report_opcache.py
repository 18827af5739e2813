# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The gauges of each PHP-FPM master's OPcache, from the facts of its pools; none when those were not gathered."""

from __future__ import annotations

from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core import report_charts as charts
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of, human_bytes
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import (
    Facts,
    entries,
    number,
    sub,
)

KEYS = (
    *("segment_bytes", "used_bytes", "free_bytes", "wasted_bytes", "keys", "max_keys", "scripts"),
    *("interned_used_bytes", "interned_bytes", "hit_ratio", "oom_restarts", "hash_restarts", "manual_restarts"),
)
FPM = ("active", "idle", "total", "max_children", "max_children_reached", "listen_queue", "slow_requests")


def gauges(facts: Facts) -> list[dict[str, Any]]:
    """Return the masters: name, their numbers, ``gauges`` to draw (memory, keys, strings) and ``flags`` as sentences.

    A gauge that can't be drawn, as one of its numbers is not known, is left out.
    """
    found = []
    # Also where no master answered: each says why.
    for master in entries(sub(facts, "phpops_opcache"), "masters"):
        name = str(master.get("site") or master.get("unit") or master.get("pool") or master.get("master_pid"))
        slot, version = master.get("slot"), master.get("php_version")
        about = [str(part) for part in (slot, f"PHP {version}" if version else None) if part]
        used = number(master, "used_bytes") + number(master, "wasted_bytes")
        drawn = [
            _gauge("Memory", used, used + number(master, "free_bytes"), True),
            _gauge("Keys", number(master, "keys"), number(master, "max_keys"), False),
            _gauge("Strings", number(master, "interned_used_bytes"), number(master, "interned_bytes"), True),
        ]
        found.append(
            {
                "name": name,
                "about": ", ".join(about),
                **{key: master.get(key) for key in KEYS},
                "gauges": [gauge for gauge in drawn if gauge is not None],
                "flags": _flags(master),
                "reason": master.get("reason"),
                "fpm": {key: sub(master, "fpm").get(key) for key in FPM},
            }
        )
    return found


def _gauge(name: str, used: int, whole: int, in_bytes: bool) -> dict[str, Any] | None:
    if not whole:
        return None
    share = used / whole
    told = f"{human_bytes(used)} of {human_bytes(whole)}" if in_bytes else f"{used} of {whole}"
    return {
        **{"name": name, "share": share, "used": used, "whole": whole, "unit": "bytes" if in_bytes else "count"},
        **{"path": charts.arc(share), "level": charts.level(share), "words": f"{name}: {told}"},
    }


def not_asked(facts: Facts) -> list[dict[str, Any]]:
    """Return the PHP that can't be asked: kind, processes, opcache_bytes and reason."""
    keys = ("kind", "processes", "opcache_bytes", "reason")
    return [{key: item.get(key) for key in keys} for item in entries(sub(facts, "phpops_opcache"), "not_asked")]


def _flags(master: Facts) -> list[str]:
    problems = master.get("problems")
    if isinstance(problems, (list, tuple)):
        return [str(problem) for problem in problems]
    flags = []
    if master.get("cache_full") is True:
        flags.append("The cache is full: new files run uncached.")
    if master.get("restart_pending") is True:
        flags.append("A restart is pending.")
    if master.get("directives_disagree") is True:
        flags.append("A pool overrides the master's size, so PHP's own numbers are wrong.")
    restarts = number(master, "oom_restarts") + number(master, "hash_restarts")
    if restarts:
        flags.append(f"Restarted {count_of(restarts, 'time')} for lack of room.")
    return flags
