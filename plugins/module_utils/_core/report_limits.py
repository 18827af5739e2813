# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The limits of a host's memory with what spends them, for a picture: the budget's lines, else the facts alone."""

from __future__ import annotations

from typing import Any, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import (
    Facts,
    entries,
    number,
    section,
    sub,
)

# More parts than this are no picture that a person reads; the smallest are told as one.
MOST_PARTS = 7
# The kinds of the budget's lines and of process groups, by the colour that they share.
_COLOURS = {
    "opcache": ("opcache", "jit", "flip"),
    "fpm": ("php-fpm", "master", "worker"),
    "cgi": ("php-cgi", "cgi"),
    "apache": ("apache", "mod_php", "nginx"),
    "tmpfs": ("tmpfs", "reservation"),
    "shared": ("anonymous", "sysv", "posix", "memfd", "hugetlb"),
}
# What a line is about, where its name doesn't tell.
_WORDS = {"opcache": "OPcache", "jit": "JIT buffer", "cgi": "private memory", "flip": "slot flip"}
COLOUR_OF = {kind: colour for colour, kinds in _COLOURS.items() for kind in kinds}
_BEANCOUNTERS = (("shmpages", "reserved"), ("physpages", "touched"), ("privvmpages", "reserved"))


def limits(facts: Facts) -> list[dict[str, Any]]:
    """Return the limits, the fullest first: name, kind, path, limit_bytes, used_bytes, ratio, parts, readable, reason.

    ``parts`` are {name, kind, colour, bytes}, the largest first, and come to ``used_bytes``. A limit that is
    unlimited has limit_bytes and ratio null. Ratios may exceed 1. ``planned``: the budget's lines, which count a tmpfs
    by its size, and not what is in it.
    """
    budget = sub(facts, "budget")
    shm = section(facts, "phpops_shm")
    found = [_of_budget(limit, entries(budget, "lines")) for limit in entries(budget, "limits")]
    if not found:
        plain = [limit for limit in entries(shm, "limits") if limit.get("name") != "tmpfs"]
        found = [_of_facts(limit, shm) for limit in plain]
    named = {limit["name"] for limit in found}
    found += [_of_facts(limit, shm) for limit in _of_beancounters(facts) if limit["name"] not in named]
    return sorted(found, key=lambda limit: (-(limit["ratio"] or 0.0), limit["limit_bytes"] is None, limit["name"]))


def tightest(found: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the limit with the highest ratio, None when no limit has one."""
    return next((limit for limit in found if limit["ratio"] is not None), None)


def _limit(limit: Facts, used: int | None, parts: list[dict[str, Any]]) -> dict[str, Any]:
    size = limit.get("limit_bytes")
    size = size if isinstance(size, int) and not isinstance(size, bool) else None
    return {
        "name": str(limit.get("name")),
        "kind": str(limit.get("kind")),
        "path": str(limit.get("path") or ""),
        "readable": limit.get("readable") is not False,
        "reason": limit.get("reason"),
        "limit_bytes": size,
        "used_bytes": used,
        "ratio": used / size if size and used is not None else None,
        "parts": parts,
        "planned": False,
    }


def _of_budget(limit: Facts, lines: Sequence[Facts]) -> dict[str, Any]:
    name = limit.get("name")
    mine = [line for line in lines if isinstance(line.get("limits"), (list, tuple)) and name in line["limits"]]
    names = [str(line.get("name")) for line in mine]
    parts = [
        _part(_apart(name, str(line.get("kind")), names), str(line.get("kind")), number(line, "after_bytes"))
        for name, line in zip(names, mine)
    ]
    used = sum(part["bytes"] for part in parts) if mine else limit.get("used_bytes")
    found = _limit(limit, used if isinstance(used, int) else None, _largest(parts))
    return {**found, "planned": bool(mine)}


def _apart(name: str, kind: str, names: Sequence[str]) -> str:
    """The budget has several lines of one name, such as the caches and the private memory of all php-cgi."""
    return name if names.count(name) == 1 else f"{name}: {_WORDS.get(kind, kind)}"


def _of_facts(limit: Facts, shm: Facts | None) -> dict[str, Any]:
    used = limit.get("used_bytes")
    if not isinstance(used, int):
        return _limit(limit, None, [])
    parts = []
    for group in entries(shm, "groups"):
        if limit.get("kind") == "reserved":
            size = number(group, "segments_bytes")
        else:
            size = number(group, "pss_bytes") or number(group, "resident_bytes") + number(group, "anon_bytes")
        parts.append(_part(str(group.get("unit") or group.get("name")), str(group.get("kind")), size))
    parts = _largest(parts)
    known = sum(part["bytes"] for part in parts)
    if known > used:
        # What processes map twice can't be told apart here: the kernel's sum is what counts.
        parts = []
        known = 0
    rest = [_part("other, files and the kernel's own" if parts else "in use", "rest", used - known)]
    return _limit(limit, used, parts + [part for part in rest if part["bytes"]])


def _of_beancounters(facts: Facts) -> list[dict[str, Any]]:
    containers = sub(section(facts, "phpops_beancounters"), "containers")
    found = []
    for uid in containers:
        for name, kind in _BEANCOUNTERS:
            counter = sub(sub(sub(containers, uid), "resources"), name)
            if not counter.get("limit_bytes"):
                continue
            found.append(
                {
                    "name": name if len(containers) == 1 else f"{name} of {uid}",
                    **{"kind": kind, "path": "user_beancounters"},
                    **{"limit_bytes": counter.get("limit_bytes"), "used_bytes": counter.get("held_bytes")},
                }
            )
    return found


def _part(name: str, kind: str, size: int) -> dict[str, Any]:
    return {"name": name, "kind": kind, "colour": COLOUR_OF.get(kind, "rest"), "bytes": size}


def _largest(parts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    ordered = sorted((part for part in parts if part["bytes"]), key=lambda part: (-part["bytes"], part["name"]))
    if len(ordered) <= MOST_PARTS:
        return ordered
    rest = ordered[MOST_PARTS - 1 :]
    return [*ordered[: MOST_PARTS - 1], _part(f"{len(rest)} more", "rest", sum(part["bytes"] for part in rest))]
