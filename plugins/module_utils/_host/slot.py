# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Brings one site to its spec: by a slot flip, or by nothing at all; and takes a site away."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import SiteSpec, build, merge
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import SLOTS
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_store as store
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_base import Settings
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_master import Master
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_prime import prime, script_root, slot_folders
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_steps import Steps
from ansible_collections.phpops.webhost.plugins.module_utils._host.web_files import references

__all__ = ["Settings", "Site"]


class Site(Steps):
    """One run on one site."""

    def present(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Bring the site to the options given; returns the site's result (see the module's RETURN)."""
        stored = self.stored()
        self._keep_release(stored, given)
        spec = build(merge(stored, given))
        if not self.compare(spec, stored):
            return self.finish(self.live)
        if not self.wanted:
            return self.repair(spec)
        steps = {**self.steps(spec), "prime": lambda: self._prime(spec)}
        result = self.execute({name: steps[name] for name in self.names if name in steps}, self.discard)
        return self.finish(self.idle if result.flipped else self.live)

    def _keep_release(self, stored: Mapping[str, Any] | None, given: Mapping[str, Any]) -> None:
        """Refuse to take a site's release away by another document root: that is a deploy's or rollback's to do."""
        root = given.get("document_root")
        if stored and stored.get("release") and root is not None and root != stored.get("document_root"):
            raise StepFailed(
                f"Site {self.name} serves release {stored['release'].get('id')} from {stored.get('document_root')}:"
                f" leave its document_root ({root}) out, or deploy another release."
            )

    def absent(self) -> dict[str, Any]:
        """Remove everything that the site had; StepFailed where a web server still names its files."""
        named = references(f"{self.layout.site_dir(self.name)}/")
        if named:
            raise StepFailed(
                f"Site {self.name} is still named in {', '.join(named[:5])}; take it out of the web server's"
                " configuration first."
            )
        masters = [Master(self.run, self.name, slot, self.layout) for slot in SLOTS]
        active = [master for master in masters if master.active()]
        boots = self.boots()
        paths = store.site_paths(self.name, self.layout)
        self.report.changed = bool(active or boots or paths)
        self.report.diff = [{"before": "".join(f"{path}\n" for path in paths), "after": "", "before_header": self.name}]
        if self.report.changed and not self.settings.check_mode:
            self.remove(boots)
        self.report.live_slot = None
        return self.report.as_dict()

    def _prime(self, spec: SiteSpec) -> dict[str, Any] | None:
        if not self.settings.prime:
            return None
        root = script_root(spec, self.layout.pointer(self.name), references)
        folders, gid = slot_folders(spec, self.idle, self.layout)
        return prime(spec, self.new_master.socket, root, folders=folders, gid=gid)
