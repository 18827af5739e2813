# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reads what systemd does with the units of a host when the OOM killer ends one of their processes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import oom_policy
from ansible_collections.phpops.webhost.plugins.module_utils._host import systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import text_or_empty

OOMD = "systemd-oomd.service"
_MANAGED = ("ManagedOOMSwap", "ManagedOOMMemoryPressure")
_PROPERTIES = (
    *("Id", "LoadState", "ActiveState", "OOMPolicy", "Restart", "MemoryAccounting", "ControlGroup", "Slice"),
    *("DropInPaths", "ManagedOOMPreference", "Result", *_MANAGED),
)


@dataclass(frozen=True)
class Paths:
    """The folders that are read and written; others are for tests."""

    units: str = oom_policy.UNIT_FOLDER
    cgroup: str = "/sys/fs/cgroup"


@dataclass(frozen=True)
class Unit:
    """A unit as systemd has it loaded, by property, and its drop-ins (path, text) but ours."""

    name: str
    loaded: dict[str, str]
    drop_ins: list[tuple[str, str]]
    notes: list[str]

    @property
    def active(self) -> bool:
        return self.loaded["ActiveState"] in ("active", "reloading", "activating")


@dataclass(frozen=True)
class Reading:
    """What was found; ``reason`` says why policies do nothing here, ``left_out`` {name, reason} of what is missing."""

    version: int | None
    cgroup: str
    reason: str | None
    oomd_active: bool
    units: list[Unit]
    left_out: list[dict[str, str]]


def _known(run: systemd.Run, folders: Sequence[str], units: Path) -> list[str]:
    """Return the services that the host has: files, what is loaded, and instances that have drop-ins only.

    The files are looked for by us: `systemctl list-unit-files` reads each one, and a host short of memory takes long.
    """
    files = [path.name for folder in folders for path in Path(folder).glob("*.service")]
    instances = [path.name[: -len(".d")] for path in units.glob("*@?*.service.d")]
    loaded = systemd.systemctl(run, ["list-units", "--all", "--type=service", "--plain", "--full", "--no-legend"])
    return [*files, *instances, *oom_policy.parse_unit_list(loaded)]


def _groups(top: str, group: str) -> dict[str, str]:
    """Return memory.oom.group of a control group and of those around it, by path."""
    parts = [part for part in group.split("/") if part]
    folders = ["/".join([top, *parts[:count]]) for count in range(len(parts), 0, -1)]
    return {folder: text_or_empty(f"{folder}/memory.oom.group") for folder in folders}


def _paths(value: str) -> list[str]:
    """Return the files of DropInPaths; systemctl escapes a blank in one of them."""
    return [path.replace("\\x20", " ") for path in value.split()]


def look(run: systemd.Run, names: Sequence[str], paths: Paths) -> Reading:
    """Return what the host has of the units that are named. Raises SystemctlError and BadUnit."""
    manager = systemd.show_manager(run, ["Version", "UnitPath"])
    version = oom_policy.parse_version(manager["Version"])
    controllers = text_or_empty(f"{paths.cgroup}/cgroup.controllers").split()
    unified = (Path(paths.cgroup) / "cgroup.controllers").exists()
    cgroup = "v2" if unified else "hybrid" if (Path(paths.cgroup) / "unified").is_dir() else "v1"
    reason = oom_policy.host_reason(version, cgroup, "memory" in controllers)
    chosen, missing = oom_policy.choose(names, _known(run, manager["UnitPath"].split(), Path(paths.units)))
    left_out = [{"name": name, "reason": "This host has no such unit."} for name in missing]
    shown = {unit: oom_policy.shown_as(unit) for unit in chosen}
    loaded = systemd.show_all(run, [OOMD, *shown.values()], _PROPERTIES)
    oomd_active = loaded[OOMD]["ActiveState"] == "active"
    slices = _slices(run, [loaded[name] for name in shown.values()]) if oomd_active else {}
    units: list[Unit] = []
    for asked, name in shown.items():
        found = loaded[name]
        state = found["LoadState"]
        # The name that was asked for may be another one of the same unit.
        unit = asked if oom_policy.is_template(asked) else found["Id"]
        if state in ("masked", "not-found"):
            left_out.append({"name": unit, "reason": f"The unit is {state}."})
        elif unit not in [one.name for one in units]:
            around = {one: slices.get(one, {}) for one in oom_policy.slices_above(found["Slice"])}
            notes = [
                oom_policy.accounting_note(unit, found["MemoryAccounting"]),
                oom_policy.oomd_note(unit, found, around, oomd_active),
                oom_policy.group_note(unit, _groups(paths.cgroup, found["ControlGroup"])),
            ]
            ours = oom_policy.drop_in(unit, paths.units)
            files = [(path, text_or_empty(path)) for path in _paths(found["DropInPaths"]) if path != ours]
            units.append(Unit(unit, found, files, [note for note in notes if note and not reason]))
    return Reading(version, cgroup, reason, oomd_active, units, left_out)


def _slices(run: systemd.Run, loaded: Sequence[dict[str, str]]) -> dict[str, dict[str, str]]:
    names = sorted({name for found in loaded for name in oom_policy.slices_above(found["Slice"])})
    return systemd.show_all(run, names, ["Id", *_MANAGED]) if names else {}


def facts(run: systemd.Run, names: Sequence[str], paths: Paths) -> dict[str, Any]:
    """Return what oom_policy_facts returns; a host without systemd is no failure. Raises BadUnit."""
    shown: dict[str, Any] = {
        "available": True,
        "reason": None,
        "systemd_version": None,
        "cgroup": None,
        "honoured": False,
        "oomd_active": False,
        "units": [],
    }
    try:
        found = look(run, names, paths)
    except systemd.SystemctlError as error:
        return {**shown, "available": False, "reason": str(error)}
    units = [
        {
            "unit": unit.name,
            "active": unit.active,
            "oom_policy": unit.loaded["OOMPolicy"] or None,
            "restart": unit.loaded["Restart"] or None,
            "result": None if oom_policy.is_template(unit.name) else unit.loaded["Result"] or None,
            "drop_ins": _paths(unit.loaded["DropInPaths"]),
            "notes": unit.notes,
        }
        for unit in found.units
    ]
    return {
        **shown,
        "reason": found.reason,
        "systemd_version": found.version,
        "cgroup": found.cgroup,
        "honoured": found.reason is None,
        "oomd_active": found.oomd_active,
        "units": units,
    }
