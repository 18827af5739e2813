# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Verdicts over what the OOM killer did."""

from __future__ import annotations

from collections import Counter

from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_policy import DEFAULT_UNITS, choose
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import (
    CRITICAL,
    WARNING,
    Cure,
    Evidence,
    Facts,
    Thresholds,
    Verdict,
    entries,
    listed,
    number,
    section,
    sub,
)

_MOST_NAMES = 3
_ENDS = ("stop", "kill")
_OUTLIVE = "Let the units outlive a killed process, by OOMPolicy=continue."
_CONTINUE = Cure(_OUTLIVE, "phpops.webhost.tune", tags=["oom_policy"])
_LIMIT = "Lower pm.max_children or give each site a memory limit of its own, then see who held the memory."
_RECYCLE = Cure(
    "Let workers go that grew too large, and give each site a limit by worker_recycle_memory_max_bytes.",
    "phpops.webhost.tune",
    tags=["worker_recycle"],
)


def oom_kills(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """Processes were killed for want of memory; critical when systemd ended a whole unit because of one."""
    oom = section(facts, "phpops_oom")
    events = entries(oom, "events")
    if len(events) < marks.oom_kills:
        return []
    victims = Counter(str(sub(event, "victim").get("comm") or event.get("unit") or "unknown") for event in events)
    names = ", ".join(f"{name} {count}" for name, count in victims.most_common(_MOST_NAMES))
    more = len(victims) - _MOST_NAMES
    names += f", {count_of(more, 'other')}" if more > 0 else ""
    last = next((event["time"] for event in reversed(events) if event.get("time")), None)
    sentence = f"Memory ran out {count_of(len(events), 'time')} and processes were killed ({names})"
    sentence += f", the last time at {last}" if last else ""
    # One that was given OOMPolicy=continue since then would outlive the next kill.
    safe = [unit.get("unit") for unit in _units(facts) if unit.get("oom_policy") == "continue"]
    ended = [unit for unit in entries(oom, "units") if unit.get("result") == "oom-kill"]
    failed = [unit for unit in ended if unit.get("unit") not in safe]
    evidence = [Evidence("OOM events", len(events), "events")]
    if not failed:
        cure = _RECYCLE if any(name.startswith("php") for name in victims) else Cure(_LIMIT)
        return [Verdict("oom_kills", WARNING, f"{sentence}.", evidence, cure)]
    units = ", ".join(str(unit.get("unit")) for unit in failed[:_MOST_NAMES])
    units += ", …" if len(failed) > _MOST_NAMES else ""
    evidence.append(Evidence("units ended", sum(number(unit, "count") for unit in failed), "times"))
    cure = Cure(_OUTLIVE, _CONTINUE.play, _others([str(unit.get("unit")) for unit in failed]), _CONTINUE.tags)
    return [Verdict("oom_kills", CRITICAL, f"{sentence}; systemd ended {units} because of it.", evidence, cure)]


def _others(units: list[str]) -> dict[str, list[str]]:
    """Return the variable that gives the role those services that it does not take by itself."""
    taken, _missing = choose(DEFAULT_UNITS, units)
    others = [unit for unit in units if unit.endswith(".service") and unit not in taken]
    return {"oom_policy_extra_units": others} if others else {}


def _units(facts: Facts) -> list[Facts]:
    """Return the web servers with their OOMPolicy=, where the host honours it."""
    found = section(facts, "phpops_oom_policy")
    return entries(found, "units") if (found or {}).get("honoured") is True else []


def unit_stopped_by_oom_kill(facts: Facts, _marks: Thresholds) -> list[Verdict]:
    """A web server, or a PHP-FPM master, is down since systemd ended it for an OOM kill."""
    units = entries(section(facts, "phpops_oom_policy"), "units")
    down = [str(unit.get("unit")) for unit in units if unit.get("active") is False and unit.get("result") == "oom-kill"]
    if not down:
        return []
    sentence = f"{listed(down)} {'is' if len(down) == 1 else 'are'} down since an OOM kill ended the whole unit."
    cure = Cure(
        f"Start it again (systemctl start {' '.join(down)}), and let units outlive a killed process.",
        _CONTINUE.play,
        tags=_CONTINUE.tags,
    )
    return [Verdict("unit_stopped_by_oom_kill", CRITICAL, sentence, [Evidence("units down", len(down), "units")], cure)]


def unit_ends_with_a_process(facts: Facts, _marks: Thresholds) -> list[Verdict]:
    """systemd would end a whole web server, or all sites of a PHP-FPM master, for one process that is killed."""
    running = [unit for unit in _units(facts) if unit.get("active") is True]
    found = [f"{unit.get('unit')} {unit['oom_policy']}" for unit in running if unit.get("oom_policy") in _ENDS]
    if not found:
        return []
    names, more = ", ".join(found[:_MOST_NAMES]), len(found) - _MOST_NAMES
    names += f", {count_of(more, 'other')}" if more > 0 else ""
    sentence = (
        f"If memory runs out and one process is killed, systemd ends all of the unit with it (OOMPolicy: {names})."
    )
    evidence = [Evidence("units that end with one process", len(found), "units")]
    return [Verdict("unit_ends_with_a_process", WARNING, sentence, evidence, _CONTINUE)]
