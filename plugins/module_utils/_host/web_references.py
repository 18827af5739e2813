# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What in the configuration of the web servers would spoil a slot flip, by file and line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable, NamedTuple, Sequence, TypeVar

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
from ansible_collections.phpops.webhost.plugins.module_utils._host.web_files import (
    CONFIGURATION,
    MAX_DEPTH,
    MAX_FILE_BYTES,
    included,
    read_texts,
)

_NONE: frozenset[str] = frozenset()


_Directive = TypeVar("_Directive", apache_dump.Directive, nginx_preflight.Directive)


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
            for path, content in read_texts(included(item.words[-1], item.file), tops.union(chain)):
                found += _splice(parse(path, content), parse, tops, (*chain, path))
    return found


def apache_tree(places: Sequence[str] = CONFIGURATION, but: frozenset[str] = _NONE) -> list[apache_dump.Directive]:
    """Return Apache's enabled configuration, with what it includes; ``but``: real paths left out."""
    texts = [(path, content) for path, content in read_texts(places, but) if not _is_nginx(path)]
    tops = but.union(path for path, _content in texts)
    found: list[apache_dump.Directive] = []
    for path, content in texts:
        found += _splice(apache_preflight.parse(path, content), apache_preflight.parse, tops)
    return found


def nginx_tree(places: Sequence[str] = CONFIGURATION, but: frozenset[str] = _NONE) -> list[nginx_preflight.Directive]:
    """Return nginx's enabled configuration, with what it includes; what stands in http { } is lifted out of it.

    ``but``: real paths left out.
    """
    texts = [(path, content) for path, content in read_texts(places, but) if _is_nginx(path)]
    tops = but.union(path for path, _content in texts)
    found: list[nginx_preflight.Directive] = []
    for path, content in texts:
        found += _splice(nginx_preflight.parse(path, content), nginx_preflight.parse, tops)
    return found


def _is_nginx(path: str) -> bool:
    return "nginx" in Path(path).parts


def rewritten(site: str, root: str) -> frozenset[str]:
    """Return the real path of the virtual host that site_vhost wrote for a site below a server's root, if it did."""
    path = f"{root}/{AVAILABLE}/{file_name(site)}"
    try:
        own = read_text(path, MAX_FILE_BYTES).startswith(f"# {HEADER}\n")
    except Unreadable:
        own = False
    return frozenset([os.path.realpath(path)]) if own else _NONE


class Trees(NamedTuple):
    """The enabled configuration of both web servers, with what it includes; empty for one that is not there."""

    apache: list[apache_dump.Directive]
    nginx: list[nginx_preflight.Directive]


def trees(places: Sequence[str] = CONFIGURATION, but: frozenset[str] = _NONE) -> Trees:
    """Return what is enabled; ``but``: real paths left out."""
    return Trees(apache_tree(places, but), nginx_tree(places, but))


def findings(enabled: Trees, site: str, pointer: str, release: bool = False) -> list[Finding]:
    """Return what in the configuration would spoil a flip of the site whose pointer is given.

    release: the flip brings another document root, so files must be served through the pointer as well.
    """
    found = [
        *apache_preflight.apache_findings(enabled.apache, site, pointer),
        *nginx_preflight.nginx_findings(enabled.nginx, site, pointer),
    ]
    if release:
        found += apache_docroot.findings(enabled.apache, site, pointer)
        found += nginx_docroot.findings(enabled.nginx, site, pointer)
    return found


def spoilers(
    site: str,
    pointer: str,
    release: bool = False,
    places: Sequence[str] = CONFIGURATION,
    but: frozenset[str] = _NONE,
) -> list[Finding]:
    """Return what findings() has of the configuration as it is now.

    but: real paths of files that are not judged, for they are written anew before the switch.
    """
    return findings(trees(places, but), site, pointer, release)
