# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Where the web servers' configuration names a path, and what in it would spoil a slot flip."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path
from typing import Callable, Container, Iterator, Sequence, TypeVar

from ansible_collections.phpops.webhost.plugins.module_utils._core import (
    apache_docroot,
    apache_dump,
    apache_preflight,
    nginx_docroot,
    nginx_preflight,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import HEADER
from ansible_collections.phpops.webhost.plugins.module_utils._core.vhost import AVAILABLE, file_name
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
SERVER_ROOTS = {"apache": "/etc/apache2", "nginx": "/etc/nginx"}
ROOTS = tuple(SERVER_ROOTS.values())
MAX_FILE_BYTES = 4 * 1024 * 1024
_NONE: frozenset[str] = frozenset()


_Directive = TypeVar("_Directive", apache_dump.Directive, nginx_preflight.Directive)
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


def _texts(places: Sequence[str], but: Container[str] = ()) -> Iterator[tuple[str, str]]:
    """Give the real path and the text of each file of these places that can be read; ``but``: real paths left out."""
    for path in _files(places):
        real = os.path.realpath(path)
        if real not in but:
            try:
                yield real, read_text(path, MAX_FILE_BYTES)
            except Unreadable:
                continue


def _included(pattern: str, path: str) -> list[str]:
    """Return the files that an include in a file names, relative to the folder of that file's server."""
    root = next((place for place in ROOTS if path.startswith(f"{place}/")), str(Path(path).parent))
    # Variables of Apache are not known here.
    if "$" in pattern or "\0" in pattern:
        return []
    return _files(sorted(glob.glob(str(Path(root, pattern.strip()))))[:MAX_FILES])  # noqa: PTH207 - absolute patterns


def _all_texts(places: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give the real path and the text of each enabled file, with what they include, each once."""
    waiting, seen = list(_texts(places)), set()  # type: ignore[var-annotated]
    while waiting and len(seen) < MAX_FILES:
        path, content = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        yield path, content
        for match in _INCLUDE.finditer(content):
            known = seen | {item[0] for item in waiting}
            waiting += _texts(_included(match.group(1), path), known)


def _splice(
    tree: Sequence[_Directive],
    parse: Callable[[str, str], list[_Directive]],
    tops: frozenset[str],
    chain: tuple[str, ...] = (),
) -> list[_Directive]:
    """Return the tree with each include replaced by what it takes in; files that are enabled anyway are passed over."""
    found: list[_Directive] = []
    for item in tree:
        item.children = _splice(item.children, parse, tops, chain)
        if item.name.lower() not in ("include", "includeoptional"):
            found.append(item)
        elif len(chain) < MAX_DEPTH and item.words:
            for path, content in _texts(_included(item.words[-1], item.file), tops.union(chain)):
                found += _splice(parse(path, content), parse, tops, (*chain, path))
    return found


def apache_tree(places: Sequence[str] = CONFIGURATION, but: frozenset[str] = _NONE) -> list[apache_dump.Directive]:
    """Return Apache's enabled configuration, with what it includes; ``but``: real paths left out."""
    texts = [(path, content) for path, content in _texts(places, but) if not _is_nginx(path)]
    tops = but.union(path for path, _content in texts)
    found: list[apache_dump.Directive] = []
    for path, content in texts:
        found += _splice(apache_preflight.parse(path, content), apache_preflight.parse, tops)
    return found


def nginx_tree(places: Sequence[str] = CONFIGURATION, but: frozenset[str] = _NONE) -> list[nginx_preflight.Directive]:
    """Return nginx's enabled configuration, with what it includes; what stands in http { } is lifted out of it.

    ``but``: real paths left out.
    """
    texts = [(path, content) for path, content in _texts(places, but) if _is_nginx(path)]
    tops = but.union(path for path, _content in texts)
    found: list[nginx_preflight.Directive] = []
    for path, content in texts:
        found += _splice(nginx_preflight.parse(path, content), nginx_preflight.parse, tops)
    return found


def _is_nginx(path: str) -> bool:
    return "nginx" in Path(path).parts


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


def rewritten(site: str, root: str) -> frozenset[str]:
    """Return the real path of the virtual host that site_vhost wrote for a site below a server's root, if it did."""
    path = f"{root}/{AVAILABLE}/{file_name(site)}"
    try:
        own = read_text(path, MAX_FILE_BYTES).startswith(f"# {HEADER}\n")
    except Unreadable:
        own = False
    return frozenset([os.path.realpath(path)]) if own else _NONE


def spoilers(
    site: str,
    pointer: str,
    release: bool = False,
    places: Sequence[str] = CONFIGURATION,
    but: frozenset[str] = _NONE,
) -> list[Finding]:
    """Return what in the enabled configuration would spoil a flip of the site whose pointer is given.

    release: the flip brings another document root, so files must be served through the pointer as well.
    but: real paths of files that are not judged, for they are written anew before the switch.
    """
    apache, nginx = apache_tree(places, but), nginx_tree(places, but)
    found = [
        *apache_preflight.apache_findings(apache, site, pointer),
        *nginx_preflight.nginx_findings(nginx, site, pointer),
    ]
    if release:
        found += [*apache_docroot.findings(apache, site, pointer), *nginx_docroot.findings(nginx, site, pointer)]
    return found
