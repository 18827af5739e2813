# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Runs the exporter's probes one after the other and puts what they got into the folder of node_exporter."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_catalogue import METRICS, PROBES
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_settings import Settings
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_text import (
    MetricError,
    Sample,
    Samples,
    render,
    unpack,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.bounded import bounded
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text, write_atomic
from ansible_collections.phpops.webhost.plugins.module_utils._host.metrics_probes import RUN, Seen, probe

FILE = "phpops.prom"
LAST = f"{RUN}/last.json"


@dataclass
class Collected:
    """The text for Prometheus, and for each probe {probe, success, available, seconds, series, dropped, reason}."""

    text: str = ""
    series: int = 0
    probes: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return what the next role is told of the run."""
        return {"series": self.series, "probes": self.probes}


def collect(
    chosen: Settings,
    ask: Callable[[str, Settings], Seen] = probe,
    clock: Callable[[], float] = time.time,
) -> Collected:
    """Run the probes, each in a process of its own and within its time; none can take the others with it."""
    collected, found = Collected(), []
    for name in PROBES:
        if name not in chosen.probes:
            continue
        told = bounded(lambda name=name: ask(name, chosen).as_dict(), chosen.probe_timeout_seconds)  # type: ignore[misc]
        entry = {"probe": name, "available": True, "series": 0, "dropped": 0, "reason": told.reason}
        if told.reason is None:
            samples, entry = _taken(told.value, entry)
            found += samples
        entry.update(success=entry["reason"] is None, seconds=round(told.seconds, 3))
        collected.probes.append(entry)
    found += _own(collected.probes, chosen, clock())
    collected.series = len(found)
    collected.text = render(METRICS, found)
    return collected


def _taken(value: Any, entry: dict[str, Any]) -> tuple[list[Sample], dict[str, Any]]:
    try:
        samples = unpack(value["samples"])
        told = {"available": value["available"], "dropped": value["dropped"], "reason": value["reason"]}
    except (MetricError, KeyError, TypeError) as error:
        return [], {**entry, "reason": f"its answer is none: {error}"}
    return samples, {**entry, **told, "series": len(samples)}


def _own(probes: list[dict[str, Any]], chosen: Settings, now: float) -> list[Sample]:
    samples = Samples(METRICS)
    for entry in probes:
        where = {"probe": entry["probe"]}
        samples.add("phpops_probe_success", entry["success"], **where)
        samples.add("phpops_probe_available", entry["available"], **where)
        samples.add("phpops_probe_duration_seconds", float(entry["seconds"]), **where)
        samples.add("phpops_exporter_dropped_series", entry["dropped"], **where)
    samples.add("phpops_exporter_last_run_timestamp_seconds", round(now, 3))
    samples.add("phpops_exporter_interval_seconds", chosen.interval_seconds)
    return samples.found


def write(collected: Collected, directory: str, last: str = LAST) -> None:
    """Put the text in its place by a rename, readable by all, and what the run was beside. Raises OSError."""
    write_atomic(Path(directory) / FILE, collected.text, 0o644)
    write_atomic(last, json.dumps(collected.as_dict(), sort_keys=True) + "\n", 0o644)


def last_run(last: str = LAST) -> dict[str, Any] | None:
    """Return what the last run was, None before the first."""
    try:
        found = json.loads(read_text(last))
    except (Unreadable, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("probes"), list) else None


def sentence(found: dict[str, Any]) -> str:
    """Return a run as one line: how many series, and which probes failed and why."""
    failed = [f"{one['probe']} ({one['reason']})" for one in found["probes"] if not one["success"]]
    text = f"{found['series']} series from {len(found['probes'])} probes"
    return f"{text}; failed: {'; '.join(failed)}" if failed else f"{text}; none failed."
