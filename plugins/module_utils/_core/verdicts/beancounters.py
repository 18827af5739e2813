# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Verdicts over OpenVZ's beancounters."""

from __future__ import annotations

from typing import Iterator

from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of, human_bytes, human_percent
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import cures
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import (
    CRITICAL,
    WARNING,
    Cure,
    Evidence,
    Facts,
    Thresholds,
    Verdict,
    entries,
    number,
    ratio,
    section,
    sub,
)

_SMALLER = Cure("Give the sites smaller OPcache segments, or raise shmpages.", "phpops.webhost.tune", tags=["opcache"])


def _amount(row: Facts, column: str) -> str:
    in_bytes = row.get(f"{column}_bytes")
    return str(row.get(column)) if in_bytes is None else human_bytes(int(in_bytes))


def _evidence(name: str, row: Facts) -> list[Evidence]:
    columns = ("held", "maxheld", "barrier", "limit")
    unit = "items" if row.get("unit") == "items" else "bytes"
    suffix = "" if unit == "items" else "_bytes"
    found = [
        Evidence(f"{name} {column}", row[column + suffix], unit)
        for column in columns
        if row.get(column + suffix) is not None
    ]
    delta = row.get("failcnt_delta")
    found.append(Evidence(f"{name} failcnt", number(row, "failcnt"), "failures"))
    return found if delta is None else [*found, Evidence(f"{name} failcnt since the last run", delta, "failures")]


def _sentence(container: str, name: str, row: Facts) -> str:
    parts = []
    column = row.get("ceiling")
    if column and row.get("used_ratio") is not None:
        share = human_percent(ratio(row, "used_ratio"))
        parts.append(
            f"{name}{container} holds {_amount(row, 'held')}, {share} of its {column} of {_amount(row, column)}"
        )
    elif row.get("held") is not None:
        parts.append(f"{name}{container} holds {_amount(row, 'held')}")
    else:
        parts.append(f"{name}{container}")
    failed = number(row, "failcnt")
    if failed:
        what = (
            count_of(failed, "process was killed", "processes were killed")
            if name == "oomguarpages"
            else (count_of(failed, "request was refused", "requests were refused"))
        )
        delta = row.get("failcnt_delta")
        parts.append(what + ("" if delta is None else f", {delta} of them since the last run"))
    return "; ".join(parts) + "."


def _rows(facts: Facts) -> Iterator[tuple[str, str, Facts]]:
    """Yield (words that name the container, resource, row); a single container needs no name."""
    containers = sub(section(facts, "phpops_beancounters"), "containers")
    for container in containers:
        words = f" of container {container}" if len(containers) > 1 else ""
        resources = sub(sub(containers, container), "resources")
        for name in resources:
            yield words, name, sub(resources, name)


def _severity_of_failures(row: Facts) -> str:
    """Failures of long ago are a warning; without an earlier run nobody knows how old they are."""
    return WARNING if row.get("failcnt_delta") == 0 else CRITICAL


def shmpages(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """Shared memory was refused, or is held to near_limit of what the container may have."""
    groups = entries(section(facts, "phpops_shm"), "groups")
    many = any(group.get("kind") == "php-cgi" and number(group, "processes") for group in groups)
    cure = cures.migrate(facts) if many or not groups else _SMALLER
    found = []
    for words, name, row in _rows(facts):
        if name != "shmpages":
            continue
        sentence, evidence = _sentence(words, name, row), _evidence(name, row)
        if number(row, "failcnt"):
            found.append(Verdict("shmpages_failing", _severity_of_failures(row), sentence, evidence, cure))
        elif ratio(row, "used_ratio") >= marks.near_limit:
            found.append(Verdict("shmpages_near_limit", WARNING, sentence, evidence, cure))
    return found


def beancounter_failed(facts: Facts, _marks: Thresholds) -> list[Verdict]:
    """Another resource than shmpages was refused."""
    found = []
    for words, name, row in _rows(facts):
        if name != "shmpages" and number(row, "failcnt"):
            severity = _severity_of_failures(row) if name == "oomguarpages" else WARNING
            cure = Cure(f"Raise {name} on the node, or let the container use less of it.")
            found.append(
                Verdict("beancounter_failed", severity, _sentence(words, name, row), _evidence(name, row), cure)
            )
    return found


def beancounter_near_limit(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """Another resource than shmpages never failed yet, but is held to near_limit of its ceiling."""
    found = []
    for words, name, row in _rows(facts):
        if name != "shmpages" and not number(row, "failcnt") and ratio(row, "used_ratio") >= marks.near_limit:
            cure = Cure(f"Raise {name} on the node before it fails, or let the container use less of it.")
            found.append(
                Verdict("beancounter_near_limit", WARNING, _sentence(words, name, row), _evidence(name, row), cure)
            )
    return found
