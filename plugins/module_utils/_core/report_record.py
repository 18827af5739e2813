# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What a diagnosis keeps of a host on the controller: its numbers and verdicts, not what sites keep secret."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.report_fleet import FORMAT
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import Facts, entries, sub

ANSWERED = "answered"
_WHOLE = (
    *("phpops_beancounters", "phpops_slab", "phpops_shm", "phpops_oom_policy"),
    "budget",
)
# Not the environment, ini values and wrappers: passwords stand in them.
_SITE = ("name", "site", "names", "document_root", "user", "group", "migratable", "reasons", "shm_errors")
_SLOT_SITE = ("name", "live_slot", "slots", "release", "reason")


def record(
    host: str,
    state: str,
    time: str,
    facts: Facts | None = None,
    verdicts: Sequence[Mapping[str, Any]] = (),
    reason: str | None = None,
) -> dict[str, Any]:
    """Return the record of one host as JSON takes it.

    ``state`` is answered, unreachable or failed; ``time`` is ISO 8601 in UTC.
    """
    return {
        **{"format": FORMAT, "host": host, "state": state, "time": time, "reason": reason},
        "facts": _kept(facts or {}),
        "verdicts": [dict(verdict) for verdict in verdicts],
    }


def _kept(facts: Facts) -> dict[str, Any]:
    kept = {name: facts[name] for name in _WHOLE if name in facts}
    if "phpops_opcache" in facts:
        found = sub(facts, "phpops_opcache")
        kept["phpops_opcache"] = {**found, "masters": [_master(master) for master in entries(found, "masters")]}
    if "phpops_oom" in facts:
        oom = dict(sub(facts, "phpops_oom"))
        # A table of all processes for each kill is long, and by_command has its sums.
        oom["events"] = [{key: event[key] for key in event if key != "processes"} for event in entries(oom, "events")]
        kept["phpops_oom"] = oom
    if "phpops_php_sites" in facts:
        found = sub(facts, "phpops_php_sites")
        sites = [
            {**_some(site, _SITE), "php": _some(sub(site, "php"), ("method", "version"))}
            for site in entries(found, "sites")
        ]
        kept["phpops_php_sites"] = {**_some(found, ("available", "reason", "apache")), "sites": sites}
    if "phpops_slot" in facts:
        found = sub(facts, "phpops_slot")
        sites = [_some(site, _SLOT_SITE) for site in entries(found, "sites")]
        kept["phpops_slot"] = {**_some(found, ("available", "reason")), "sites": sites}
    return kept


def _master(master: Facts) -> dict[str, Any]:
    """Return a master without the lists of its workers, which are long and have their sums beside them."""
    kept = dict(master)
    if "fpm" in master:
        kept["fpm"] = _without_workers(master)
    if "pools" in master:
        kept["pools"] = [{**pool, "fpm": _without_workers(pool)} for pool in entries(master, "pools")]
    return kept


def _without_workers(owner: Facts) -> dict[str, Any]:
    fpm = sub(owner, "fpm")
    return {key: fpm[key] for key in fpm if key != "memory_by_worker"}


def _some(facts: Facts, keys: Sequence[str]) -> dict[str, Any]:
    return {key: facts[key] for key in keys if key in facts}
