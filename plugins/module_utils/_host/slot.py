# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Brings one site to its spec: by a slot flip, or by nothing at all; and takes a site away."""

from __future__ import annotations

import pwd
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core import flip
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import (
    SiteSpec,
    SpecError,
    build,
    differences,
    merge,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import (
    SLOTS,
    Layout,
    boot_unit_name,
    other,
    render,
    template_units,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_store as store
from ansible_collections.phpops.webhost.plugins.module_utils._host import systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import replace_symlink
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_budget import Budget
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_master import Master
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_prime import prime
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_report import Report, file_diffs
from ansible_collections.phpops.webhost.plugins.module_utils._host.web_references import references, spoilers

# A dynamic pool forks one worker a second at first: more than this is not waited for.
WORKERS_SECONDS = 20.0


@dataclass(frozen=True)
class Settings:
    """How a flip is done."""

    prime: bool = True
    drain_timeout_seconds: float = 120.0
    kill_stuck: bool = False
    start_timeout_seconds: float = 60.0
    budget_override: bool = False
    force: bool = False
    check_mode: bool = False


class Site:
    """One run on one site. The pointer is the only state: everything else is worked out from it."""

    def __init__(self, name: str, run: systemd.Run, settings: Settings, layout: Layout) -> None:
        self.name, self.run, self.settings, self.layout = name, run, settings, layout
        self.live = store.live_slot(name, layout)
        self.idle = other(self.live) if self.live else SLOTS[0]
        self.old_master = Master(run, name, self.live, layout) if self.live else None
        self.new_master = Master(run, name, self.idle, layout)
        self.report = Report(name)
        self._held = ExitStack()

    def present(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Bring the site to the options given; returns the site's result (see the module's RETURN)."""
        stored = store.read_stored(self.name, self.live, self.layout) if self.live else None
        spec = build(merge(stored, given))
        self.report.reasons = self._reasons(spec, stored)
        only_stored = self._only_stored_differs(spec)
        wanted = bool(self.report.reasons) or self.settings.force
        live_active = self.old_master is not None and self.old_master.active()
        names = flip.plan(self.live, live_active, wanted)
        shared = self._shared_changes()
        self.report.diff = self._diff(spec, shared, wanted or only_stored)
        self.report.changed = bool(names or shared or only_stored or not self._boots())
        missing = self._missing(spec) + (self._spoiled() if wanted else [])
        if self.settings.check_mode:
            self.report.missing = missing
            return self._finish(self.live)
        if missing:
            raise StepFailed(" ".join(missing))
        if names or shared:
            self._write_shared()
        if not wanted:
            return self._repair(spec, names, only_stored)
        return self._flip(spec, names)

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
        boots = self._boots()
        paths = store.site_paths(self.name, self.layout)
        self.report.changed = bool(active or boots or paths)
        self.report.diff = [{"before": "".join(f"{path}\n" for path in paths), "after": "", "before_header": self.name}]
        if self.report.changed and not self.settings.check_mode:
            try:
                if boots:
                    systemd.disable(self.run, boot_unit_name(self.name))
                systemd.stop(self.run, boot_unit_name(self.name))
                for master in masters:
                    master.stop()
                store.remove_site(self.name, self.layout)
                systemd.daemon_reload(self.run)
            except (systemd.SystemctlError, OSError) as error:
                raise StepFailed(f"Site {self.name} could not be removed: {error}.") from error
        self.report.live_slot = None
        return self.report.as_dict()

    # What differs

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

    def _only_stored_differs(self, spec: SiteSpec) -> bool:
        """Return whether the stored spec alone is to be written: options that no master reads (entry points)."""
        return self.live is not None and bool(store.differing(render(spec, self.live, self.layout)))

    def _shared_changes(self) -> list[str]:
        files = template_units(self.layout)
        return [path for path, file in files.items() if store.read_file(path) != file.text]

    def _boots(self) -> bool:
        return systemd.is_enabled(self.run, boot_unit_name(self.name))

    def _missing(self, spec: SiteSpec) -> list[str]:
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
        binary = f"/usr/sbin/php-fpm{spec.php_version}"
        if not Path(binary).exists():
            missing.append(f"Site {self.name}: there is no {binary}; install php{spec.php_version}-fpm.")
        if not Path(spec.document_root).is_dir():
            missing.append(f"Site {self.name}: document_root {spec.document_root} is no folder of this host.")
        if spec.php_ini and not Path(spec.php_ini).is_file():
            missing.append(f"Site {self.name}: php_ini {spec.php_ini} is no file of this host.")
        return missing

    def _spoiled(self) -> list[str]:
        """Return what a web server says that a flip can't bear, a sentence each."""
        found = spoilers(self.name, self.layout.pointer(self.name))
        return [f"Site {self.name} is not touched, because of {item}." for item in found]

    def _diff(self, spec: SiteSpec, shared: list[str], slot_differs: bool) -> list[dict[str, str]]:
        units = {path: file for path, file in template_units(self.layout).items() if path in shared}
        before = render(spec, self.live or self.idle, self.layout)
        after = render(
            spec, self.idle if self.report.reasons or self.settings.force else self.live or self.idle, self.layout
        )
        return file_diffs(units, before if slot_differs else None, after, self.live)

    # What is done

    def _write_shared(self) -> None:
        changed = {
            path: file for path, file in template_units(self.layout).items() if store.read_file(path) != file.text
        }
        store.write_files(changed, -1)
        if changed:
            self._systemctl(systemd.daemon_reload)

    def _systemctl(self, action: Callable[..., None], *arguments: str) -> None:
        try:
            action(self.run, *arguments)
        except systemd.SystemctlError as error:
            raise StepFailed(str(error)) from error

    def _repair(self, spec: SiteSpec, names: list[str], only_stored: bool) -> dict[str, Any]:
        """The live slot is as it should be: write its stored spec, start it when it is down, end an old slot."""
        live = self.live or self.idle
        if only_stored:
            rendering = render(spec, live, self.layout)
            store.write_files({path: file for path, file in rendering.files.items() if path.endswith("/site.json")}, -1)
        master = self.old_master or self.new_master
        if names:
            budget = Budget(self.run, self.settings.budget_override)
            steps = {
                "check": lambda: master.check_configuration(spec),
                "budget": lambda: budget.claim(spec, live, self.layout),
                "start": lambda: master.start(self.settings.start_timeout_seconds),
                "ready": lambda: master.wait_until_it_answers(self.settings.start_timeout_seconds),
            }
            result = flip.execute(steps, lambda: None)
            budget.release()
            self.report.take(result)
            self.report.reasons = [f"the master of the live slot {live} was not running"]
        self._boot()
        if self.new_master.active() and not self.report.failed:
            # What an interrupted run left: it is ended, or named when it still has work.
            self.report.changed = True
            self._retire(fail=False)
        return self._finish(live)

    def _flip(self, spec: SiteSpec, names: list[str]) -> dict[str, Any]:
        settings, new = self.settings, self.new_master
        budget = Budget(self.run, settings.budget_override)
        rendering = render(spec, self.idle, self.layout)
        steps: dict[str, Callable[[], Any]] = {
            "retire": self._retire,
            "stage": lambda: store.stage(self.name, self.idle, rendering, spec.group, self.layout),
            "check": lambda: new.check_configuration(spec),
            "budget": lambda: budget.claim(spec, self.idle, self.layout),
            "start": lambda: new.start(settings.start_timeout_seconds),
            "ready": lambda: new.wait_until_it_answers(settings.start_timeout_seconds),
            "prime": lambda: prime(spec, new.socket, self._script_root(spec)) if settings.prime else None,
            "workers": lambda: self._workers(spec.process_manager.max_children),
            "switch": self._switch,
            "boot": self._boot,
            "drain": self._drain,
            "stop": self._stop_old,
        }
        try:
            result = flip.execute({name: steps[name] for name in names}, self._discard)
        finally:
            self._held.close()
            budget.release()
        self.report.take(result)
        self.report.previous_slot = self.live if result.flipped else None
        return self._finish(self.idle if result.flipped else self.live)

    def _script_root(self, spec: SiteSpec) -> str:
        """Return the document root as live traffic names it."""
        pointer = f"{self.layout.pointer(self.name)}/docroot"
        if spec.script_root == "pointer" or (spec.script_root == "auto" and references(pointer)):
            return pointer
        return spec.document_root

    def _retire(self, fail: bool = True) -> dict[str, Any] | None:
        """End a master in the idle slot, which an interrupted run left; StepFailed when it still has work to do."""
        if not self.new_master.active():
            return None
        if systemd.is_active(self.run, self.new_master.unit):
            drain = self.new_master.drain(self.settings.drain_timeout_seconds, self.settings.kill_stuck)
            if not drain["finished"]:
                message = self.report.still_busy(self.idle, drain)
                if fail:
                    raise StepFailed(message)
                self.report.msg = message
                return drain
        self.new_master.stop()
        return None

    def _workers(self, max_children: int) -> dict[str, int]:
        """Give the idle slot as many workers as the live one has, so that the switch is no cold start."""
        if self.old_master is None or not systemd.is_active(self.run, self.old_master.unit):
            return {"live": 0, "idle": self.new_master.status().total}
        # What a status says is the site's own word: never more connections than the pool has workers.
        live = min(self.old_master.status().total, max_children)
        self._held, idle = self.new_master.hold_workers(live, WORKERS_SECONDS)
        return {"live": live, "idle": idle}

    def _switch(self) -> None:
        # The held connections end here: their workers are free when the first request comes.
        self._held.close()
        store.switch(self.name, self.live, self.idle, self.layout)

    def _boot(self) -> None:
        stored = self.layout.stored_spec(self.name)
        target = f"{self.layout.pointer(self.name)}/site.json"
        if store.read_link(stored) != target:
            replace_symlink(stored, target)
        if not self._boots():
            self._systemctl(systemd.enable, boot_unit_name(self.name))

    def _drain(self) -> dict[str, Any]:
        old = self.old_master
        if old is None or not systemd.is_active(self.run, old.unit):
            return {"finished": True, "seconds": 0.0, "queue": 0, "active": 0, "stuck": [], "killed": []}
        drain = old.drain(self.settings.drain_timeout_seconds, self.settings.kill_stuck)
        if not drain["finished"]:
            self.report.drain = drain
            raise StepFailed(self.report.still_busy(old.slot, drain))
        return drain

    def _stop_old(self) -> None:
        if self.old_master is not None:
            self.old_master.stop()

    def _discard(self) -> None:
        """Undo what was done before the switch: the idle slot is stopped and its files are gone; a new site's all."""
        self.new_master.stop()
        try:
            if store.read_link(self.layout.pointer(self.name)) is None:
                store.remove_site(self.name, self.layout)
            else:
                store.remove_slot(self.name, self.idle, self.layout)
            systemd.daemon_reload(self.run)
        except (OSError, systemd.SystemctlError) as error:
            raise StepFailed(f"{error}.") from error

    def _finish(self, live: str | None) -> dict[str, Any]:
        self.report.live_slot = live
        if live is not None:
            master = Master(self.run, self.name, live, self.layout)
            self.report.unit, self.report.socket = master.unit, self.layout.live_socket(self.name)
            self.report.master_pid = master.pid() or None
            self.report.segment_bytes = master.segment_bytes() if self.report.master_pid else None
        return self.report.as_dict()
