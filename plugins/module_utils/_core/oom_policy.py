# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What systemd does with a unit when the OOM killer ends one of its processes, and the drop-in that changes it."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any, Iterable, Mapping, Sequence

# Apache, nginx, every PHP-FPM of the distribution, and the masters of this collection.
DEFAULT_UNITS = ("apache2", "nginx", "php*-fpm", "phpops-fpm@")
CONTINUE = "continue"
# The values of OOMPolicy= and of Restart= (systemd.service(5)); systemd passes over a line with any other one.
VALUES = {
    "OOMPolicy": (CONTINUE, "stop", "kill"),
    "Restart": ("no", "on-success", "on-failure", "on-abnormal", "on-watchdog", "on-abort", "always"),
}
UNIT_FOLDER = "/etc/systemd/system"
FILE_NAME = "50-phpops-oom.conf"
HEADER = "# Ansible managed: phpops.webhost, role oom_policy"
# OOMPolicy= came with systemd 243 (NEWS of systemd).
FIRST_VERSION = 243

_NAME = re.compile(r"^[A-Za-z0-9:_.\\@*?\[\]-]+$")
_OTHER_KINDS = re.compile(r"\.(?:socket|target|timer|path|mount|automount|swap|slice|scope|device)$")


class BadUnit(ValueError):
    """A name is no service's; one sentence with the cure."""


def service_name(name: str) -> str:
    """Return the full name, or the full pattern, of a service. BadUnit for what can't be one."""
    if not _NAME.match(name) or _OTHER_KINDS.search(name):
        raise BadUnit(
            f"{name!r} is no service, and only services have OOMPolicy=: name a service or a pattern of them."
        )
    return name if name.endswith(".service") else f"{name}.service"


def parse_unit_list(text: str) -> list[str]:
    """Return the services of `systemctl list-units` with --plain --no-legend (systemctl(1)).

    Names that only another unit mentions (not-found) are left out.
    """
    found = []
    for line in text.splitlines():
        words = line.split()
        # A unit that failed may have a mark before its name.
        words = words[1:] if words and not words[0][0].isalnum() and not words[0].startswith(("_", "-")) else words
        if len(words) > 1 and words[0].endswith(".service") and words[1] != "not-found":
            found.append(words[0])
    return found


def choose(names: Sequence[str], known: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return (the known units that the names and patterns mean, each once, and the names that none is known for).

    A template stands for its instances; it is chosen itself only where it has none. Raises BadUnit.
    """
    units = sorted(set(known))
    chosen: list[str] = []
    missing = []
    for name in names:
        pattern = re.sub(r"@\.service$", "@*.service", service_name(name))
        hits = [unit for unit in units if fnmatchcase(unit, pattern)]
        have_instances = {template(unit) for unit in hits if template(unit) != unit}
        chosen += [unit for unit in hits if unit not in have_instances and unit not in chosen]
        if not hits:
            missing.append(name)
    return chosen, missing


def is_template(unit: str) -> bool:
    """Return whether it is a template, which has no state of its own."""
    return unit.endswith("@.service")


def template(unit: str) -> str:
    """Return the template of an instance; a unit that is none is its own."""
    return re.sub(r"@.*\.service$", "@.service", unit)


def shown_as(unit: str) -> str:
    """Return the name that `systemctl show` takes: for a template an instance that nobody has."""
    return unit.replace("@.service", "@phpops-none.service") if is_template(unit) else unit


def drop_in(unit: str, folder: str = UNIT_FOLDER) -> str:
    """Return the path of our drop-in; the instances of a template share one."""
    return f"{folder}/{template(unit)}.d/{FILE_NAME}"


def parse_settings(text: str) -> dict[str, str]:
    """Return what a unit file's [Service] section sets of OOMPolicy= and Restart=, the last line of each.

    systemd.syntax(7): a backslash at its end joins a line with the next, # and ; begin a comment. Values that systemd
    passes over are left out.
    """
    found: dict[str, str] = {}
    section = ""
    for line in re.sub(r"\\\n", " ", text.replace("\r", "")).splitlines():
        words = line.strip()
        if words.startswith("["):
            section = words
        elif section == "[Service]" and not words.startswith(("#", ";")):
            name, _equals, value = (part.strip() for part in words.partition("="))
            if value in VALUES.get(name, ()):
                found[name] = value
    return found


def wanted(restart: str | None) -> dict[str, str]:
    """Return the settings that a unit is to have."""
    return {"OOMPolicy": CONTINUE, **({"Restart": restart} if restart else {})}


def drop_in_text(ours: str | None, loaded: Sequence[Mapping[str, str]], restart: str | None) -> str | None:
    """Return the text of our drop-in, None where none is needed.

    ``ours`` is its present text, ``loaded`` what systemd has for each unit that it is for, ``restart`` a value for
    Restart= or None. A setting that a unit has without us is left to it, one that is ours already stays.
    """
    had = parse_settings(ours or "")
    lines = [
        f"{name}={value}"
        for name, value in wanted(restart).items()
        if name in had or any(unit.get(name) != value for unit in loaded)
    ]
    if not lines:
        return None
    why = "# systemd's default, stop, ends the whole unit when the OOM killer ends one of its processes."
    return "\n".join([HEADER, why, "[Service]", *lines]) + "\n"


def later_setting(files: Sequence[tuple[str, str]], name: str, value: str) -> tuple[str, str] | None:
    """Return (path, value) of the drop-in that wins over ours with another value, None when none does.

    ``files`` are the unit's drop-ins, (path, text). systemd reads them in the order of their names, wherever they are
    (systemd.unit(5)).
    """
    last = None
    for path, text in sorted(files, key=lambda file: PurePosixPath(file[0]).name):
        found = parse_settings(text).get(name)
        if PurePosixPath(path).name > FILE_NAME and found is not None:
            last = (path, found)
    return last if last and last[1] != value else None


def slices_above(slice_name: str) -> list[str]:
    """Return a slice and those around it, the innermost first (systemd.slice(5): the dashes are the path)."""
    if slice_name in ("", "-.slice"):
        return ["-.slice"]
    parts = slice_name[: -len(".slice")].split("-")
    return [f"{'-'.join(parts[:count])}.slice" for count in range(len(parts), 0, -1)] + ["-.slice"]


def parse_version(text: str) -> int | None:
    """Return the number that systemd's Version begins with, such as 252 of 252.39-1~deb12u1; None for another text."""
    match = re.match(r"(\d{1,5})\b", text)
    return int(match.group(1)) if match else None


def host_reason(version: int | None, cgroup: str, memory_controller: bool) -> str | None:
    """Return why OOMPolicy= has no effect on this host, as one sentence; None where it has.

    ``cgroup`` is v2, hybrid or v1. systemd learns of a kill from memory.events, which only cgroup v2 with its memory
    controller has (systemd.service(5), cgroup-v2.rst of the kernel).
    """
    if version is not None and version < FIRST_VERSION:
        return f"systemd {version} doesn't know OOMPolicy=, which came with {FIRST_VERSION}: upgrade the host."
    if cgroup != "v2":
        return (
            f"OOMPolicy= has no effect on this host: its control groups are {cgroup}, so systemd hears of no OOM kill;"
            " boot it with systemd.unified_cgroup_hierarchy=1."
        )
    if not memory_controller:
        return (
            "OOMPolicy= has no effect on this host: its control groups have no memory controller, so systemd hears of"
            " no OOM kill; boot it without cgroup_disable=memory, or give the container that controller."
        )
    return None


def accounting_note(unit: str, memory_accounting: str) -> str | None:
    """Return that systemd doesn't watch this unit's memory, or None; ``memory_accounting`` is yes or no."""
    if memory_accounting != "no":
        return None
    return f"OOMPolicy= has no effect on {unit}: MemoryAccounting=no, so systemd hears of no OOM kill; set it to yes."


def oomd_note(unit: str, own: Mapping[str, str], slices: Mapping[str, Mapping[str, str]], active: bool) -> str | None:
    """Return that systemd-oomd would kill the whole unit whatever its policy is, or None.

    ``own`` are the unit's properties, ``slices`` those of the slices around it by name, ``active`` says whether
    systemd-oomd runs. It kills a control group at once, and spares one with the preference omit (systemd-oomd(8),
    systemd.resource-control(5)).
    """
    if not active or own.get("ManagedOOMPreference") == "omit":
        return None
    for name, properties in {unit: own, **slices}.items():
        for setting in ("ManagedOOMSwap", "ManagedOOMMemoryPressure"):
            if properties.get(setting) == "kill":
                return (
                    f"systemd-oomd may still kill all of {unit}: {setting}=kill on {name};"
                    f" set ManagedOOMPreference=omit for {unit}, or {setting}=auto there."
                )
    return None


def group_note(unit: str, groups: Mapping[str, str]) -> str | None:
    """Return that the kernel itself would kill the whole unit, or None.

    ``groups`` has the content of memory.oom.group by control group, for the unit's own and those around it.
    """
    for path, value in groups.items():
        if value.strip() == "1":
            return f"The kernel would still kill all of {unit} at once: memory.oom.group is 1 in {path}; write 0 there."
    return None


def summary(units: Sequence[Mapping[str, Any]], settings: Mapping[str, str], lost: Mapping[str, str]) -> list[str]:
    """Return one line for each unit of a module's result that was to be present, and its notes.

    ``lost`` says by unit why it has another setting.
    """
    words = " and ".join(f"{name}={value}" for name, value in settings.items())
    lines = []
    for unit in units:
        was = f", before it was {unit['before']['oom_policy']}" if unit["before"]["oom_policy"] != CONTINUE else ""
        if unit["unit"] in lost:
            lines.append(lost[unit["unit"]])
        elif unit["drop_in"] is None:
            lines.append(f"{unit['unit']}: {words} is in force without us, left alone.")
        elif unit["in_force"]:
            lines.append(f"{unit['unit']}: {words} is in force{was}.")
        else:
            lines.append(f"{unit['unit']}: {words} would be in force, now OOMPolicy={unit['oom_policy']} is.")
        lines += unit["notes"]
    return lines


def summary_absent(units: Sequence[Mapping[str, Any]], removed: Sequence[str]) -> list[str]:
    """Return one line for each unit of a module's result whose drop-in was to go, and for each other removed path."""
    lines = []
    for unit in units:
        if unit["changed"] and unit["in_force"]:
            lines.append(f"{unit['unit']}: our drop-in would be removed.")
        elif unit["changed"]:
            lines.append(f"{unit['unit']}: OOMPolicy={unit['oom_policy']} without our drop-in.")
    known = {template(unit["unit"]) for unit in units}
    lines += [
        f"{path}: removed; this host has no such unit." for path in removed if path.split("/")[-2][:-2] not in known
    ]
    return lines or ["No drop-in of this collection was there."]
