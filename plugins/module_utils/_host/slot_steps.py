# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What a site's idle slot becomes: what differs, what the host lacks for it, and the steps that bring it up."""

from __future__ import annotations

import pwd
from pathlib import Path
from typing import Any, Callable, Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core import flip
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import (
    SiteSpec,
    SpecError,
    build,
    differences,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import (
    File,
    Layout,
    needrestart_conf,
    render,
    template_units,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.support import no_php
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_store as store
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_timer, systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_base import Settings, Slots
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_budget import Budget
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_master import Master
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_report import file_diffs
from ansible_collections.phpops.webhost.plugins.module_utils._host.web_files import SERVER_ROOTS
from ansible_collections.phpops.webhost.plugins.module_utils._host.web_references import rewritten, spoilers


class Steps(Slots):
    """One run that brings a site to a spec."""

    def __init__(
        self,
        name: str,
        run: systemd.Run,
        settings: Settings,
        layout: Layout,
        on_step: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(name, run, settings, layout, on_step)
        # What compare() finds out.
        self.names: list[str] = []
        self.wanted = self.only_stored = self.orphan = False
        self.new_pid: int | None = None
        self._new_unit = True
        self.budget = Budget(run, settings.budget_override, layout)

    def steps(self, spec: SiteSpec) -> dict[str, Callable[[], Any]]:
        """Return all steps of a flip to the idle slot but those that ask for pages."""
        return {
            "retire": self.retire,
            "stage": lambda: self._stage(spec),
            "budget": lambda: self._claim(spec),
            "check": lambda: self.new_master.check_configuration(spec, self._new_unit),
            "start": self._start,
            "ready": lambda: self.new_master.wait_until_it_answers(self.settings.start_timeout_seconds),
            **self.switching(spec.process_manager.max_children),
            **self.draining(),
        }

    def give_back(self) -> None:
        super().give_back()
        self.budget.release()

    # What differs

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

    # What the host has and lacks

    def shared_changes(self) -> dict[str, File]:
        """Return the files of all sites that are missing or differ, by path."""
        files = {**template_units(self.layout), **needrestart_conf(self.layout)}
        return {path: file for path, file in files.items() if store.read_file(path) != file.text}

    def write_shared(self) -> None:
        """Write the files of all sites; systemd reads its units anew when one of them changed."""
        changed = self.shared_changes()
        for folder in {str(Path(path).parent) for path in changed}:
            Path(folder).mkdir(mode=0o755, parents=True, exist_ok=True)
        store.write_files(changed, -1)
        if any(path in changed for path in template_units(self.layout)):
            systemd.daemon_reload(self.run)

    def settled(self) -> bool:
        """Return whether the live slot starts at boot and its spec can be found."""
        return self.boots() and store.read_link(self.layout.stored_spec(self.name)) == self._spec_target()

    def missing(self, spec: SiteSpec) -> list[str]:
        """Return what the host lacks for this site, a sentence each."""
        missing = []
        try:
            pwd.getpwnam(spec.user)
        except KeyError:
            missing.append(f"Site {self.name}: the user {spec.user} does not exist on this host; create it first.")
        for group in (spec.group, spec.web_group):
            try:
                store.group_id(group)
            except StepFailed as error:
                missing.append(f"Site {self.name}: {error}")
        if not Path(f"/usr/sbin/php-fpm{spec.php_version}").exists():
            missing.append(no_php(self.name, spec.php_version))
        # In check mode a release may be one that was not built.
        not_built = self.settings.check_mode and spec.release is not None and not Path(spec.release.path).exists()
        if not Path(spec.document_root).is_dir() and not not_built:
            missing.append(f"Site {self.name}: document_root {spec.document_root} is no folder of this host.")
        if spec.php_ini and not Path(spec.php_ini).is_file():
            missing.append(f"Site {self.name}: php_ini {spec.php_ini} is no file of this host.")
        return missing

    def spoiled(self, release: bool) -> list[str]:
        """Return what a flip, or one to a release, can't bear, a sentence each: web servers' lines, hidden queues."""
        root = SERVER_ROOTS.get(self.settings.web_server)
        anew = rewritten(self.name, root) if root else frozenset()
        found = spoilers(self.name, self.layout.pointer(self.name), release, but=anew)
        said = [f"Site {self.name} is not touched, because of {item}." for item in found]
        if self.old_master is not None:
            try:
                self.old_master.prove_that_queues_show()
            except StepFailed as error:
                said.append(f"Site {self.name} is not touched: {error}")
        return said

    def lacks_memory(self, spec: SiteSpec) -> list[str]:
        """Return that there is no room for the master that is to start, before any is stopped for it."""
        slot = self.idle if self.wanted else self.live or self.idle
        ending = [self.new_master.unit] if self.wanted else []
        if self.wanted and self.settings.classic and self.old_master is not None:
            ending.append(self.old_master.unit)
        try:
            said = self.budget.foresee(spec, slot, ending)
        except StepFailed as error:
            said = str(error)
        return [said] if said else []

    # The steps

    def _stage(self, spec: SiteSpec) -> None:
        new = store.stage(self.name, self.idle, render(spec, self.idle, self.layout), spec.group, self.layout)
        known = self.state(self.new_master.unit)
        drop_in = self.layout.drop_in(self.name, self.idle)
        # A run that was killed before systemd read the unit again leaves it as it should be, and unread.
        self._new_unit = new or known["NeedDaemonReload"] == "yes" or drop_in not in known["DropInPaths"].split()

    def _claim(self, spec: SiteSpec) -> dict[str, Any]:
        if self.settings.classic:
            self._drain()
            self._stop_old()
        return self.budget.claim(spec, self.idle)

    def _start(self) -> None:
        # Before its start: whatever happens to this run, a slot that nobody switches to ends.
        slot_timer.arm(self.run, self.name, self.idle, slot_timer.PREPARED_SECONDS, [slot_timer.PREPARED], self.layout)
        failed = self.state(self.new_master.unit)["ActiveState"] == "failed"
        self.new_pid = self.new_master.start(self.settings.start_timeout_seconds, failed)

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
