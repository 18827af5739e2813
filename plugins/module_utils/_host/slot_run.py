# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Runs site_slot's work on one site after the other."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host import systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot import Settings, Site
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_call import LAYOUT, on_site


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

        result = on_site(str(given.get("name") or ""), None, run, settings, layout, Site, act)
        results.append(result)
        if result["failed"] and stop_on_error:
            break
    return together(results)


def together(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a module's result for those of its sites; their differences move into one list."""
    failed = [f"{item['name']}: {item['msg']}" for item in results if item["failed"]]
    diff = [entry for item in results for entry in item.pop("diff")]
    return {
        "sites": results,
        "changed": any(item["changed"] for item in results),
        "failed": bool(failed),
        "diff": diff,
        "msg": " ".join(failed) or " ".join(item["msg"] for item in results if item["msg"]),
    }
