# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The transient timer that ends an idle slot: one that waits for its switch, or one that is kept warm for a way back.

It is systemd's, so it outlives the run that made it, and ends with the master at a reboot. Its description says what
the slot is: no other file has to agree with it.
"""

from __future__ import annotations

from typing import FrozenSet, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout, unit_name
from ansible_collections.phpops.webhost.plugins.module_utils._host import systemd

# The slot waits for a switch; it was live before and drained.
PREPARED, WARM = "prepared", "warm"
PREPARED_SECONDS = 3600.0

Marks = FrozenSet[str]


def retire_unit(site: str, slot: str) -> str:
    """Return the name of the timer and of its service, without the suffix."""
    return f"phpops-retire-{site}-{slot}"


def units(site: str, slot: str) -> tuple[str, str]:
    """Return the timer's unit, and that of its command, which runs while it waits for the site's lock."""
    return f"{retire_unit(site, slot)}.timer", f"{retire_unit(site, slot)}.service"


def marks_of(state: Mapping[str, str]) -> Marks:
    """Return what a timer (its ActiveState and Description) says that its slot is; nothing without a timer."""
    if state["ActiveState"] != "active":
        return frozenset()
    return frozenset((PREPARED, WARM)) & frozenset(state["Description"].split())


def marks(run: systemd.Run, site: str, slot: str) -> Marks:
    """Ask systemd what the slot's timer says that it is."""
    return marks_of(systemd.show(run, units(site, slot)[0], ["ActiveState", "Description"]))


def arm(run: systemd.Run, site: str, slot: str, seconds: float, what: Sequence[str], layout: Layout) -> None:
    """Let systemd stop an idle slot after ``seconds``, unless it is live then. There must be no timer of it yet.

    The command asks for the pointer under the site's lock, so that no switch comes between.
    """
    live = f"test {layout.pointer(site)} -ef {layout.slot_dir(site, slot)}"
    words = ["systemd-run", "--quiet", "--collect", f"--unit={retire_unit(site, slot)}"]
    words += [f"--description=Slot {slot} of site {site}: {' '.join(what)}", f"--on-active={seconds:.0f}"]
    words += ["--timer-property=AccuracySec=1", "flock", layout.lock(site), "/bin/sh", "-c"]
    status, out, err = run([*words, f"{live} || exec systemctl stop {unit_name(site, slot)}"])
    if status != 0:
        said = (err.strip() or out.strip() or "no output").splitlines()[0]
        raise systemd.SystemctlError(f"`systemd-run --unit={retire_unit(site, slot)}` ended with {status}: {said}")


def disarm(run: systemd.Run, site: str, slots: Sequence[str]) -> None:
    """Remove the timers of slots, and a command of theirs that waits for the site's lock; none is no error."""
    # A pattern matches only what systemd has loaded, and what it does not match is no failure.
    try:
        systemd.systemctl(run, ["stop", *(f"{retire_unit(site, slot)}.*" for slot in slots)])
    except systemd.SystemctlError as error:
        # The timer goes with its command, or ran out since the pattern was looked up.
        if "not loaded" not in str(error):
            raise
