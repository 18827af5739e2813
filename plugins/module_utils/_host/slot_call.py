# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""One module call on one site: under its lock and lease, with a result whatever happens."""

from __future__ import annotations

from typing import Any, Callable, Mapping, Sequence, TypeVar

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import NAME, SpecError
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host import lease, systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_base import Settings, Slots
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_report import Report

LAYOUT = Layout()
Slot = TypeVar("Slot", bound=Slots)


def on_site(
    name: str,
    deploy_id: str | None,
    run: systemd.Run,
    settings: Settings,
    layout: Layout,
    kind: type[Slot],
    act: Callable[[Slot], dict[str, Any]],
) -> dict[str, Any]:
    """Let ``act`` do its work on a site, as the class ``kind``, while nobody else may.

    What can't be done is told in the result. Without a deploy_id no deploy may hold the site.
    """
    site = None
    try:
        if not NAME.fullmatch(name):
            raise SpecError(f"Site name {name!r} can't be used: give 1 to 32 characters of a-z, 0-9, _ and -.")
        with lease.hold(name, deploy_id, layout, check_mode=settings.check_mode) as held:
            site = kind(name, run, settings, layout, held.step)
            site.lease_steps = held.lease.steps if held.lease is not None else ()
            return act(site)
    except (StepFailed, SpecError, OSError) as error:
        report = site.report if site is not None else Report(name)
        cure = " Run the task with become." if isinstance(error, PermissionError) else ""
        said = f"Site {name} could not be changed: {error}.{cure}" if isinstance(error, OSError) else str(error)
        report.changed, report.failed, report.msg, report.step = False, True, said, report.step or "validate"
        report.live_slot = site.live if site is not None else None
        return report.as_dict()


def whole(result: Mapping[str, Any], told: Sequence[str], nothing: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result with every key that its module documents; a call that failed early has a site's report only."""
    return {**nothing, **{key: value for key, value in result.items() if key in nothing or key in told}}
