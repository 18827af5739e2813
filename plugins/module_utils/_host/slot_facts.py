# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What slots this host has, without changing anything."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.lease import is_live
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import SLOTS, Layout, unit_name
from ansible_collections.phpops.webhost.plugins.module_utils._host import lease, slot_timer, systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_store as store
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_master import Master

_ACTIVE = ("active", "reloading")


def _slot(run: systemd.Run, site: str, slot: str, layout: Layout) -> dict[str, Any]:
    master = Master(run, site, slot, layout)
    state = systemd.show(run, master.unit, ["ActiveState", "MainPID"])
    active, pid = state["ActiveState"] in _ACTIVE, int(state["MainPID"] or 0)
    return {
        "unit": master.unit,
        "active": active,
        "master_pid": pid or None,
        "socket": master.socket,
        "segment_bytes": master.segment_bytes() if pid else None,
        "document_root": store.read_link(f"{layout.slot_dir(site, slot)}/docroot"),
        "release": store.read_link(f"{layout.slot_dir(site, slot)}/release"),
        "warm": active and slot_timer.WARM in slot_timer.marks(run, site, slot),
    }


def _lease(site: str, layout: Layout) -> dict[str, Any] | None:
    """Return the lease that is in force, None for none. StepFailed for one that can't be read."""
    found = lease.read(site, layout)
    return asdict(found) if found is not None and is_live(found, lease.clock()) else None


def _site(run: systemd.Run, site: str, layout: Layout) -> dict[str, Any]:
    live, spec, held, reason = None, None, None, None
    try:
        live = store.live_slot(site, layout)
        spec = store.read_stored(site, live, layout) if live else None
        held = _lease(site, layout)
    except StepFailed as error:
        reason = str(error)
    if spec is not None:
        # Secrets stay on the host: the names are told, the values are not.
        spec["environment"] = dict.fromkeys(spec.get("environment") or {}, None)
        for entry in spec.get("entry_points") or []:
            entry["headers"] = dict.fromkeys(entry.get("headers") or {}, None)
    slots = {}
    for slot in SLOTS:
        try:
            slots[slot] = _slot(run, site, slot, layout)
        except (systemd.SystemctlError, OSError) as error:
            reason = reason or f"systemd can't be asked: {error}."
    # No option of site_slot.
    release = (spec or {}).pop("release", None)
    return {
        "name": site,
        "spec": spec,
        "release": release,
        "live_slot": live,
        "lease": held,
        "slots": slots,
        "reason": reason,
    }


def slot_states(run: systemd.Run, layout: Layout) -> list[dict[str, Any]]:
    """Return of each site {name, live_slot, lease, slots: {slot: {active}}, reason}, with one question to systemd.

    ``active`` is None where systemd doesn't tell; then ``reason`` says why. systemd isn't asked for a slot that was
    never made: it would write into its log each time that such a unit has no ExecStart=.
    """
    names = store.sites(layout)
    made = [(site, slot) for site in names for slot in SLOTS if Path(layout.drop_in(site, slot)).exists()]
    units = {(site, slot): unit_name(site, slot) for site, slot in made}
    states: dict[str, dict[str, str]] = {}
    refused = None
    try:
        states = systemd.show_all(run, list(units.values()), ["ActiveState"]) if units else {}
    except systemd.SystemctlError as error:
        refused = f"systemd can't be asked: {error}."
    return [_state(site, units, states, refused, layout) for site in names]


def _state(
    site: str,
    units: Mapping[tuple[str, str], str],
    states: Mapping[str, Mapping[str, str]],
    reason: str | None,
    layout: Layout,
) -> dict[str, Any]:
    live, held = None, None
    try:
        live = store.live_slot(site, layout)
        held = _lease(site, layout)
    except StepFailed as error:
        reason = str(error)
    active: dict[str, bool | None] = dict.fromkeys(SLOTS, False)
    for slot in SLOTS:
        if (site, slot) in units:
            active[slot] = states[units[site, slot]]["ActiveState"] in _ACTIVE if states else None
    slots = {slot: {"active": active[slot]} for slot in SLOTS}
    return {"name": site, "live_slot": live, "lease": held, "slots": slots, "reason": reason}


def slot_facts(run: systemd.Run, layout: Layout) -> dict[str, Any]:
    """Return {available, reason, sites} as slot_facts documents it; never raises for what the host lacks."""
    if not Path(layout.state).is_dir():
        return {"available": False, "reason": f"There is no folder {layout.state} on this host.", "sites": []}
    if not os.access(layout.state, os.R_OK | os.X_OK):
        return {"available": False, "reason": f"{layout.state} can't be read: run the task with become.", "sites": []}
    return {"available": True, "reason": None, "sites": [_site(run, site, layout) for site in store.sites(layout)]}
