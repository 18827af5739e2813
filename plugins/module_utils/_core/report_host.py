# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""One host of a report: from the record that a diagnosis left to what the page shows of it."""

from __future__ import annotations

from collections import Counter
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import report_charts as charts
from ansible_collections.phpops.webhost.plugins.module_utils._core.report_limits import limits, tightest
from ansible_collections.phpops.webhost.plugins.module_utils._core.report_numbers import differences, numbers
from ansible_collections.phpops.webhost.plugins.module_utils._core.report_opcache import gauges, not_asked
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import human_bytes, human_percent
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import (
    SEVERITIES,
    Facts,
    entries,
    number,
    section,
    sub,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.text import command

# The states of a host in a report, the worst first: those that told nothing stand before those that are well.
UNREACHABLE, FAILED, GOOD = "unreachable", "failed", "good"
STATES = (*SEVERITIES[:2], UNREACHABLE, FAILED, SEVERITIES[2], GOOD)
_MOST_CACHES = 6
_MOST_EVENTS = 50


def host_model(record: Facts, before: Facts | None = None) -> dict[str, Any]:
    """Return what the page shows of one host; ``before`` is the record of an earlier run."""
    facts, verdicts = sub(record, "facts"), entries(record, "verdicts")
    name = str(record.get("host"))
    model: dict[str, Any] = {
        "name": name,
        "time": record.get("time"),
        "state": state_of(record),
        "reason": record.get("reason"),
        "answered": record.get("state") == "answered",
        "numbers": numbers(facts, verdicts) if record.get("state") == "answered" else {},
        "verdicts": [_verdict(name, verdict) for verdict in verdicts],
        "codes": sorted({str(verdict.get("code")) for verdict in verdicts}),
        "limits": drawn_limits(facts),
        "tightest": tightest(limits(facts)),
        "groups": [_group(group) for group in entries(section(facts, "phpops_shm"), "groups")],
        "tmpfs": entries(section(facts, "phpops_shm"), "tmpfs"),
        "slab": _slab(facts),
        "opcache": gauges(facts),
        "not_asked": not_asked(facts),
        "oom": _oom(facts),
        "before": None,
    }
    if before is not None and before.get("state") == "answered" and model["answered"]:
        model["before"] = _before(before, model)
        _align(model["before"]["limits"], model["limits"])
    return model


def state_of(record: Facts) -> str:
    """Return one of STATES for a record."""
    if record.get("state") in (UNREACHABLE, FAILED):
        return str(record["state"])
    found = {str(verdict.get("severity")) for verdict in entries(record, "verdicts")}
    return next((severity for severity in SEVERITIES if severity in found), GOOD)


def drawn_limits(facts: Facts) -> list[dict[str, Any]]:
    """Return the limits that have a use or a limit to show, each with the boxes of its picture and its words."""
    drawn = []
    for limit in limits(facts):
        used, size = limit["used_bytes"], limit["limit_bytes"]
        if used is None:
            continue
        boxes = charts.stack([part["bytes"] for part in limit["parts"]], size or used)
        shades: Counter[str] = Counter()
        for part, box in zip(limit["parts"], boxes):
            # Neighbours of one kind have one colour, in three shades.
            part.update(box, shade=shades[part["colour"]] % 3)
            shades[part["colour"]] += 1
        told = ", ".join(f"{part['name']} {human_bytes(part['bytes'])}" for part in limit["parts"])
        of = f" of {human_bytes(size)}, {human_percent(limit['ratio'])}" if size else ", without a limit"
        drawn.append(
            {
                **limit,
                "mark": charts.limit_mark(used, size) if size else None,
                "level": charts.level(limit["ratio"]) if size else "good",
                "words": f"{limit['name']}: {human_bytes(used)}{of}." + (f" By whom: {told}." if told else ""),
            }
        )
    return drawn


def _verdict(host: str, verdict: Facts) -> dict[str, Any]:
    cure = sub(verdict, "cure")
    return {
        "code": str(verdict.get("code")),
        "severity": str(verdict.get("severity")),
        "sentence": str(verdict.get("sentence")),
        "evidence": [
            {"name": str(item.get("name")), "value": item.get("value"), "unit": str(item.get("unit"))}
            for item in entries(verdict, "evidence")
        ],
        "cure": str(cure.get("text") or ""),
        "command": command(host, cure) if cure.get("play") else None,
    }


def _group(group: Facts) -> dict[str, Any]:
    keys = ("processes", "opcache_segments", "opcache_bytes", "resident_bytes", "anon_bytes", "swap_bytes")
    return {
        "name": str(group.get("unit") or group.get("name")),
        "kind": str(group.get("kind")),
        "reason": group.get("reason"),
        **{key: group.get(key) for key in keys},
    }


def _slab(facts: Facts) -> dict[str, Any] | None:
    slab = section(facts, "phpops_slab")
    total = number(slab, "total_bytes")
    if slab is None or not total:
        return None
    caches = [(str(cache.get("name")), number(cache, "bytes")) for cache in entries(slab, "caches")]
    shown = sorted(caches, key=lambda cache: -cache[1])[:_MOST_CACHES]
    if "dentry" not in [name for name, _size in shown] and number(sub(slab, "dentry"), "bytes"):
        shown[-1:] = [("dentry", number(sub(slab, "dentry"), "bytes"))]
    rest = max(0, total - sum(size for _name, size in shown))
    others = [name for name, _size in shown if name != "dentry"]
    colours = {"dentry": "dentry", **{name: f"slab{index % 5}" for index, name in enumerate(others)}}
    parts: list[dict[str, Any]] = [
        {"name": name, "bytes": size, "colour": colours[name], "shade": 0} for name, size in shown
    ]
    if rest:
        parts.append({"name": "other caches", "bytes": rest, "colour": "rest", "shade": 0})
    boxes = charts.stack([part["bytes"] for part in parts], total)
    told = ", ".join(f"{part['name']} {human_bytes(part['bytes'])}" for part in parts)
    notes = slab.get("notes")
    keys = ("total_bytes", "reclaimable_bytes", "unreclaimable_bytes", "memory_total_bytes", "scope")
    return {
        **{key: slab.get(key) for key in keys},
        "dentry": dict(sub(slab, "dentry")),
        "parts": [{**part, **box} for part, box in zip(parts, boxes)],
        "notes": [str(note) for note in notes] if isinstance(notes, (list, tuple)) else [],
        "words": f"Slab caches: {human_bytes(total)}. {told}.",
    }


def _oom(facts: Facts) -> dict[str, Any] | None:
    oom = section(facts, "phpops_oom")
    if oom is None:
        return None
    events = [_event(event) for event in entries(oom, "events")]
    timed = [event for event in events if event["seconds"] is not None]
    for event, x in zip(timed, charts.time_line([event["seconds"] for event in timed])):
        event["x"] = x
    return {
        "count": len(events),
        # The last ones: a storm of kills has thousands of the same.
        "events": events[-_MOST_EVENTS:],
        "first": timed[0]["time"] if timed else None,
        "last": timed[-1]["time"] if timed else None,
        "units": [
            {"unit": str(unit.get("unit")), "result": unit.get("result"), "count": unit.get("count")}
            for unit in entries(oom, "units")
        ],
    }


def _event(event: Facts) -> dict[str, Any]:
    victim, trigger = sub(event, "victim"), sub(event, "trigger")
    sizes = [victim.get(key) for key in ("anon_rss_bytes", "file_rss_bytes", "shmem_rss_bytes")]
    known = [size for size in sizes if isinstance(size, int)]
    return {
        "time": event.get("time"),
        "seconds": charts.moment(event.get("time")),
        "x": None,
        "kind": str(event.get("kind")),
        "victim": victim.get("comm"),
        "victim_pid": victim.get("pid"),
        "rss_bytes": sum(known) if known else None,
        "trigger": trigger.get("comm"),
        "unit": event.get("unit"),
        "limit": event.get("limit_cgroup"),
    }


def _before(before: Facts, model: Mapping[str, Any]) -> dict[str, Any]:
    facts, verdicts = sub(before, "facts"), entries(before, "verdicts")
    had = _codes(verdicts)
    has = list(model["codes"])
    return {
        "time": before.get("time"),
        "state": state_of(before),
        "limits": drawn_limits(facts),
        "rows": differences(numbers(facts, verdicts), model["numbers"]),
        "cured": [code for code in had if code not in has],
        "new": [code for code in has if code not in had],
        "left": [code for code in has if code in had],
    }


def _align(*sides: list[dict[str, Any]]) -> None:
    """Put the same limit at the same place on both sides, that first which is or was the fullest."""
    worst: dict[str, float] = {}
    for limit in (limit for side in sides for limit in side):
        worst[limit["name"]] = max(worst.get(limit["name"], 0.0), limit["ratio"] or 0.0)
    for side in sides:
        side.sort(key=lambda limit: (-worst[limit["name"]], limit["name"]))


def _codes(verdicts: Sequence[Facts]) -> list[str]:
    return sorted({str(verdict.get("code")) for verdict in verdicts})
