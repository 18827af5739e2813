# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The host's budget, before a second master of a site starts."""

from __future__ import annotations

from typing import Any, Collection

from ansible_collections.phpops.webhost.plugins.module_utils._core import opcache_settings
from ansible_collections.phpops.webhost.plugins.module_utils._core.budget import PlannedSite
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.phpinfo import directives
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import SiteSpec
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout, opcache_ini, unit_name
from ansible_collections.phpops.webhost.plugins.module_utils._host import reservation, systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_master import php_fpm


def planned(run: systemd.Run, spec: SiteSpec, layout: Layout) -> PlannedSite:
    """Return what the site's new master will reserve.

    PHP itself tells the directives that all sites have; those of the site's own files, which come last, go over them,
    so the files need not be there. StepFailed when PHP can't be asked. OPcache is switched off for the question: asking
    reserves no segment.
    """
    status, out, err = run([*php_fpm(spec, None, layout), "--define", "opcache.enable=0", "--info"])
    if status != 0:
        said = (err + out).strip().splitlines()
        raise StepFailed(f"php-fpm{spec.php_version} can't read its ini files: {said[0] if said else status}")
    found = {**directives(out, "opcache."), "opcache.enable": "1"}
    for name, value in [*spec.ini.items(), *opcache_ini(spec).items()]:
        if name.startswith("opcache."):
            found[name] = value[-1] if isinstance(value, list) else value
    reserved = opcache_settings.segment_bytes(found, spec.php_version)
    jit = min(opcache_settings.jit_bytes(found, spec.php_version), reserved)
    return PlannedSite(
        name=spec.name,
        segment_bytes=reserved - jit,
        jit_bytes=jit,
        max_children=spec.process_manager.max_children,
        user=spec.user,
        php_version=spec.php_version,
    )


class Budget:
    """The memory of one master that is to start: foreseen, then reserved from before its start until it runs."""

    def __init__(self, run: systemd.Run, override: bool, layout: Layout) -> None:
        self.run, self.override, self.layout = run, override, layout
        self._site: PlannedSite | None = None
        self._claim: reservation.Claim | None = None

    def foresee(self, spec: SiteSpec, slot: str, ending: Collection[str] = ()) -> str:
        """Return the sum and the ways out when there won't be room, "" when there will; nothing is touched.

        ending: units whose masters end before this one starts. StepFailed when PHP can't be asked.
        """
        self._site = planned(self.run, spec, self.layout)
        if self.override:
            return ""
        verdict = reservation.foresee(self._site, unit_name(spec.name, slot), ending)
        return "" if verdict.fits else verdict.message

    def claim(self, spec: SiteSpec, slot: str) -> dict[str, Any]:
        """Reserve the master's memory; StepFailed holds the sum and the ways out when it doesn't fit."""
        site = self._site or planned(self.run, spec, self.layout)
        try:
            self._claim = reservation.claim(site, unit_name(spec.name, slot), override=self.override)
        except (reservation.DoesNotFit, reservation.BudgetBusy) as error:
            raise StepFailed(str(error)) from error
        except OSError as error:
            raise StepFailed(f"The budget could not be reserved: {error}.") from error
        verdict = self._claim.verdict
        return {
            "fits": verdict.fits,
            "segment_bytes": site.segment_bytes,
            "jit_bytes": site.jit_bytes,
            "short_bytes": verdict.short_bytes,
            "headroom_bytes": verdict.headroom_bytes,
            "message": verdict.message,
        }

    def release(self) -> None:
        """Give the reservation back."""
        if self._claim is not None:
            reservation.release(self._claim)
            self._claim = None
