# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Where the web servers' configuration names a path, and what in it would spoil a slot flip."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Iterator, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import apache_preflight, nginx_preflight
from ansible_collections.phpops.webhost.plugins.module_utils._core.web_finding import Finding
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


def _texts(places: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give the real path and the text of each enabled file that can be read."""
    for path in _files(places):
        try:
            yield os.path.realpath(path), read_text(path, MAX_FILE_BYTES)
        except Unreadable:
            continue


def references(text: str, places: Sequence[str] = CONFIGURATION) -> list[str]:
    """Return each "file:line" of the enabled configuration that holds ``text`` outside of a comment."""
    return [
        f"{path}:{number}"
        for path, content in _texts(places)
        if text in content
        for number, line in enumerate(content.splitlines(), 1)
        if text in line and not line.lstrip().startswith("#")
    ]


def spoilers(site: str, pointer: str, places: Sequence[str] = CONFIGURATION) -> list[Finding]:
    """Return what in the enabled configuration would spoil a flip of the site whose pointer is given."""
    apache: list[apache_preflight.Directive] = []
    nginx: list[nginx_preflight.Directive] = []
    for path, content in _texts(places):
        if "nginx" in Path(path).parts:
            nginx += nginx_preflight.parse(path, content)
        else:
            apache += apache_preflight.parse(path, content)
    return [
        *apache_preflight.apache_findings(apache, site, pointer),
        *nginx_preflight.nginx_findings(nginx, site, pointer),
    ]
