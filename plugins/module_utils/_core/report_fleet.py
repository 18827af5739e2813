# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""A whole report: the fleet's overview and its hosts, from the records of one run and, if given, of an earlier one."""

from __future__ import annotations

from collections import Counter
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import report_charts as charts
from ansible_collections.phpops.webhost.plugins.module_utils._core.report_host import (
    FAILED,
    STATES,
    host_model,
    state_of,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.report_numbers import NUMBERS, differences
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of

FORMAT = 1
_NO_RECORD = "The run left no record of this host: it ended before the host was asked."


class BadReport(ValueError):
    """A report can't be made of these records; the message says why and what to do."""


def fleet_model(
    records: Sequence[Mapping[str, Any]],
    before: Sequence[Mapping[str, Any]] | None = None,
    hosts: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return the model of the page. Hosts stand in the order of severity, then by name.

    ``hosts`` are the names that the page is about (all records by default): one without a record is listed as failed.
    Raises BadReport when there is no host, and for a record of another format.
    """
    now = _by_name(records)
    names = list(dict.fromkeys(hosts)) if hosts is not None else sorted(now)
    if not names:
        raise BadReport("There is no host to report on: run the playbook diagnose with diagnose_output_dir first.")
    earlier = _by_name(before or [])
    models = [host_model(now.get(name) or _missing(name), earlier.get(name)) for name in names]
    models.sort(key=lambda model: (STATES.index(model["state"]), -len(model["verdicts"]), model["name"]))
    for index, model in enumerate(models):
        model["id"] = f"host-{index}"
        model["rank"] = STATES.index(model["state"])
    return {
        "hosts": models,
        "states": _states([model["state"] for model in models]),
        "problems": _problems(models),
        "times": sorted(str(model["time"]) for model in models if model["time"]),
        "before": None if before is None else _before(models, earlier, names),
    }


def _missing(name: str) -> dict[str, Any]:
    return {"format": FORMAT, "host": name, "state": FAILED, "reason": _NO_RECORD, "facts": {}, "verdicts": []}


def _by_name(records: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for record in records:
        name = record.get("host")
        if record.get("format") != FORMAT or not isinstance(name, str):
            raise BadReport(
                f"The record of {name!r} has format {record.get('format')!r}, not {FORMAT}: it is not from this"
                " version of diagnose. Remove it or run diagnose again."
            )
        found[name] = record
    return found


def _states(states: Sequence[str]) -> list[dict[str, Any]]:
    """Return the states that some host is in, with their boxes in a bar of all hosts."""
    count = Counter(states)
    present = [state for state in STATES if count[state]]
    boxes = charts.stack([count[state] for state in present], len(states))
    return [{"state": state, "count": count[state], **box} for state, box in zip(present, boxes)]


def _problems(models: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the codes of all verdicts with the number of hosts that have them, the most frequent first."""
    worst: dict[str, str] = {}
    count: Counter[str] = Counter()
    for model in models:
        for verdict in model["verdicts"]:
            code, severity = verdict["code"], verdict["severity"]
            if STATES.index(severity) < STATES.index(worst.get(code, STATES[-1])):
                worst[code] = severity
        count.update(model["codes"])
    ordered = sorted(count, key=lambda code: (STATES.index(worst[code]), -count[code], code))
    most = max(count.values(), default=1)
    return [
        {
            **{"code": code, "severity": worst[code], "hosts": count[code]},
            **{"width": round(count[code] / most * charts.WIDTH, 2), "words": count_of(count[code], "host")},
        }
        for code in ordered
    ]


def _before(
    models: Sequence[Mapping[str, Any]], earlier: Mapping[str, Mapping[str, Any]], names: Sequence[str]
) -> dict[str, Any]:
    """Return both runs' states and the sums over the hosts that answered in both."""
    both = [model for model in models if model["before"]]
    sums: list[dict[str, float | None]] = [{}, {}]
    for key, _label, unit in NUMBERS:
        rows = [row for model in both for row in model["before"]["rows"] if row["key"] == key]
        pairs = [(row["before"], row["after"]) for row in rows if row["change"] is not None]
        for index, total in enumerate(sums):
            values = [pair[index] for pair in pairs]
            # Shares don't add up: the worst one is told.
            total[key] = (max(values) if unit == "ratio" else sum(values)) if values else None
    return {
        "states": _states([state_of(earlier[name]) for name in names if name in earlier]),
        "rows": differences(sums[0], sums[1]),
        "compared": len(both),
        "not_before": [model["name"] for model in models if model["name"] not in earlier],
        "not_now": sorted(set(earlier) - set(names)),
    }
