# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The PHP-FPM masters that Debian's packages start, and whether a web server uses them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Callable, List

from ansible_collections.phpops.webhost.plugins.module_utils._host import systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text
from ansible_collections.phpops.webhost.plugins.module_utils._host.web_references import references

ROOT = "/etc/php"
# update-alternatives gives the newest version's socket this name too.
ALTERNATIVE = "/run/php/php-fpm.sock"
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


def stop_unused(run: systemd.Run, found: list[dict[str, Any]], check_mode: bool) -> list[str]:
    """Stop and disable each master that is up and not used; returns their units. Raises SystemctlError."""
    stopped = [item["unit"] for item in found if (item["active"] or item["enabled"]) and not item["used_by"]]
    for unit in [] if check_mode else stopped:
        systemd.disable(run, unit)
        systemd.stop(run, unit)
    return stopped
