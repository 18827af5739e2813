# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The last phase of a deploy: the slot that was live ends when it has nothing left to do, or is kept warm."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import DRAINING, StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_timer, systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_base import Settings, Slots
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_call import LAYOUT, on_site, whole

# What slot_drain returns: of the site's report, and beside it.
TOLD = ("changed", "failed", "msg")
NOTHING: dict[str, Any] = {
    "changed": False,
    "failed": False,
    "finished": True,
    "stopped": False,
    "warm_seconds": 0,
    "seconds": 0.0,
    "queue": 0,
    "active": 0,
    "stuck": [],
    "killed": [],
    "pending": False,
    "progress": "",
    "carry": {},
    "msg": "",
}


def _drain(site: Slots, keep_warm_seconds: float, slice_seconds: float, carry: Mapping[str, Any]) -> dict[str, Any]:
    """Drain the slot that is not live, and end it.

    With slice_seconds the call returns after that time, ``pending``, and goes on when it gets ``carry`` back. Raises
    StepFailed where the slot can't be asked.
    """
    old = site.new_master
    if site.live is None and not site.settings.check_mode:
        raise StepFailed(f"Site {site.name} is not on this host.")
    marks = site.marks()
    if slot_timer.PREPARED in marks:
        return {**NOTHING, "msg": f"Slot {old.slot} of site {site.name} waits for a switch and is not drained."}
    if not site.up(old) or (slot_timer.WARM in marks and keep_warm_seconds > 0):
        return dict(NOTHING)
    if site.settings.check_mode:
        stops = keep_warm_seconds <= 0
        return {**NOTHING, "changed": True, "stopped": stops, "warm_seconds": 0 if stops else keep_warm_seconds}
    spent = float(carry.get("seconds") or 0.0)
    looked: dict[str, Any] = {"finished": True, "seconds": 0.0, "queue": 0, "active": 0, "stuck": [], "killed": []}
    if site.on_step is not None and not carry:
        site.on_step(DRAINING[0])
    if site.ready(old):
        left = max(0.0, site.settings.drain_timeout_seconds - spent)
        last = slice_seconds <= 0 or slice_seconds >= left
        looked = old.drain(left if last else slice_seconds, site.settings.kill_stuck and last)
        looked["seconds"] = round(spent + looked["seconds"], 3)
        if not looked["finished"] and not last:
            return {**NOTHING, **looked, "pending": True, "progress": _progress(site, looked), "carry": _carry(looked)}
    found = {**NOTHING, **looked}
    if not looked["finished"]:
        return {**found, "changed": bool(looked["killed"]), "msg": site.report.still_busy(old.slot, looked)}
    return {**found, **_end(site, keep_warm_seconds)}


def _carry(looked: Mapping[str, Any]) -> dict[str, Any]:
    return {"seconds": looked["seconds"]}


def _progress(site: Slots, looked: Mapping[str, Any]) -> str:
    workers = ", ".join(f"{item['script']} for {item['seconds']:g} s" for item in looked["stuck"][:3])
    return (
        f"{site.name}: draining slot {site.idle} for {looked['seconds']:.0f} s, {looked['queue']} queued,"
        f" {looked['active']} active{f' ({workers})' if workers else ''}"
    )


def _end(site: Slots, keep_warm_seconds: float) -> dict[str, Any]:
    """Stop the drained slot, or let systemd do it later."""
    if site.on_step is not None:
        site.on_step(DRAINING[1])
    site.disarm([site.idle])
    if keep_warm_seconds > 0 and systemd.is_active(site.run, site.new_master.unit):
        slot_timer.arm(site.run, site.name, site.idle, keep_warm_seconds, [slot_timer.WARM], site.layout)
        return {"changed": True, "warm_seconds": keep_warm_seconds}
    site.new_master.stop()
    return {"changed": True, "stopped": True}


def drain(
    name: str,
    deploy_id: str | None,
    keep_warm_seconds: float,
    slice_seconds: float,
    carry: Mapping[str, Any],
    run: systemd.Run,
    settings: Settings,
    layout: Layout = LAYOUT,
) -> dict[str, Any]:
    """Return what slot_drain returns."""

    def act(site: Slots) -> dict[str, Any]:
        return _drain(site, keep_warm_seconds, slice_seconds, carry)

    result = on_site(name, deploy_id, run, settings, layout, Slots, act)
    finished = {"finished": False} if result["failed"] else {}
    return {**whole(result, TOLD, NOTHING), **finished}
