# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""One call on one site, under its lock and lease; and several sites, one after the other."""

from __future__ import annotations

from typing import Any, Callable, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import NAME, SpecError
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host import lease, systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot import Settings, Site
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_report import Report

LAYOUT = Layout()


def on_site(
    name: str,
    deploy_id: str | None,
    run: systemd.Run,
    settings: Settings,
    layout: Layout,
    act: Callable[[Site], dict[str, Any]],
) -> dict[str, Any]:
    """Let ``act`` do its work on a site while nobody else may; what can't be done is told in the result.

    Without a deploy_id no deploy may hold the site.
    """
    site = None
    try:
        if not NAME.fullmatch(name):
            raise SpecError(f"Site name {name!r} can't be used: give 1 to 32 characters of a-z, 0-9, _ and -.")
        with lease.hold(name, deploy_id, layout, check_mode=settings.check_mode) as held:
            site = Site(name, run, settings, layout, held.step)
            site.lease_steps = held.lease.steps if held.lease is not None else ()
            return act(site)
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

        def act(site: Site, given: Mapping[str, Any] = given) -> dict[str, Any]:
            return site.present(given) if state == "present" else site.absent()

        result = on_site(str(given.get("name") or ""), None, run, settings, layout, act)
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
