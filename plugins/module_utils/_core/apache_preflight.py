# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What in Apache's configuration would spoil a slot flip: connection reuse, and links that it would not follow."""

from __future__ import annotations

import fnmatch
import re
from typing import Iterable, Iterator, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive, split_arguments
from ansible_collections.phpops.webhost.plugins.module_utils._core.web_finding import Finding, never_drained

_SECTION = re.compile(r"<(/?)(\w+)\s*(.*?)>?\s*$")
_WORKER = re.compile(r"(?:proxy:)?(?:unix:(?P<path>[^|]*)\|)?(?P<url>\w+://[^/\s:]+)?", re.IGNORECASE)
_WORKER_DIRECTIVES = {"proxy", "proxyset", "proxypass", "proxypassmatch", "balancermember"}
# Sections that limit by a condition only: what is inside counts as if it stood outside.
_TRANSPARENT = {"ifmodule", "ifdefine", "ifversion", "iffile", "ifdirective", "ifsection"}

# Deeper than any server's own sections: what is inside of them then stays on one level.
MAX_DEPTH = 50


def parse(path: str, text: str) -> list[Directive]:
    """Parse one file of Apache's configuration into a tree; a closing tag that closes nothing is passed over."""
    top: list[Directive] = []
    stack: list[Directive] = []
    for number, line in _joined(text):
        match = _SECTION.match(line) if line.startswith("<") else None
        if match is None:
            name, _blank, arguments = line.partition(" ")
            entry = Directive(name, arguments.strip(), path, number)
        elif match.group(1):
            names = [item.key for item in stack]
            if match.group(2).lower() in names:
                del stack[len(names) - 1 - names[::-1].index(match.group(2).lower()) :]
            continue
        else:
            entry = Directive(match.group(2), match.group(3), path, number, section=True)
        if entry.key not in _TRANSPARENT:
            (stack[-1].children if stack else top).append(entry)
            if entry.section and len(stack) < MAX_DEPTH:
                stack.append(entry)
    return top


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Give each line with its number; a backslash at the end takes in the next one, and comments are left out."""
    whole, first = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        first = first or number
        if line.rstrip("\r").endswith("\\"):
            whole += line.rstrip("\r")[:-1]
            continue
        whole = (whole + line).replace("\t", " ").strip()
        if whole and not whole.startswith("#"):
            yield first, whole
        whole, first = "", 0


def apache_findings(tree: Sequence[Directive], site: str, pointer: str) -> list[Finding]:
    """Return what would spoil a flip of the site whose pointer (``/…/ptr/live``) is given.

    tree: parse() of all enabled files. Formats: httpd's mod_proxy (worker parameters), core (Options).
    """
    return [*_reuse(tree, site, f"{pointer}/php.sock"), *_owner_match(tree, pointer)]


def _walk(
    directives: Iterable[Directive], parents: tuple[Directive, ...] = ()
) -> Iterator[tuple[Directive, tuple[Directive, ...]]]:
    for directive in directives:
        yield directive, parents
        yield from _walk(directive.children, (*parents, directive))


def _reuse(tree: Sequence[Directive], site: str, socket: str) -> Iterator[Finding]:
    # With a unix socket a worker may be named whole, or by what stands after the bar.
    urls = {
        match.group("url").lower()
        for directive, _parents in _walk(tree)
        if socket in directive.arguments
        for match in map(_WORKER.match, split_arguments(directive.arguments))
        if match and match.group("path") == socket and match.group("url")
    }
    for directive, parents in _walk(tree):
        if directive.key not in _WORKER_DIRECTIVES or not _keeps(directive):
            continue
        named = directive.words
        for parent in parents:
            if parent.key == "proxy":
                named = [*named, *parent.words]
        if any(_is_worker(word, socket, urls) for word in named):
            yield never_drained(directive.file, directive.line, "enablereuse=on", site)


def _keeps(directive: Directive) -> bool:
    words = {word.lower() for word in directive.words}
    return bool(words & {"enablereuse=on", "disablereuse=off"})


def _is_worker(word: str, socket: str, urls: set[str]) -> bool:
    match = _WORKER.match(word)
    if match is None or not (match.group("path") or match.group("url")):
        return False
    if match.group("path"):
        return match.group("path") == socket
    return match.group("url").lower() in urls


def _owner_match(tree: Sequence[Directive], pointer: str) -> Iterator[Finding]:
    """Find the Options that hold for the pointer's folder where a virtual host serves files through it."""
    for scope in [[], *[item.children for item in tree if item.key == "virtualhost"]]:
        own = [item for item in tree if item.key != "virtualhost"]
        if not any(
            word == f"{pointer}/docroot" or word.startswith(f"{pointer}/docroot/")
            for directive, _parents in _walk(scope or own)
            if directive.key in ("documentroot", "alias", "scriptalias")
            for word in directive.words
        ):
            continue
        by: Directive | None = None
        folder = pointer.rpartition("/")[0]
        sections = [item for item in [*own, *scope] if item.key == "directory" and _holds(item, folder)]
        for section in sorted(sections, key=lambda item: len(item.words[-1].rstrip("/"))):
            for option in section.children:
                if option.key == "options":
                    by = _merged(by, option)
        if by is not None:
            why = f"Apache follows the pointer of the site only where link and target have one owner ({by.arguments})"
            yield Finding(by.file, by.line, why, "say `Options FollowSymLinks` there")


def _holds(section: Directive, folder: str) -> bool:
    """Tell whether a <Directory> concerns the folder or one above it; regular expressions (~) are passed over."""
    words = section.words
    if len(words) != 1:
        return False
    pattern = words[0].rstrip("/")
    parts = folder.split("/")
    return any(fnmatch.fnmatchcase("/".join(parts[:count]), pattern) for count in range(1, len(parts) + 1))


def _merged(by: Directive | None, option: Directive) -> Directive | None:
    """Return the line by which links are followed for one owner only, None where they are followed at all."""
    words = [word.lower() for word in option.words]
    if any(word in ("followsymlinks", "+followsymlinks", "all") for word in words):
        return None
    if any(word in ("symlinksifownermatch", "+symlinksifownermatch") for word in words):
        return option
    relative = all(word.startswith(("+", "-")) for word in words)
    return by if relative and "-symlinksifownermatch" not in words else None
