# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What in nginx's configuration would spoil a slot flip: connection reuse, and links that it looks up once or never."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Iterable, Iterator, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.web_finding import Finding, never_drained

_TOKEN = re.compile(
    r"""(?P<blank>\s+|\#[^\n]*)|"(?P<double>(?:\\.|[^"\\])*)"|'(?P<single>(?:\\.|[^'\\])*)'"""
    r"""|(?P<mark>[;{}])|(?P<word>(?:\$\{|\\.|[^\s;{}])+)|(?P<other>.)""",
    re.DOTALL,
)
_OFF = ("off", "0")
# Deeper than any server's own blocks: what is inside of them then stays on one level.
MAX_DEPTH = 50


@dataclass
class Directive:
    """One directive: its words (the name first), where it stands, and what is inside of its block."""

    words: list[str]
    file: str
    line: int
    children: list[Directive] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.words[0]

    @property
    def value(self) -> str:
        """The first argument, "" without one."""
        return self.words[1] if len(self.words) > 1 else ""


def parse(path: str, text: str) -> list[Directive]:
    """Parse one file of nginx's configuration; what stands in http { } is lifted out of it.

    A brace that closes nothing is passed over, and one that is never closed ends with the text.
    """
    top: list[Directive] = []
    levels = [top]
    words: list[str] = []
    line, first = 1, 0
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "mark":
            if words:
                entry = Directive(words, path, first)
                levels[-1].append(entry)
                if match.group() == "{":
                    lifted = entry.name == "http" or len(levels) > MAX_DEPTH
                    levels.append(levels[-1] if lifted else entry.children)
            elif match.group() == "{":
                levels.append([])
            if match.group() == "}" and len(levels) > 1:
                levels.pop()
            words = []
        elif kind != "blank":
            first = first if words else line
            words.append(match.group(kind or 0))
        line += match.group().count("\n")
    return top


def unbalanced(text: str) -> str | None:
    """Return None when the text holds whole directives and blocks, else what is wrong with it, as a verb phrase."""
    depth, open_words = 0, False
    for match in _TOKEN.finditer(text):
        kind, found = match.lastgroup, match.group()
        if kind == "blank":
            continue
        if kind != "mark":
            if kind == "other" or (kind == "word" and found[0] in "'\""):
                return "hold a quote or a backslash that nothing ends"
            open_words = True
            continue
        if found == "}" and open_words:
            return "hold a directive that no ; ends"
        depth += {"{": 1, "}": -1, ";": 0}[found]
        if depth < 0:
            return "close a block that they don't open"
        open_words = False
    if depth:
        return "open a block that they don't close"
    return "hold a directive that no ; ends" if open_words else None


def nginx_findings(tree: Sequence[Directive], site: str, pointer: str) -> list[Finding]:
    """Return what would spoil a flip of the site whose pointer (``/…/ptr/live``) is given.

    tree: parse() of all enabled files. Formats: nginx's ngx_http_upstream_module, _fastcgi_module, _core_module.
    """
    return [*_reuse(tree, site, f"unix:{pointer}/php.sock"), *_links(tree, site, f"{pointer}/docroot")]


def _walk(directives: Iterable[Directive]) -> Iterator[Directive]:
    for directive in directives:
        yield directive
        yield from _walk(directive.children)


def _reuse(tree: Sequence[Directive], site: str, socket: str) -> Iterator[Finding]:
    """An upstream keeps connections only where fastcgi_keep_conn asks PHP-FPM to do so as well."""
    for upstream in [item for item in tree if item.name == "upstream"]:
        keeping = [item for item in upstream.children if item.name == "keepalive" and item.value not in _OFF]
        if not keeping or not any(item.name == "server" and item.value == socket for item in upstream.children):
            continue
        users = [
            server
            for server in tree
            if server.name == "server"
            and any(item.name == "fastcgi_pass" and item.value == upstream.value for item in _walk(server.children))
        ]
        if any(_set(tree, server, "fastcgi_keep_conn") for server in users):
            setting = f"keepalive {keeping[0].value}; with fastcgi_keep_conn on"
            yield never_drained(keeping[0].file, keeping[0].line, setting, site)


def _links(tree: Sequence[Directive], site: str, docroot: str) -> Iterator[Finding]:
    for server in [item for item in tree if item.name == "server"]:
        named = (item.value for item in _walk(server.children) if item.name in ("root", "alias"))
        if not any(value == docroot or value.startswith(f"{docroot}/") for value in named):
            continue
        for found in _set(tree, server, "disable_symlinks"):
            if "from=$document_root" not in found.words:
                why = f"`{' '.join(found.words)}` lets nginx refuse the pointer of site {site}, which is a link"
                yield Finding(found.file, found.line, why, "add `from=$document_root`, or set it off in this server")
        for found in _set(tree, server, "open_file_cache"):
            why = f"`{' '.join(found.words)}` lets nginx serve files of site {site}'s old slot after a flip"
            yield Finding(found.file, found.line, why, "set `open_file_cache off;` in this server")


def _set(tree: Sequence[Directive], server: Directive, name: str) -> list[Directive]:
    """Return the directives of a name that hold in a server and are not off: its own, else the ones around it."""
    own = [item for item in _walk(server.children) if item.name == name]
    if not any(item.name == name for item in server.children):
        own += [item for item in tree if item.name == name]
    return [item for item in own if item.value not in _OFF]
