# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Says which beancounters failed or are near the column that stops them, with their numbers."""

from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._core.beancounters import Beancounters, Counter
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of, human_bytes, human_percent

# What is promised, not what is capped: being above it is no shortage by itself.
GUARANTEES = frozenset(("vmguarpages", "oomguarpages"))


def ceiling(resources: dict[str, Counter], name: str) -> str | None:
    """Return which column stops the resource first, ``barrier`` or ``limit``; None where nothing does.

    Guarantees never stop anything. physpages and swappages do so only in VSwap mode (042stab042 and later), which
    shows as barrier 0 and a finite limit of physpages; before that they were mere accounting.
    """
    counter = resources[name]
    if name in GUARANTEES:
        return None
    if name in ("physpages", "swappages"):
        ram = resources.get("physpages")
        vswap = ram is not None and ram.barrier == 0 and ram.limit is not None
        return "limit" if vswap and counter.limit else None
    # The limit comes first: min() keeps the first of two equal values, and "limit" is the word people look for.
    finite = [(value, column) for value, column in ((counter.limit, "limit"), (counter.barrier, "barrier")) if value]
    return min(finite, key=lambda pair: pair[0])[1] if finite else None


def used_ratio(resources: dict[str, Counter], name: str) -> float | None:
    """Return held / ceiling (0..1, above 1 when the barrier is passed), None without a ceiling or a held value."""
    column, counter = ceiling(resources, name), resources[name]
    if column is None or counter.held is None:
        return None
    return round(counter.held / int(getattr(counter, column)), 4)


def at_risk(resources: dict[str, Counter], near_limit: float, page_size: int) -> list[dict[str, object]]:
    """Return the resources that failed or are held to at least ``near_limit`` (0..1) of their ceiling, worst first.

    Each has ``resource``, ``causes`` (``failed``, ``near_limit``), ``reason`` (one sentence) and its numbers.
    """
    found = []
    for name, counter in resources.items():
        ratio = used_ratio(resources, name)
        causes = (["failed"] if counter.failcnt else []) + (
            ["near_limit"] if ratio is not None and ratio >= near_limit else []
        )
        if causes:
            found.append((not counter.failcnt, -(ratio or 0.0), name, causes))
    return [
        {
            "resource": name,
            "causes": causes,
            "reason": _reason(resources, name, page_size),
            **counter_facts(resources, name, page_size),
        }
        for _failed, _ratio, name, causes in sorted(found)
    ]


def _amount(counter: Counter, value: int, page_size: int) -> str:
    if counter.unit == "items":
        return str(value)
    if counter.unit == "pages":
        return f"{value} pages ({human_bytes(value * page_size)})"
    return human_bytes(value)


def _reason(resources: dict[str, Counter], name: str, page_size: int) -> str:
    counter, column, parts = resources[name], ceiling(resources, name), []
    ratio = used_ratio(resources, name)
    if counter.held is not None:
        held = f"{_amount(counter, counter.held, page_size)} held"
        if column is not None and ratio is not None:
            stop = _amount(counter, getattr(counter, column), page_size)
            held += f", {human_percent(ratio)} of its {column} of {stop}"
        parts.append(held)
    if counter.failcnt:
        if name == "oomguarpages":
            what = count_of(counter.failcnt, "process was", "processes were") + " killed for lack of memory"
        else:
            what = count_of(counter.failcnt, "request was", "requests were") + " refused"
        since = "since the container started"
        if counter.reset:
            since += ", which was after the last run"
        elif counter.failcnt_delta is not None:
            since += f", {counter.failcnt_delta} of them since the last run"
        parts.append(f"{what} {since}")
    return f"{name}: {'; '.join(parts)}."


def counter_facts(resources: dict[str, Counter], name: str, page_size: int) -> dict[str, object]:
    """Return one counter as the facts show it; ``*_bytes`` are None for items, null values stay None."""
    counter = resources[name]
    scale = {"pages": page_size, "bytes": 1}.get(counter.unit)

    def in_bytes(value: int | None) -> int | None:
        return None if value is None or scale is None else value * scale

    return {
        "held": counter.held,
        "maxheld": counter.maxheld,
        "barrier": counter.barrier,
        "limit": counter.limit,
        "failcnt": counter.failcnt,
        "failcnt_delta": counter.failcnt_delta,
        "reset": counter.reset,
        "unit": counter.unit,
        "held_bytes": in_bytes(counter.held),
        "maxheld_bytes": in_bytes(counter.maxheld),
        "barrier_bytes": in_bytes(counter.barrier),
        "limit_bytes": in_bytes(counter.limit),
        "ceiling": ceiling(resources, name),
        "used_ratio": used_ratio(resources, name),
    }


def container_facts(counters: Beancounters, near_limit: float, page_size: int) -> dict[str, object]:
    """Return the ``containers`` of the facts: resources and what is at risk, by container id."""
    return {
        container: {
            "resources": {name: counter_facts(resources, name, page_size) for name in resources},
            "at_risk": at_risk(resources, near_limit, page_size),
        }
        for container, resources in counters.containers.items()
    }
