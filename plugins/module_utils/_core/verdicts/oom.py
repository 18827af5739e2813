# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Verdicts over what the OOM killer did."""

from __future__ import annotations

from collections import Counter

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
    number,
    section,
    sub,
)

_MOST_NAMES = 3


def oom_kills(facts: Facts, _marks: Thresholds) -> list[Verdict]:
    """Processes were killed for want of memory; critical when systemd ended a whole unit because of one."""
    oom = section(facts, "phpops_oom")
    events = entries(oom, "events")
    if not events:
        return []
    victims = Counter(str(sub(event, "victim").get("comm") or event.get("unit") or "unknown") for event in events)
    names = ", ".join(f"{name} {count}" for name, count in victims.most_common(_MOST_NAMES))
    more = len(victims) - _MOST_NAMES
    names += f", {count_of(more, 'other')}" if more > 0 else ""
    last = next((event["time"] for event in reversed(events) if event.get("time")), None)
    sentence = f"Memory ran out {count_of(len(events), 'time')} and processes were killed ({names})"
    sentence += f", the last time at {last}" if last else ""
    failed = [unit for unit in entries(oom, "units") if unit.get("result") == "oom-kill"]
    evidence = [Evidence("OOM events", len(events), "events")]
    if not failed:
        cure = Cure("Lower pm.max_children or give each site a memory limit of its own, then see who held the memory.")
        return [Verdict("oom_kills", WARNING, f"{sentence}.", evidence, cure)]
    units = ", ".join(str(unit.get("unit")) for unit in failed[:_MOST_NAMES])
    units += ", …" if len(failed) > _MOST_NAMES else ""
    evidence.append(Evidence("units ended", sum(number(unit, "count") for unit in failed), "times"))
    cure = Cure("Let the unit outlive a killed process: OOMPolicy=continue in its [Service] section.")
    return [Verdict("oom_kills", CRITICAL, f"{sentence}; systemd ended {units} because of it.", evidence, cure)]
