# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The enabled configuration of Apache and nginx as text: its files, and where they name something."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path
from typing import Container, Iterator, Sequence

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
SERVER_ROOTS = {"apache": "/etc/apache2", "nginx": "/etc/nginx"}
ROOTS = tuple(SERVER_ROOTS.values())
MAX_FILE_BYTES = 4 * 1024 * 1024
# Includes of includes, and files altogether, beyond any server's own.
MAX_DEPTH, MAX_FILES = 10, 5000
_INCLUDE = re.compile(r"""^\s*include(?:optional)?\s+["']?([^"';#\n]+)""", re.IGNORECASE | re.MULTILINE)


def _files(places: Sequence[str]) -> list[str]:
    found = []
    for place in places:
        if Path(place).is_dir():
            for folder, _folders, names in os.walk(place, followlinks=False):
                found += [f"{folder}/{name}" for name in sorted(names)]
        elif Path(place).exists():
            found.append(place)
    return found


def read_texts(places: Sequence[str], but: Container[str] = ()) -> Iterator[tuple[str, str]]:
    """Give the real path and the text of each file of these places that can be read; ``but``: real paths left out."""
    for path in _files(places):
        real = os.path.realpath(path)
        if real not in but:
            try:
                yield real, read_text(path, MAX_FILE_BYTES)
            except Unreadable:
                continue


def included(pattern: str, path: str) -> list[str]:
    """Return the files that an include in a file names, relative to the folder of that file's server."""
    root = next((place for place in ROOTS if path.startswith(f"{place}/")), str(Path(path).parent))
    # Variables of Apache are not known here.
    if "$" in pattern or "\0" in pattern:
        return []
    return _files(sorted(glob.glob(str(Path(root, pattern.strip()))))[:MAX_FILES])  # noqa: PTH207 - absolute patterns


def _all_texts(places: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give the real path and the text of each enabled file, with what they include, each once."""
    waiting = list(read_texts(places))
    seen: set[str] = set()
    while waiting and len(seen) < MAX_FILES:
        path, content = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        yield path, content
        for match in _INCLUDE.finditer(content):
            known = seen | {item[0] for item in waiting}
            waiting += read_texts(included(match.group(1), path), known)


def references(text: str, places: Sequence[str] = CONFIGURATION) -> list[str]:
    """Return each "file:line" of the enabled configuration that holds ``text`` outside of a comment."""
    return [
        f"{path}:{number}"
        for path, content in _all_texts(places)
        if text in content
        for number, line in enumerate(content.splitlines(), 1)
        if text in line and not line.lstrip().startswith("#")
    ]


def serves(pointer: str, places: Sequence[str] = CONFIGURATION) -> list[str]:
    """Return each "file:line" of the enabled configuration that hands files to the site whose pointer is given."""
    return references(f"{pointer}/php.sock", places)
