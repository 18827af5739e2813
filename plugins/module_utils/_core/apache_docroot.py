# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What in Apache's configuration would go on serving an old document root after a release was switched."""

from __future__ import annotations

import fnmatch
import re
from typing import Iterator, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_config import walk
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.web_finding import Finding

# Lines that hand requests to PHP; <Proxy> and ProxySet only say how.
_HANDS_OVER = {"sethandler", "addhandler", "action", "proxypass", "proxypassmatch", "rewriterule", "balancermember"}
_MASS = {"virtualdocumentroot", "virtualdocumentrootip"}
_ALIASES = {"alias", "scriptalias"}
_URL_PATH = re.compile(r"\|fcgi://[^/\s\"]*(/[^\s\"]*)")
_FILE_PATTERN = re.compile(r"REQUEST_FILENAME\}\s*!?=~\s*m(\W)\^(/.*?)\1")


def findings(tree: Sequence[Directive], site: str, pointer: str) -> list[Finding]:
    """Return what keeps a release of the site from being served whole; ``pointer`` is its ``/…/ptr/live``.

    tree: all enabled files, with includes in their place. Formats: httpd's core (DocumentRoot, Directory, Require),
    mod_alias, mod_vhost_alias, mod_proxy. Macros are not expanded.
    """
    hosts = [item for item in tree if item.key == "virtualhost"]
    around = [item for item in tree if item.key != "virtualhost"]
    socket = f"{pointer}/php.sock"
    found: list[Finding] = []
    for host in hosts:
        if any(_names(item, socket) for item in walk(host.children)):
            found += _in_scope(host.children, around, host, site, pointer)
    by_all = next((item for item in walk(around) if _names(item, socket)), None)
    if by_all is not None:
        roots = [item for scope in (around, *(host.children for host in hosts)) for item in scope]
        if not any(item.key == "documentroot" and _below(_path(item), f"{pointer}/docroot") for item in roots):
            why = f"every virtual host hands PHP to site {site} here, and none has its document root"
            found.append(Finding(by_all.file, by_all.line, why, _say(f'DocumentRoot "{pointer}/docroot"')))
    return list(dict.fromkeys(found))


def _names(item: Directive, socket: str) -> bool:
    return item.key in _HANDS_OVER and f"unix:{socket}|" in item.arguments


def _path(item: Directive) -> str:
    return item.words[-1].rstrip("/") if item.words else ""


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _say(line: str) -> str:
    return f"say `{line}` there, and reload Apache (it serves the same files as before, until a release is switched)"


def _in_scope(
    scope: Sequence[Directive], around: Sequence[Directive], host: Directive, site: str, pointer: str
) -> Iterator[Finding]:
    goal = f"{pointer}/docroot"
    own = [item for item in scope if item.key == "documentroot"]
    roots = own or [item for item in around if item.key == "documentroot"]
    root = roots[-1] if roots else None
    mass = next((item for item in walk(scope) if item.key in _MASS), None)
    old = ""
    if mass is not None:
        why = f"the virtual host of site {site} has its document root by a pattern"
        yield Finding(mass.file, mass.line, why, f'give site {site} a virtual host with `DocumentRoot "{goal}"`')
    elif root is None or (not own and not _below(_path(root), goal)):
        why = f"the virtual host of site {site} has no DocumentRoot of its own"
        yield Finding(host.file, host.line, why, _say(f'DocumentRoot "{goal}"'))
    elif not _below(_path(root), goal):
        old = _path(root)
        why = f"`DocumentRoot {old}` doesn't go through the pointer of site {site}, so no release would be served"
        yield Finding(root.file, root.line, why, _say(f'DocumentRoot "{goal}"'))
    yield from _old_paths(scope, old, site, goal)
    yield from _old_sections(scope, around, old, site, goal)
    yield from _denied(scope, around, site, goal)


def _old_paths(scope: Sequence[Directive], old: str, site: str, goal: str) -> Iterator[Finding]:
    """Find aliases below the old document root, and scripts that are named by another path than the pointer's."""
    for item in walk(scope):
        if item.key in _ALIASES and old and _below(_path(item), old):
            why = f"`{item.name} {item.arguments}` serves the old document root of site {site}"
            yield Finding(item.file, item.line, why, f"name {goal}{_path(item)[len(old) :]} there")
        url = _URL_PATH.search(item.arguments) if _names(item, goal.rpartition("/")[0] + "/php.sock") else None
        if url and url.group(1).strip("/") and not _below(url.group(1).rstrip("/"), goal):
            why = f"scripts of site {site} are named by {url.group(1)}, which is not the pointer's path"
            yield Finding(item.file, item.line, why, f"name {goal}/ there")


def _old_sections(
    scope: Sequence[Directive], around: Sequence[Directive], old: str, site: str, goal: str
) -> Iterator[Finding]:
    """Find sections that no request of the site matches any more: rules that would silently stop to hold."""
    aliases = [_path(item) for item in walk([*around, *scope]) if item.key in _ALIASES]
    for item in [*scope, *[item for item in around if old and _is_plain(item) and _below(_path(item), old)]]:
        if not item.children or not _is_plain(item):
            continue
        path = _path(item)
        if path in ("", "/") or _matches(path, goal) or _below(path, goal.rpartition("/")[0]):
            continue
        if any(_below(alias, path) or _below(path, alias) or _matches(path, alias) for alias in aliases):
            continue
        why = f"the rules of `<Directory {path}>` don't hold for site {site}'s files, which Apache has under {goal}"
        rest = path[len(old) :] if old and _below(path, old) else ""
        yield Finding(item.file, item.line, why, f'say `<Directory "{goal}{rest}">` there, or take it out')
    for item in walk(scope):
        match = _FILE_PATTERN.search(item.arguments) if item.key in ("if", "elseif") else None
        path = re.sub(r"\\(.)", r"\1", match.group(2)).rstrip("/") if match else ""
        if path and not _below(path, goal):
            why = f"this rule is for files under {path}, which site {site} has under {goal} with a release"
            yield Finding(item.file, item.line, why, "let it name that folder")


def _is_plain(item: Directive) -> bool:
    """A <Directory> with one path; regular expressions are passed over, for they may match either."""
    return item.key == "directory" and len(item.words) == 1


def _matches(pattern: str, folder: str) -> bool:
    """Tell whether a <Directory> concerns a folder, by itself or by one above it."""
    parts = folder.split("/")
    return any(fnmatch.fnmatchcase("/".join(parts[:count]) or "/", pattern) for count in range(1, len(parts) + 1))


def _denied(scope: Sequence[Directive], around: Sequence[Directive], site: str, goal: str) -> Iterator[Finding]:
    """Find the line that denies the pointer's folder: each section with a Require replaces those of shorter paths.

    Nothing is said where a section of the virtual host grants the old document root: to rename it is the cure.
    """
    elsewhere = [item for item in scope if _is_plain(item) and not _matches(_path(item) or "/", goal)]
    if any(rule.key.startswith("require") and not _denies(rule) for item in elsewhere for rule in item.children):
        return
    sections = [item for item in [*around, *scope] if _is_plain(item) and _matches(_path(item) or "/", goal)]
    rule: Directive | None = None
    for section in sorted(sections, key=lambda item: _path(item).count("/")):
        requires = [item for item in section.children if item.key.startswith("require")]
        rule = requires[-1] if requires else rule
    if rule is not None and _denies(rule):
        folder = goal.rpartition("/")[0].rpartition("/")[0]
        why = f"Apache denies {goal}, the document root of site {site}"
        cure = (
            f'put `<Directory "{folder}">`, `Options FollowSymLinks`, `Require all granted` and `</Directory>` into its'
            " virtual host"
        )
        yield Finding(rule.file, rule.line, why, cure)


def _denies(rule: Directive) -> bool:
    return rule.key == "require" and [word.lower() for word in rule.words] == ["all", "denied"]
