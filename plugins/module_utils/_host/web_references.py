# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Where the web servers' configuration names a path."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text

# What is enabled; a file in sites-available that nothing links to is not.
CONFIGURATION = (
    "/etc/apache2/apache2.conf",
    "/etc/apache2/ports.conf",
    "/etc/apache2/conf-enabled",
    "/etc/apache2/mods-enabled",
    "/etc/apache2/sites-enabled",
    "/etc/nginx/nginx.conf",
    "/etc/nginx/conf.d",
    "/etc/nginx/sites-enabled",
)
MAX_FILE_BYTES = 4 * 1024 * 1024


def _files(places: Sequence[str]) -> list[str]:
    found = []
    for place in places:
        if Path(place).is_dir():
            for folder, _folders, names in os.walk(place, followlinks=False):
                found += [f"{folder}/{name}" for name in sorted(names)]
        elif Path(place).exists():
            found.append(place)
    return found


def references(text: str, places: Sequence[str] = CONFIGURATION) -> list[str]:
    """Return each "file:line" of the enabled configuration that holds ``text`` outside of a comment."""
    found = []
    for path in _files(places):
        try:
            content = read_text(path, MAX_FILE_BYTES)
        except Unreadable:
            continue
        if text not in content:
            continue
        for number, line in enumerate(content.splitlines(), 1):
            if text in line and not line.lstrip().startswith("#"):
                found.append(f"{os.path.realpath(path)}:{number}")
    return found
