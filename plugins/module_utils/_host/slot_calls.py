# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The phases of a deploy as modules call them: each one call under the site's lock, with a result also of a failure."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import entry_points as entry_points_of
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_drain, slot_phases, slot_turn, systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot import Settings, Site
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_run import LAYOUT, on_site

Options = Mapping[str, Any]


def prepare(
    given: Options,
    release: Options | None,
    action: str,
    deploy_id: str | None,
    run: systemd.Run,
    settings: Settings,
    layout: Layout = LAYOUT,
) -> dict[str, Any]:
    """Return what slot_prepare returns for state prepared."""

    def act(site: Site) -> dict[str, Any]:
        return slot_phases.prepare(site, action, given, release)

    result = on_site(str(given["name"]), deploy_id, run, settings, layout, act)
    return _all(result, slot_phases.TOLD, slot_phases.NOTHING)


def discard(
    name: str, deploy_id: str | None, run: systemd.Run, settings: Settings, layout: Layout = LAYOUT
) -> dict[str, Any]:
    """Return what slot_prepare returns for state discarded."""
    result = on_site(name, deploy_id, run, settings, layout, slot_phases.discard)
    return _all(result, slot_phases.TOLD, slot_phases.NOTHING)


def switch(
    name: str,
    deploy_id: str | None,
    check_url: str | None,
    entry_points: Sequence[Options] | None,
    run: systemd.Run,
    settings: Settings,
    layout: Layout = LAYOUT,
) -> dict[str, Any]:
    """Return what slot_switch returns for state switched; entry_points: None for the slot's own."""

    def act(site: Site) -> dict[str, Any]:
        entries = None if entry_points is None else entry_points_of(name, entry_points)
        return slot_turn.Turn(site, check_url).switch(entries)

    return _all(on_site(name, deploy_id, run, settings, layout, act), slot_turn.TOLD, slot_turn.NOTHING)


def back(name: str, deploy_id: str, run: systemd.Run, settings: Settings, layout: Layout = LAYOUT) -> dict[str, Any]:
    """Return what slot_switch returns for state back."""

    def act(site: Site) -> dict[str, Any]:
        return slot_turn.Turn(site, None).back(site.lease_steps)

    return _all(on_site(name, deploy_id, run, settings, layout, act), slot_turn.TOLD, slot_turn.NOTHING)


def drain(
    name: str,
    deploy_id: str | None,
    keep_warm_seconds: float,
    slice_seconds: float,
    carry: Options,
    run: systemd.Run,
    settings: Settings,
    layout: Layout = LAYOUT,
) -> dict[str, Any]:
    """Return what slot_drain returns."""

    def act(site: Site) -> dict[str, Any]:
        return slot_drain.drain(site, keep_warm_seconds, slice_seconds, carry)

    result = on_site(name, deploy_id, run, settings, layout, act)
    finished = {"finished": False} if result["failed"] else {}
    return {**_all(result, slot_drain.TOLD, slot_drain.NOTHING), **finished}


def _all(result: Options, told: Sequence[str], nothing: Options) -> dict[str, Any]:
    """Return a result with every key that its module documents; a call that failed early has a site's report only."""
    return {**nothing, **{key: value for key, value in result.items() if key in nothing or key in told}}
