# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What in nginx's configuration would go on serving an old document root after a release was switched."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Iterator, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.nginx_preflight import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.web_finding import Finding

_PATHS = ("SCRIPT_FILENAME", "DOCUMENT_ROOT")


@dataclass(frozen=True)
class _Held:
    """What holds in a block: its root, and the fastcgi_param lines, which any of a block's own replace."""

    root: Directive | None = None
    params: tuple[Directive, ...] = ()

    def inside(self, children: Sequence[Directive]) -> _Held:
        held = self
        params = tuple(item for item in children if item.name == "fastcgi_param")
        if params:
            held = replace(held, params=params)
        for item in children:
            if item.name in ("root", "alias"):
                held = replace(held, root=item)
        return held


def findings(tree: Sequence[Directive], site: str, pointer: str) -> list[Finding]:
    """Return what keeps a release of the site from being served whole; ``pointer`` is its ``/…/ptr/live``.

    tree: all enabled files, with includes in their place and http { } lifted. Formats: nginx's
    ngx_http_core_module (root, alias), ngx_http_fastcgi_module (fastcgi_param), ngx_http_upstream_module.
    """
    sockets = {f"unix:{pointer}/php.sock"}
    for upstream in tree:
        if upstream.name == "upstream" and any(item.value in sockets for item in upstream.children):
            sockets.add(upstream.value)
    found: list[Finding] = []
    around = _Held().inside(tree)
    for server in tree:
        if server.name == "server" and _hands_over(server, sockets):
            held = around.inside(server.children)
            found += _of_root(held, server, site, f"{pointer}/docroot")
            found += _inside(server, held, sockets, site, f"{pointer}/docroot")
    return list(dict.fromkeys(found))


def _hands_over(block: Directive, sockets: set[str]) -> bool:
    return any(
        (item.name == "fastcgi_pass" and item.value in sockets) or _hands_over(item, sockets) for item in block.children
    )


def _below(path: str, folder: str) -> bool:
    return path.rstrip("/") == folder or path.startswith(f"{folder}/")


def _of_root(held: _Held, block: Directive, site: str, goal: str) -> Iterator[Finding]:
    cure = f"say `root {goal};` there, and reload nginx (it serves the same files, until a release is switched)"
    if held.root is None:
        yield Finding(block.file, block.line, f"the server of site {site} has no root of its own", cure)
    elif not _below(held.root.value, goal):
        shown = " ".join(held.root.words)
        why = f"`{shown}` doesn't go through the pointer of site {site}, so no release would be served"
        yield Finding(held.root.file, held.root.line, why, cure)


def _why_not(value: str, site: str, goal: str) -> str | None:
    """Return why PHP must not be given this path; None for one through the pointer."""
    if value.startswith("$realpath_root"):
        return f"names the release before nginx connects: at a switch, site {site}'s new slot would run the old one"
    if value.startswith("/") and not _below(value.partition("$")[0], goal):
        return f"names another path than the pointer of site {site}"
    return None


def _inside(block: Directive, held: _Held, sockets: set[str], site: str, goal: str) -> Iterator[Finding]:
    if any(item.name == "fastcgi_pass" and item.value in sockets for item in block.children):
        if held.root is not None:
            yield from _of_root(held, block, site, goal)
        for item in held.params:
            why = _why_not(item.words[2], site, goal) if item.value in _PATHS and len(item.words) > 2 else None
            if why:
                why = f"`{' '.join(item.words)}` {why}"
                rest = "$fastcgi_script_name" if item.value == "SCRIPT_FILENAME" else ""
                cure = f"say `fastcgi_param {item.value} $document_root{rest};` there, and reload nginx"
                yield Finding(item.file, item.line, why, cure)
    old = held.root.value.rstrip("/") if held.root is not None else ""
    for child in block.children:
        if not child.children:
            continue
        inner = held.inside(child.children)
        # A folder of its own (certificates, another application) is left alone; one of the old root is not.
        if inner.root is not None and not _below(old, goal) and old and _below(inner.root.value, old):
            yield from _of_root(inner, child, site, goal + inner.root.value.rstrip("/")[len(old) :])
        yield from _inside(child, inner, sockets, site, goal)
