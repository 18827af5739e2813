# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""One run on one site, as far as both slots are there: what they do now, the switch, and how a slot ends."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Callable, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import flip
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import FlipResult, StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import (
    SLOTS,
    Layout,
    boot_unit_name,
    other,
    unit_name,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_store as store
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_timer, systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import replace_symlink
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_master import UP, Master
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_report import Report

# What is asked of the site's units.
STATE = ("ActiveState", "MainPID", "UnitFileState", "Description", "NeedDaemonReload", "DropInPaths")
# A dynamic pool forks one worker a second at first: more than this is not waited for.
WORKERS_SECONDS = 20.0


@dataclass(frozen=True)
class Settings:
    """How a flip is done. ``classic``: the host gets no traffic, so the live slot ends before the new one starts.

    ``web_server``: the one that gets the site's own virtual host before the switch (apache, nginx, none).
    """

    prime: bool = True
    drain_timeout_seconds: float = 120.0
    kill_stuck: bool = False
    start_timeout_seconds: float = 60.0
    budget_override: bool = False
    force: bool = False
    classic: bool = False
    web_server: str = "none"
    check_mode: bool = False


class Slots:
    """The two slots of one site. The pointer is the only state: everything else is worked out from it."""

    def __init__(
        self,
        name: str,
        run: systemd.Run,
        settings: Settings,
        layout: Layout,
        on_step: Callable[[str], None] | None = None,
    ) -> None:
        """on_step gets the name of each step that begins."""
        self.name, self.run, self.settings, self.layout, self.on_step = name, run, settings, layout, on_step
        self.live = store.live_slot(name, layout)
        self.idle = other(self.live) if self.live else SLOTS[0]
        self.old_master = Master(run, name, self.live, layout) if self.live else None
        self.new_master = Master(run, name, self.idle, layout)
        self.report = Report(name)
        # What the deploy that holds the site has done so far.
        self.lease_steps: Sequence[str] = ()
        self._state: dict[str, dict[str, str]] | None = None
        self._held = ExitStack()

    def execute(self, steps: Mapping[str, Callable[[], Any]], undo: Callable[[], Any]) -> FlipResult:
        """Do steps in the flip's order, and note in the report how far they came."""
        try:
            result = flip.execute(steps, undo, self.on_step)
        finally:
            self.give_back()
        self.report.take(result)
        self.report.previous_slot = self.live if result.flipped else None
        return result

    def give_back(self) -> None:
        """End what was held for the steps alone."""
        self._held.close()

    def switching(self, max_children: int) -> dict[str, Callable[[], Any]]:
        """Return the steps of the switch; max_children: the workers that the idle slot may have."""
        return {"workers": lambda: self._workers(max_children), "switch": self._switch, "boot": self.boot}

    def draining(self) -> dict[str, Callable[[], Any]]:
        """Return the steps that end the slot which was live when this run began."""
        return {"drain": self._drain, "stop": self._stop_old}

    # What is there

    def stored(self) -> dict[str, Any] | None:
        """Return the options that the live slot was made from."""
        return store.read_stored(self.name, self.live, self.layout) if self.live else None

    def state(self, unit: str) -> dict[str, str]:
        """Return what systemd said of one of the site's units when this run began: one question for all of them."""
        if self._state is None:
            units = [*(unit_name(self.name, slot) for slot in SLOTS), boot_unit_name(self.name)]
            units += [unit for slot in SLOTS for unit in slot_timer.units(self.name, slot)]
            self._state = systemd.show_all(self.run, units, STATE)
        return self._state[unit]

    def up(self, master: Master | None) -> bool:
        """Return whether a master ran when this run began; one that was starting or stopping counts too."""
        return master is not None and self._runs(master.unit)

    def ready(self, master: Master | None) -> bool:
        """Return whether a master took requests when this run began."""
        return master is not None and self.state(master.unit)["ActiveState"] in ("active", "reloading")

    def boots(self) -> bool:
        """Return whether the live slot starts at boot."""
        return self.state(boot_unit_name(self.name))["UnitFileState"] in ("enabled", "enabled-runtime")

    def _spec_target(self) -> str:
        return f"{self.layout.pointer(self.name)}/site.json"

    def marks(self) -> slot_timer.Marks:
        """Return what the idle slot's timer says about it."""
        return slot_timer.marks_of(self.state(slot_timer.units(self.name, self.idle)[0]))

    def disarm(self, slots: Sequence[str]) -> None:
        """Remove the timers of slots that had one when this run began, and commands that wait for the site's lock."""
        had = [slot for slot in slots if any(map(self._runs, slot_timer.units(self.name, slot)))]
        if had:
            slot_timer.disarm(self.run, self.name, had)

    def _runs(self, unit: str) -> bool:
        return self.state(unit)["ActiveState"] in UP

    # The steps

    def retire(self, fail: bool = True) -> dict[str, Any] | None:
        """End a master in the idle slot, which was kept warm or left by a run; StepFailed when it still has work."""
        # A timer of the live slot is one that a run was killed before it could remove it.
        self.disarm(SLOTS)
        if not self.up(self.new_master):
            return None
        if self.ready(self.new_master):
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
        live = 0
        if self.old_master is not None:
            try:
                # What a status says is the site's own word: never more connections than the pool has workers.
                live = min(self.old_master.status().total, max_children)
            except StepFailed:
                if systemd.is_active(self.run, self.old_master.unit):
                    raise
        if live == 0:
            return {"live": 0, "idle": self.new_master.status().total}
        self._held, idle = self.new_master.hold_workers(live, WORKERS_SECONDS)
        return {"live": live, "idle": idle}

    def _switch(self) -> None:
        # The held connections end here: their workers are free when the first request comes.
        self._held.close()
        if self.live is None:
            # Before the rename: a reboot right after it brings up what is live.
            self._enable()
        store.switch(self.name, self.live, self.idle, self.layout)

    def _enable(self) -> None:
        unit = boot_unit_name(self.name)
        systemd.enable(self.run, unit)
        self.state(unit)["UnitFileState"] = "enabled"

    def boot(self) -> None:
        """Let the live slot start at boot, and its spec be found; also without the timer that a waiting slot has."""
        stored = self.layout.stored_spec(self.name)
        if store.read_link(stored) != self._spec_target():
            replace_symlink(stored, self._spec_target())
        if not self.boots():
            self._enable()
        # Until here the timer does no harm: its command asks for the pointer.
        slot_timer.disarm(self.run, self.name, [store.live_slot(self.name, self.layout) or self.idle])

    def _drain(self) -> dict[str, Any]:
        old = self.old_master
        # Asked now: priming may have taken long.
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

    def discard(self) -> None:
        """Undo what was done before the switch: the idle slot is stopped and its files are gone; a new site's all."""
        if store.live_slot(self.name, self.layout) != self.live:
            raise StepFailed(f"The pointer of site {self.name} was moved by another hand: slot {self.idle} is left.")
        try:
            slot_timer.disarm(self.run, self.name, [self.idle])
            self.new_master.stop()
            if self.live is None:
                if self.boots():
                    systemd.disable(self.run, boot_unit_name(self.name))
                store.remove_site(self.name, self.layout)
            else:
                store.remove_slot(self.name, self.idle, self.layout)
            systemd.daemon_reload(self.run)
        except OSError as error:
            raise StepFailed(f"{error}.") from error
        self.revive()

    def revive(self) -> None:
        """Start the live slot when it is down: classic mode stopped it, and nothing comes in its place."""
        if self.old_master is None or self.old_master.active():
            return
        self.old_master.start(self.settings.start_timeout_seconds)
        self.old_master.wait_until_it_answers(self.settings.start_timeout_seconds)

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
