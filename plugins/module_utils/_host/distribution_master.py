# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The PHP-FPM masters that Debian's packages start: whether a web server uses them, stopping them, and the way back."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Callable, List

from ansible_collections.phpops.webhost.plugins.module_utils._host import systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import (
    Unreadable,
    fsync_dir,
    read_text,
    write_atomic,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.web_files import references

ROOT = "/etc/php"
# update-alternatives gives the newest version's socket this name too.
ALTERNATIVE = "/run/php/php-fpm.sock"
# What we stopped, with what each unit was before: it is started again when the sites leave.
RECORD = "/var/lib/phpops/distribution-masters.json"
References = Callable[[str], List[str]]


def _listens(folder: Path) -> list[str]:
    found = []
    for path in sorted(folder.glob("*.conf")):
        try:
            found += re.findall(r"(?m)^[ \t]*listen[ \t]*=[ \t]*[\"']?([^\s\"';]+)", read_text(path))
        except Unreadable:
            continue
    return found


def masters(run: systemd.Run, root: str = ROOT, used_by: References = references) -> list[dict[str, Any]]:
    """Return the distribution's masters: {version, unit, active, enabled, sockets, used_by: ["file:line"]}."""
    found = []
    for folder in sorted(Path(root).glob("*/fpm/pool.d")):
        version = folder.parent.parent.name
        sockets = _listens(folder)
        names = [*sockets, ALTERNATIVE] if sockets else []
        unit = f"php{version}-fpm.service"
        found.append(
            {
                "version": version,
                "unit": unit,
                "active": systemd.is_active(run, unit),
                "enabled": systemd.is_enabled(run, unit),
                "sockets": sockets,
                "used_by": sorted({place for name in names for place in used_by(name)}),
            }
        )
    return found


def stop_unused(run: systemd.Run, found: list[dict[str, Any]], check_mode: bool, record: str = RECORD) -> list[str]:
    """Stop and disable each master that is up and not used; returns their units. Raises SystemctlError."""
    unused = [item for item in found if (item["active"] or item["enabled"]) and not item["used_by"]]
    if not check_mode and unused:
        known = read_stopped(record)
        was = {item["unit"]: {"active": item["active"], "enabled": item["enabled"]} for item in unused}
        _write_stopped({**was, **known}, record)
    for item in [] if check_mode else unused:
        systemd.disable(run, item["unit"])
        systemd.stop(run, item["unit"])
    return [item["unit"] for item in unused]


def start_again(run: systemd.Run, check_mode: bool, record: str = RECORD) -> list[str]:
    """Bring the units that stop_unused stopped back to what they were; returns them. Raises SystemctlError.

    A unit whose package was removed meanwhile is forgotten.
    """
    stopped = read_stopped(record)
    there = [unit for unit in stopped if systemd.show(run, unit, ["LoadState"])["LoadState"] != "not-found"]
    if check_mode:
        return there
    for unit in there:
        if stopped[unit]["enabled"]:
            systemd.enable(run, unit)
        if stopped[unit]["active"]:
            systemd.start(run, unit)
    _write_stopped({}, record)
    return there


def read_stopped(record: str = RECORD) -> dict[str, dict[str, bool]]:
    """Return {unit: {active, enabled}} of the units that were stopped; a damaged record names none."""
    try:
        stored = json.loads(read_text(record))
        return {unit: {"active": bool(was["active"]), "enabled": bool(was["enabled"])} for unit, was in stored.items()}
    except (Unreadable, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write_stopped(stopped: dict[str, dict[str, bool]], record: str) -> None:
    path = Path(record)
    if not stopped:
        if path.exists():
            path.unlink()
            fsync_dir(path.parent)
        return
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    write_atomic(path, json.dumps(stopped, indent=1, sort_keys=True) + "\n", 0o644)
