# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The second phase of a deploy, one call: let the traffic go to the slot that waits, look at it, and go back."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import flip
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import EntryPoint, SpecError, build
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import entry_points as entry_points_of
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_store as store
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_timer, systemd, web_check
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_base import Settings, Slots
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_budget import Budget
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_call import LAYOUT, on_site, whole
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_master import Master

# One entry point through the web server; primed, it takes far less.
CHECK_SECONDS = 60.0
# What slot_switch returns: of the site's report, and beside it.
TOLD = ("changed", "failed", "step", "msg", "workers", "previous_slot", "live_slot")
NOTHING: dict[str, Any] = {"switched": False, "checks": [], "first_request_seconds": None, "switched_back": False}
# What the lease tells while a switch is taken back; no step of a deploy that goes well.
BACK = "back"


class Turn:
    """The switch of one site, and the way back."""

    def __init__(self, site: Slots, check_url: str | None) -> None:
        """check_url: scheme, address and port of this host's own web server; None for no check."""
        self.site, self.check_url = site, check_url
        self.checks: list[web_check.Check] = []
        self.switched_back = False

    def _answer(self, **found: Any) -> dict[str, Any]:
        report = self.site.report.as_dict()
        return {
            **NOTHING,
            **{key: report[key] for key in TOLD},
            "live_slot": store.live_slot(self.site.name, self.site.layout),
            "checks": [check.as_dict() for check in self.checks],
            "first_request_seconds": self.checks[0].seconds if self.checks else None,
            "switched_back": self.switched_back,
            **found,
        }

    # Forth

    def switch(self, entry_points: Sequence[EntryPoint] | None) -> dict[str, Any]:
        """Switch to the slot that slot_prepare left waiting, and check it; entry_points: None for its own.

        A failing check switches back in the same call. StepFailed where no slot waits.
        """
        site = self.site
        if self.check_url is not None:
            web_check.base_url(self.check_url)
        if site.settings.check_mode:
            site.report.changed = True
            return self._answer(previous_slot=site.live)
        stored = store.read_stored(site.name, site.idle, site.layout)
        waits = stored is not None and site.ready(site.new_master)
        if stored is None or not waits or slot_timer.PREPARED not in site.marks():
            raise StepFailed(
                f"Site {site.name}: slot {site.idle} does not wait for a switch; slot_prepare brings it up, and it"
                f" waits for {slot_timer.PREPARED_SECONDS / 60:.0f} minutes."
            )
        spec = build(stored)
        entries = spec.entry_points if entry_points is None else entry_points
        steps = {**site.switching(spec.process_manager.max_children), "verify": lambda: self._verify(entries)}
        result = site.execute(steps, site.discard)
        site.report.changed = True
        switched = result.flipped and not self.switched_back
        if not switched:
            site.report.previous_slot = None
        return self._answer(switched=switched)

    def _verify(self, entries: Sequence[EntryPoint]) -> None:
        """Request the entry points through the web server; StepFailed when one is wrong, and the way back was gone."""
        if self.check_url is None:
            return
        site = self.site

        def accepted() -> int:
            return site.new_master.status().accepted

        try:
            self.checks = web_check.check(entries, site.name, self.check_url, CHECK_SECONDS, accepted, site.layout)
            wrong = [check.msg for check in self.checks if check.msg]
        except StepFailed as error:
            wrong = [str(error)]
        if wrong:
            try:
                then = self._go_back(site.idle, site.live)
            except (StepFailed, OSError) as error:
                then = f"Then the way back failed: {error}"
            raise StepFailed(f"{wrong[0]} {then}")

    # And back

    def back(self, steps: Sequence[str]) -> dict[str, Any]:
        """Undo a switch that was good, because another host's was not; steps: all that the deploy's lease tells.

        Nothing happens where this deploy has not switched, or went back already.
        """
        site = self.site
        done = [step for step in steps if step in (flip.SWITCH, BACK)]
        stored = store.read_stored(site.name, site.idle, site.layout)
        # A run that was killed between the step's begin and the rename: the slot that waits is not the old one.
        waits = slot_timer.PREPARED in site.marks()
        if done[-1:] != [flip.SWITCH] or waits or (stored is None and _had_one_before(site)):
            site.report.msg = f"Site {site.name}: this deploy has not switched it, so there is no way back to take."
            return self._answer()
        previous = site.idle if stored is not None else None
        site.report.changed = True
        if site.settings.check_mode:
            return self._answer(previous_slot=site.live)
        live = site.live or site.idle
        site.report.msg = self._go_back(live, previous)
        return self._answer(previous_slot=live)

    def _go_back(self, new: str, old: str | None) -> str:
        """Point to the old slot again, end the new one, and return a sentence; StepFailed says what could not be."""
        site = self.site
        if site.on_step is not None:
            with suppress(StepFailed):
                site.on_step(BACK)
        if old is None:
            return self._leave_nothing(new)
        masters = {slot: Master(site.run, site.name, slot, site.layout) for slot in (old, new)}
        if not masters[old].active():
            self._start_old(masters[old], masters[new])
        store.switch(site.name, new, old, site.layout)
        self.switched_back = True
        site.report.live_slot = old
        try:
            left = self._end(masters[new], [old, new])
        except (StepFailed, OSError) as error:
            # The way back was taken all the same; the next deploy ends what is left.
            left = f" Slot {new} could not be ended: {error}"
        return f"Slot {old} is live again.{left}"

    def _end(self, new: Master, slots: Sequence[str]) -> str:
        """Drain, stop and remove the new slot, which is not live any more; returns what is left of it, in words."""
        site = self.site
        slot_timer.disarm(site.run, site.name, slots)
        if systemd.is_active(site.run, new.unit):
            drain = new.drain(site.settings.drain_timeout_seconds, False)
            if not drain["finished"]:
                return f" {site.report.still_busy(new.slot, drain)}"
        new.stop()
        store.remove_slot(site.name, new.slot, site.layout)
        return ""

    def _start_old(self, old: Master, new: Master) -> None:
        """Start the old slot, which classic mode stopped, or which crashed; StepFailed when that can't be.

        The new one is live: it is stopped only where there is no room for both.
        """
        seconds, budget = self.site.settings.start_timeout_seconds, Budget(self.site.run, False, self.site.layout)
        room = self._has_room(old, budget)
        try:
            if not room:
                new.stop()
            old.start(seconds)
            old.wait_until_it_answers(seconds)
        except StepFailed as error:
            # systemd would try it again and again.
            old.stop()
            if not room:
                new.start(seconds)
            raise StepFailed(f"There is no way back: {error} Slot {new.slot} goes on.") from error
        finally:
            budget.release()

    def _has_room(self, old: Master, budget: Budget) -> bool:
        site = self.site
        stored = store.read_stored(site.name, old.slot, site.layout)
        try:
            budget.claim(build(stored or {}), old.slot)
        except (StepFailed, SpecError):
            return False
        return True

    def _leave_nothing(self, new: str) -> str:
        """A site that was new has nothing to go back to: it is removed."""
        site = self.site
        pointer = Path(site.layout.pointer(site.name))
        if pointer.is_symlink():
            pointer.unlink()
        self.switched_back = True
        site.remove(boots=True)
        return f"The site was new: slot {new} is stopped and nothing is left of it."


def _had_one_before(site: Slots) -> bool:
    """Return whether the live release says that another one was live before it."""
    stored = site.stored() or {}
    return bool((stored.get("release") or {}).get("history"))


def switch(
    name: str,
    deploy_id: str | None,
    check_url: str | None,
    entry_points: Sequence[Mapping[str, Any]] | None,
    run: systemd.Run,
    settings: Settings,
    layout: Layout = LAYOUT,
) -> dict[str, Any]:
    """Return what slot_switch returns for state switched; entry_points: None for the slot's own."""

    def act(site: Slots) -> dict[str, Any]:
        entries = None if entry_points is None else entry_points_of(name, entry_points)
        return Turn(site, check_url).switch(entries)

    return whole(on_site(name, deploy_id, run, settings, layout, Slots, act), TOLD, NOTHING)


def back(name: str, deploy_id: str, run: systemd.Run, settings: Settings, layout: Layout = LAYOUT) -> dict[str, Any]:
    """Return what slot_switch returns for state back."""

    def act(site: Slots) -> dict[str, Any]:
        return Turn(site, None).back(site.lease_steps)

    return whole(on_site(name, deploy_id, run, settings, layout, Slots, act), TOLD, NOTHING)
