# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What the verdicts over PHP-FPM's masters share: whom they name, what cures them, and one verdict for several."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterator

from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import (
    Cure,
    Evidence,
    Facts,
    Verdict,
    entries,
    listed,
    number,
    sub,
)

_MOST_EVIDENCE = 20
SIZE = Cure("Size OPcache of the sites by what they need.", "phpops.webhost.tune", tags=["opcache"])


@dataclass(frozen=True)
class Hit:
    """One master that has a problem: its name, what is said of it, the numbers, and what cures it."""

    name: str
    words: str
    evidence: list[Evidence] = field(default_factory=list)
    cure: Cure = SIZE


def name_of(master: Facts) -> str:
    """Return the name of a master: its site, else its unit."""
    unit = master.get("site") or master.get("unit")
    return str(unit or f"the master {master.get('master_pid')}")


def answered(facts: Facts) -> Iterator[Facts]:
    """Give the masters whose OPcache is known."""
    for master in entries(sub(facts, "phpops_opcache"), "masters"):
        known = master.get("free_bytes") is not None and number(master, "memory_bytes")
        if master.get("reason") is None and known:
            yield master


def cure_by_size(master: Facts, directive: str) -> Cure:
    """Return the role that sizes OPcache for a site of ours, else the directive that is too small."""
    if master.get("site"):
        return SIZE
    return Cure(f"Raise {directive} in the ini that the master starts with, not in a pool, and restart it.")


def fresh_master(facts: Facts, master: Facts) -> Cure:
    """Return what gives a site a new master: its own play for a release, else whatever flips its slot."""
    site = str(master.get("site") or "")
    slots = {str(one.get("name")): one for one in entries(sub(facts, "phpops_slot"), "sites")}
    if site and slots.get(site, {}).get("release"):
        variables: dict[str, Any] = {"deploy_site": {"name": site}}
        return Cure("Give the site a new master, whose cache is empty.", "phpops.webhost.roll", variables)
    if site:
        return SIZE
    return Cure(f"Restart {name_of(master)} at a quiet time, and leave files that change often out of its cache.")


def tell(code: str, severity: str, begin: str, hits: list[Hit]) -> list[Verdict]:
    """Return one verdict for all masters that have a cure in common. ``begin`` is the sentence without its names."""
    found = []
    cures = [hit.cure for hit in hits]
    for place, cure in enumerate(cures):
        if cure in cures[:place]:
            continue
        mine = [hit for hit in hits if hit.cure == cure]
        names = listed([f"{hit.name} ({hit.words})" for hit in mine])
        evidence = [item for hit in mine for item in hit.evidence][:_MOST_EVIDENCE]
        found.append(Verdict(code, severity, f"{begin}: {names}.", evidence, cure))
    return found
