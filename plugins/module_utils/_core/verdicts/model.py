# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What a verdict is, the marks it is judged by, and careful reading of facts."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Mapping, Sequence

CRITICAL, WARNING, INFO = "critical", "warning", "info"
SEVERITIES = (CRITICAL, WARNING, INFO)

Facts = Mapping[str, Any]


class BadThreshold(ValueError):
    """A threshold has a name or a value that makes no sense; the message names it and the cure."""


@dataclass(frozen=True)
class Thresholds:
    """The marks that make a number a verdict. Shares are 0..1, the others counts."""

    # Of shmpages, of any other beancounter, and of a limit on reserved memory.
    near_limit: float = 0.9
    # Of a limit on touched memory (a memory cgroup, RAM): caches are not in it, so little more is free.
    memory_near_limit: float = 0.95
    tmpfs_near_full: float = 0.85
    # The dentry cache counts when it is large among the slabs and against the host's memory as well.
    dentry_slab_share: float = 0.4
    dentry_memory_share: float = 0.05
    dentry_memory_share_critical: float = 0.25
    # php-cgi processes with an OPcache segment each; critical from that share of the smallest limit on.
    own_segments: int = 2
    own_segments_share_critical: float = 0.5
    # php-cgi that mod_fcgid keeps for ever, of all sites together: 3 of each without a limit.
    kept_php_cgi: int = 6
    # Private memory of a pool's workers, on average: the threshold of the role worker_recycle.
    worker_bytes: int = 268435456
    swap_near_full: float = 0.9
    # OPcache of one PHP-FPM master: shares of its memory, its keys and its buffer of interned strings.
    opcache_near_full: float = 0.95
    opcache_keys_near_full: float = 0.9
    opcache_strings_near_full: float = 0.95
    opcache_wasted: float = 0.1
    opcache_restarts: int = 1
    # At most this share in use, so long after its start or last restart.
    opcache_oversized: float = 0.25
    opcache_settled_seconds: int = 86400
    # PHP files that a site wrote at run time and that its blacklist does not have.
    written_php_files: int = 5
    # How often all of a pool's workers were busy.
    max_children_reached: int = 1
    shared_pools: int = 2
    # Growth of the dentry cache in an hour, as a share of the host's memory; files that were removed in a second.
    dentry_growth: float = 0.01
    removed_files_per_second: int = 10
    # Free memory in pieces of less than 8 pages.
    fragmented: float = 0.95
    oom_kills: int = 1
    # Lines "Unable to allocate shared memory segment" in an error log.
    shm_errors: int = 1

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Thresholds:
        """Return the thresholds with some replaced. Raises BadThreshold for an unknown name or a value out of range."""
        known = {item.name: item.default for item in fields(cls)}
        for name, value in values.items():
            if name not in known:
                raise BadThreshold(f"{name} is no threshold: use one of {', '.join(known)}.")
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if isinstance(known[name], float) and not (is_number and 0 < value <= 1):
                raise BadThreshold(f"{name} is {value!r}: give a share greater than 0 and at most 1.")
            if isinstance(known[name], int) and not (isinstance(value, int) and is_number and value >= 1):
                raise BadThreshold(f"{name} is {value!r}: give a whole number from 1 on.")
        return cls(**values)


@dataclass(frozen=True)
class Cure:
    """What to do: a sentence, and the play with its variables and tags where the collection has one."""

    text: str
    play: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Evidence:
    """One number behind a verdict. A ratio has the unit ``ratio``."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True)
class Verdict:
    """One diagnosed problem of a host."""

    code: str
    severity: str
    sentence: str
    evidence: list[Evidence]
    cure: Cure


# How many names a sentence lists.
_NAMES = 5


def listed(names: Sequence[str]) -> str:
    """Return the first names of a list, and how many more there are."""
    return ", ".join(names[:_NAMES]) + (f" and {len(names) - _NAMES} more" if len(names) > _NAMES else "")


def section(facts: Facts, name: str) -> Facts | None:
    """Return the facts of one module, None when they were not gathered or are not available."""
    found = facts.get(name)
    return found if isinstance(found, Mapping) and found.get("available") is True else None


def entries(facts: Facts | None, key: str) -> list[Facts]:
    """Return the dicts of a list in the facts; a missing key or another type gives an empty list."""
    found = (facts or {}).get(key)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, (list, tuple)) else []


def sub(facts: Facts | None, key: str) -> Facts:
    """Return a dict within the facts, empty when missing."""
    found = (facts or {}).get(key)
    return found if isinstance(found, Mapping) else {}


def number(facts: Facts | None, key: str) -> int:
    """Return a natural number of the facts; null and everything else that is none counts as 0."""
    found = (facts or {}).get(key)
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else 0


def ratio(facts: Facts | None, key: str) -> float:
    """Return a share of the facts; null and everything else that is none counts as 0."""
    found = (facts or {}).get(key)
    return float(found) if isinstance(found, (int, float)) and not isinstance(found, bool) else 0.0
