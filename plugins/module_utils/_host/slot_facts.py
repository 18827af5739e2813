# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What slots this host has, without changing anything."""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.lease import is_live
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import NO_SLOTS, SLOTS, Layout, unit_name
from ansible_collections.phpops.webhost.plugins.module_utils._host import (
    lease,
    runtime_files,
    slot_timer,
    systemd,
    web_references,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_store as store
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_master import Master
from ansible_collections.phpops.webhost.plugins.module_utils._host.web_files import CONFIGURATION

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


def _php_files(spec: dict[str, Any], release: Any, seconds: float) -> dict[str, Any] | None:
    """Return the PHP files that the site writes, None where its account is not there, or no time is left."""
    paths = [str(path) for path in ((release or {}).get("path"), spec.get("document_root")) if path]
    lines = runtime_files.blacklist(spec.get("opcache") or {})
    try:
        return runtime_files.look(paths[:1], str(spec.get("user")), spec.get("group"), lines, seconds)
    except KeyError:
        return None


def _site(
    run: systemd.Run, site: str, layout: Layout, enabled: web_references.Trees, php_seconds: float
) -> dict[str, Any]:
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
    found_lines = web_references.findings(enabled, site, layout.pointer(site), release is not None)
    return {
        "name": site,
        "spec": spec,
        "release": release,
        "live_slot": live,
        "lease": held,
        "slots": slots,
        "web_findings": [asdict(line) for line in found_lines],
        "php_files": _php_files(spec, release, php_seconds) if php_seconds > 0 and spec else None,
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


def slot_facts(
    run: systemd.Run, layout: Layout, php_files: bool = False, places: Sequence[str] = CONFIGURATION
) -> dict[str, Any]:
    """Return {available, reason, sites} as slot_facts documents it; never raises for what the host lacks.

    ``php_files`` looks through the sites' code, ``places`` is where the web servers' enabled configuration is.
    """
    if not Path(layout.state).is_dir():
        return {"available": False, "reason": f"{NO_SLOTS} {layout.state} on this host.", "sites": []}
    if not os.access(layout.state, os.R_OK | os.X_OK):
        return {"available": False, "reason": f"{layout.state} can't be read: run the task with become.", "sites": []}
    names = store.sites(layout)
    enabled = web_references.trees(places) if names else web_references.Trees([], [])
    end = time.monotonic() + (runtime_files.MAX_SECONDS_ALL if php_files else 0.0)
    sites = []
    for name in names:
        left = min(runtime_files.MAX_SECONDS, end - time.monotonic())
        sites.append(_site(run, name, layout, enabled, left))
    return {"available": True, "reason": None, "sites": sites}
