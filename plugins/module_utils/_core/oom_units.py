# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What systemd and systemd-oomd say of kills: lines about units, and whole control groups that were killed."""

from __future__ import annotations

import re
from typing import NamedTuple

_SUFFIXES = r"service|scope|slice|socket|mount|swap|timer|automount|path"
# A program that writes into the kernel's ring brings its own tag.
_UNIT = re.compile(
    r"^(?:systemd(?:\[\d{1,10}\])?: )?(\S{1,256}\.(?:" + _SUFFIXES + r")): "
    r"(A process of this unit has been killed by the OOM killer"
    r"|Failed with result 'oom-kill'|systemd-oomd killed \d{1,10} process)"
)
_OOMD = re.compile(
    r"^(?:systemd-oomd(?:\[\d{1,10}\])?: )?Killed (/.{0,4096}?) due to memory "
    r"(?:pressure for (/.{0,4096}?) being |used )"
)


class UnitLine(NamedTuple):
    """One line about a unit. ``result`` is systemd's word when the unit failed; ``oomd`` tells who killed."""

    unit: str
    result: str | None
    oomd: bool


class OomdKill(NamedTuple):
    """A control group that systemd-oomd killed, and the one whose pressure was too high (None: memory was used up)."""

    cgroup: str
    limit_cgroup: str | None


def read_unit(body: str) -> UnitLine | None:
    """Read a line of systemd that tells of an OOM kill in a unit; None for another line. Source: systemd's unit.c."""
    found = _UNIT.match(body)
    if found is None:
        return None
    text = found.group(2)
    return UnitLine(found.group(1), "oom-kill" if text.startswith("Failed") else None, text.startswith("systemd-oomd"))


def read_oomd(body: str) -> OomdKill | None:
    """Read a line of systemd-oomd that tells of a kill; None for another line. Source: systemd's oomd-manager.c."""
    found = _OOMD.match(body)
    return OomdKill(found.group(1), found.group(2)) if found else None


def is_parent(unit: str) -> bool:
    """Tell a unit that only holds others, and so repeats what happens in them: a slice, a user's manager."""
    return unit.endswith(".slice") or (unit.startswith("user@") and unit.endswith(".service"))


def unit_of(cgroup: str | None) -> str | None:
    """Return the innermost service or scope of a control group's path, else its innermost slice, else None."""
    parts = (cgroup or "").split("/")
    for suffixes in ((".service", ".scope"), (".slice",)):
        for part in reversed(parts):
            if part.endswith(suffixes) and len(part) <= 256:
                return part
    return None
