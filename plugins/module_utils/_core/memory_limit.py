# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Which memory limits the sites of a host get, and which they had before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Sequence

KEYS = ("memory_high_bytes", "memory_max_bytes")
# What systemd prints for "no limit" (UINT64_MAX in systemd.resource-control(5)'s properties).
_INFINITY = ("infinity", str(2**64 - 1))

Limits = Mapping[str, Any]


class LimitError(ValueError):
    """A limit can't be used; the text is a sentence with the cure."""


@dataclass(frozen=True)
class Change:
    """What site_slot is to do for a site, and what the record says of it afterwards (None: nothing)."""

    name: str
    options: dict[str, int]
    recorded: dict[str, Any] | None


def limits_of(spec: Mapping[str, Any]) -> dict[str, int]:
    """Return a site's limits in bytes by name; 0 is no limit."""
    return {key: spec.get(key) or 0 for key in KEYS}


def wanted(names: Sequence[str], everywhere: Limits, sites: Sequence[Limits]) -> dict[str, dict[str, int]]:
    """Return the limits that were asked for, by site; one that was not is left out. LimitError for a wrong pair.

    A site's own come before those for all sites; 0 takes a limit away.
    """
    own = {site["name"]: site for site in sites}
    if len(own) < len(sites):
        raise LimitError("sites names a site twice; name each site once.")
    found = {}
    for name in names:
        chosen = {}
        for key in KEYS:
            value = own.get(name, {}).get(key)
            value = everywhere.get(key) if value is None else value
            if value is not None:
                chosen[key] = value
        high, most = chosen.get(KEYS[0]) or 0, chosen.get(KEYS[1]) or 0
        if high and most and high > most:
            raise LimitError(f"Site {name}: memory_high_bytes {high} is above memory_max_bytes {most}; give it less.")
        found[name] = chosen
    return found


def present(now: Mapping[str, Limits], goals: Mapping[str, Limits], record: Mapping[str, Any]) -> list[Change]:
    """Return a change for each site whose limits are not as wanted; the record keeps what was there before us."""
    changes = []
    for name, goal in sorted(goals.items()):
        current, known = limits_of(now[name]), record.get(name)
        target = {**current, **goal}
        if target == current:
            continue
        ours = known is not None and current in (known["set"], known["before"])
        before = known["before"] if known is not None and ours else current
        changes.append(Change(name, dict(goal), {"before": before, "set": target}))
    return changes


def absent(now: Mapping[str, Limits], record: Mapping[str, Any]) -> list[Change]:
    """Return a change for each site that still has the limits that we set: what it had before. Others stay."""
    return [
        Change(name, dict(known["before"]), None)
        for name, known in sorted(record.items())
        if name in now and limits_of(now[name]) == known["set"] != known["before"]
    ]


def shown_bytes(value: str) -> int | None:
    """Return a limit as `systemctl show` prints it, None for none or for what is no number."""
    return None if value in _INFINITY or not value.isdigit() else int(value)


def summary(sites: Sequence[Mapping[str, Any]], unknown: Sequence[str]) -> list[str]:
    """Return a sentence for each site with a limit, and for each name that no site has."""
    lines = []
    for site in sites:
        limits = [
            f"{label} {site[key] / 1048576:g} MiB"
            for label, key in (("MemoryHigh", KEYS[0]), ("MemoryMax", KEYS[1]))
            if site[key] is not None
        ]
        if limits:
            used = f", it uses {site['used_bytes'] / 1048576:.0f} MiB" if site["used_bytes"] is not None else ""
            state = f"in force{used}." if site["in_force"] else f"not in force. {site['reason']}"
            lines.append(f"{site['name']}: {', '.join(limits)}, {state}")
    return lines + [f"{name}: this host has no such site, so it got no limit." for name in unknown]
