# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Verdicts over a host's swap."""

from __future__ import annotations

import re

from ansible_collections.phpops.webhost.plugins.module_utils._core.units import human_bytes, human_percent
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import cures
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import (
    INFO,
    WARNING,
    Cure,
    Evidence,
    Facts,
    Thresholds,
    Verdict,
    entries,
    number,
    section,
    sub,
)

_MOST_HOLDERS = 3
_SLOT = re.compile(r"phpops-fpm@(.+)-(?:blue|green)\.service$")
_MORE = Cure("Give the host more swap.", "phpops.webhost.tune", tags=["swap"])


def _own_memory(facts: Facts) -> Facts | None:
    """Return the values of meminfo where swap is the host's own: a container has its host's."""
    memory = sub(section(facts, "phpops_shm"), "memory")
    total = memory.get("swap_total_bytes")
    return None if total is None or sub(facts, "phpops_slab").get("container") else memory


def _holders(facts: Facts) -> list[tuple[str, int]]:
    """Return who has how many bytes in swap, the most first: a site where that can be told, else a unit or a user."""
    held: dict[str, int] = {}
    for group in entries(section(facts, "phpops_shm"), "groups"):
        users = entries(group, "users")
        slot = _SLOT.match(str(group.get("unit") or ""))
        if group.get("kind") == "php-fpm" or not users:
            name = f"site {slot.group(1)}" if slot else str(group.get("unit") or group.get("name"))
            held[name] = held.get(name, 0) + number(group, "swap_bytes")
            continue
        for user in users:
            name = _owner(facts, group, user)
            held[name] = held.get(name, 0) + number(user, "swap_bytes")
    return sorted(((name, size) for name, size in held.items() if size), key=lambda item: (-item[1], item[0]))


def _owner(facts: Facts, group: Facts, user: Facts) -> str:
    """Return the sites of a user whose php-cgi it is, else the user, else the user's id."""
    name = str(user.get("user") or f"user {user.get('uid')}")
    if group.get("kind") == "other":
        return name
    sites = [str(site.get("name")) for site in cures.on_php_cgi(facts) if site.get("user") == user.get("user")]
    if group.get("kind") == "php-cgi" and sites:
        return f"site {sites[0]}" if len(sites) == 1 else f"{len(sites)} sites of {name} (php-cgi)"
    return f"{group.get('name')} of {name}"


def swap_near_full(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """Swap is nearly full: with the next page that has to go, the OOM killer comes."""
    memory = _own_memory(facts)
    total, free = number(memory, "swap_total_bytes"), number(memory, "swap_free_bytes")
    used = max(0, total - free)
    if not total or used / total < marks.swap_near_full:
        return []
    sentence = f"Swap holds {human_bytes(used)}, {human_percent(used / total)} of its {human_bytes(total)}"
    evidence = [Evidence("swap used", used, "bytes"), Evidence("swap", total, "bytes")]
    holders = _holders(facts)[:_MOST_HOLDERS]
    sentence += (
        f"; most is of {', '.join(f'{name} {human_bytes(size)}' for name, size in holders)}." if holders else "."
    )
    evidence += [Evidence(f"swap of {name}", size, "bytes") for name, size in holders]
    return [Verdict("swap_near_full", WARNING, sentence, evidence, _MORE)]


def swap_missing(facts: Facts, _marks: Thresholds) -> list[Verdict]:
    """The host has no swap; that is worth a warning once memory ran out."""
    memory = _own_memory(facts)
    if memory is None or number(memory, "swap_total_bytes"):
        return []
    kills = len(entries(section(facts, "phpops_oom"), "events"))
    sentence = "The host has no swap"
    sentence += ", and memory ran out." if kills else ": what is touched once and never again stays in memory."
    evidence = [Evidence("swap", 0, "bytes"), Evidence("OOM events", kills, "events")]
    return [Verdict("swap_missing", WARNING if kills else INFO, sentence, evidence, _MORE)]
