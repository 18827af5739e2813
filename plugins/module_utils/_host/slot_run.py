# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Several sites, one after the other."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import NAME, SpecError
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host import systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot import Settings, Site
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_report import Report
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_store import site_lock

LAYOUT = Layout()


def _one(given: Mapping[str, Any], state: str, run: systemd.Run, settings: Settings, layout: Layout) -> dict[str, Any]:
    name = str(given.get("name") or "")
    site = None
    try:
        if not NAME.fullmatch(name):
            raise SpecError(f"Site name {name!r} can't be used: give 1 to 32 characters of a-z, 0-9, _ and -.")
        with nullcontext() if settings.check_mode else site_lock(name, layout):
            site = Site(name, run, settings, layout)
            return site.present(given) if state == "present" else site.absent()
    except (StepFailed, SpecError, OSError) as error:
        report = site.report if site is not None else Report(name)
        cure = " Run the task with become." if isinstance(error, PermissionError) else ""
        said = f"Site {name} could not be changed: {error}.{cure}" if isinstance(error, OSError) else str(error)
        report.changed, report.failed, report.msg, report.step = False, True, said, report.step or "validate"
        report.live_slot = site.live if site is not None else None
        return report.as_dict()


def apply_sites(
    sites: Sequence[Mapping[str, Any]],
    state: str,
    run: systemd.Run,
    settings: Settings,
    stop_on_error: bool = True,
    layout: Layout = LAYOUT,
) -> dict[str, Any]:
    """Bring each site to its spec, or take it away; returns {sites, changed, failed, diff, msg}."""
    results = []
    for given in sites:
        result = _one(given, state, run, settings, layout)
        results.append(result)
        if result["failed"] and stop_on_error:
            break
    failed = [f"{item['name']}: {item['msg']}" for item in results if item["failed"]]
    diff = [entry for item in results for entry in item.pop("diff")]
    return {
        "sites": results,
        "changed": any(item["changed"] for item in results),
        "failed": bool(failed),
        "diff": diff,
        "msg": " ".join(failed) or " ".join(item["msg"] for item in results if item["msg"]),
    }
