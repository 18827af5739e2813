# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Brings one site to its spec: by a slot flip, or by nothing at all; and takes a site away."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core import flip
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import (
    SiteSpec,
    SpecError,
    build,
    differences,
    merge,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import SLOTS, boot_unit_name, render
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_store as store
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_timer, systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_master import Master
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_report import file_diffs
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_steps import Settings, Steps
from ansible_collections.phpops.webhost.plugins.module_utils._host.web_references import references

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
        result = self.execute(self.names, spec, self.discard)
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

    def remove(self, boots: bool) -> None:
        """Stop both slots and remove all that the site has."""
        try:
            slot_timer.disarm(self.run, self.name, SLOTS)
            if boots:
                systemd.disable(self.run, boot_unit_name(self.name))
            systemd.stop(self.run, boot_unit_name(self.name))
            for slot in SLOTS:
                Master(self.run, self.name, slot, self.layout).stop()
            store.remove_site(self.name, self.layout)
            systemd.daemon_reload(self.run)
        except (systemd.SystemctlError, OSError) as error:
            raise StepFailed(f"Site {self.name} could not be removed: {error}.") from error

    # What differs

    def stored(self) -> dict[str, Any] | None:
        """Return the options that the live slot was made from."""
        return store.read_stored(self.name, self.live, self.layout) if self.live else None

    def compare(self, spec: SiteSpec, stored: Mapping[str, Any] | None) -> bool:
        """Note in the report what differs; return whether to go on: not in check mode.

        StepFailed says what the host lacks, before anything is touched. self.wanted: a new master is needed.
        self.names: the steps to do.
        """
        self.report.reasons = self._reasons(spec, stored)
        self.only_stored = self.live is not None and bool(store.differing(render(spec, self.live, self.layout)))
        self.wanted = bool(self.report.reasons) or self.settings.force
        self.names = flip.plan(self.live, self.up(self.old_master), self.wanted)
        shared = self.shared_changes()
        before = render(spec, self.live or self.idle, self.layout)
        after = render(spec, self.idle if self.wanted else self.live or self.idle, self.layout)
        self.report.diff = file_diffs(shared, before if self.wanted or self.only_stored else None, after, self.live)
        self.orphan = not self.wanted and self.up(self.new_master) and slot_timer.WARM not in self.marks()
        self.report.changed = bool(
            self.names or shared or self.only_stored or self.orphan or not self.settled() or self.live is None
        )
        missing = self.missing(spec)
        # What PHP will reserve can't be asked of a host without that PHP or that user.
        memory = self.lacks_memory(spec) if not missing and flip.BUDGET in self.names else []
        missing += (self.spoiled(spec.release is not None) if self.wanted else []) + memory
        if self.settings.check_mode:
            self.report.missing = missing
            return False
        if missing:
            self.report.step = flip.BUDGET if missing == memory else ""
            raise StepFailed(" ".join(missing))
        if self.names or shared:
            self.write_shared()
        return True

    def _reasons(self, spec: SiteSpec, stored: Mapping[str, Any] | None) -> list[str]:
        """Return why the live slot is not what it should be, in words."""
        if self.live is None:
            return ["the site is new"]
        if stored is None:
            return [f"slot {self.live} has no stored spec"]
        try:
            reasons = differences(build(stored), spec)
        except SpecError as error:
            return [f"what was stored can't be used any more: {error}"]
        if reasons:
            return reasons
        wrong = store.differing(render(spec, self.live, self.layout), ignore=("site.json",))
        return [f"{path} is not as it was written" for path in wrong]

    # What is done without a flip

    def repair(self, spec: SiteSpec) -> dict[str, Any]:
        """The live slot is as it should be: write its stored spec, start it when it is down, end an old slot."""
        live = self.live or self.idle
        if self.only_stored:
            rendering = render(spec, live, self.layout)
            store.write_files({path: file for path, file in rendering.files.items() if path.endswith("/site.json")}, -1)
        master = self.old_master or self.new_master
        if self.names:
            steps = {
                "check": lambda: master.check_configuration(spec),
                "budget": lambda: self.budget.claim(spec, live),
                "start": lambda: master.start(self.settings.start_timeout_seconds),
                "ready": lambda: master.wait_until_it_answers(self.settings.start_timeout_seconds),
            }
            result = flip.execute(steps, lambda: None, self.on_step)
            self.budget.release()
            self.report.take(result)
            self.report.reasons = [f"the master of the live slot {live} was not running"]
        if self.report.changed:
            self.boot()
        if self.orphan and not self.report.failed:
            # What an interrupted run left: it is ended, or named when it still has work.
            self.retire(fail=False)
        return self.finish(live)

    def finish(self, live: str | None) -> dict[str, Any]:
        """Return the report, with what the live slot is now."""
        self.report.live_slot = live
        if live is not None:
            master = Master(self.run, self.name, live, self.layout)
            self.report.unit, self.report.socket = master.unit, self.layout.live_socket(self.name)
            pid = self.report.master_pid = master.pid() or None
            self.report.segment_bytes = master.segment_bytes(pid) if pid else None
        return self.report.as_dict()
