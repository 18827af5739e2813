# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The lines that hand a site's PHP files to its PHP-FPM, and their way into and out of an Apache file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterable, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.config_lines import (
    LineError,
    closing_line,
    split_lines,
)

# A block has no place in this file; the message is one sentence for the user.
BlockError = LineError
SOCKET = "/var/lib/phpops/{site}/ptr/live/php.sock"
_BEGIN = re.compile(r"^\s*# BEGIN phpops\.webhost (\S+)\s*$")
_DELIMITERS = "#!,;~@%"


@dataclass(frozen=True)
class Rule:
    """Which files go to PHP: a regular expression for the base name, below a directory ("" = anywhere)."""

    pattern: str
    ignore_case: bool = False
    directory: str = ""


@dataclass(frozen=True)
class Block:
    """What a site's block says. Times are seconds, sizes bytes; None = Apache's own default stays."""

    site: str
    rules: tuple[Rule, ...]
    excluded: tuple[str, ...] = ()
    pass_authorization: bool = False
    request_body_bytes: int | None = None
    read_timeout_seconds: int | None = None


def any_extension(extensions: Iterable[str]) -> Rule:
    """Return the rule with AddHandler's semantics: the extension stands anywhere after the base name, in any case.

    mod_mime takes the leading dots and all up to the next dot as the base name, which is never an extension:
    `.php` alone is not one, `p.php.de` is (mod_mime.c, find_ct).
    """
    return Rule(r"^\.*[^.].*\.(?:" + _alternatives(extensions) + r")(?:\..*)?$", ignore_case=True)


def last_extension(extensions: Iterable[str]) -> Rule:
    """Return the rule for names that end in one of the extensions, in this very case, as FilesMatch has it."""
    return Rule(r"\.(?:" + _alternatives(extensions) + r")$")


def _alternatives(extensions: Iterable[str]) -> str:
    return "|".join(sorted(re.escape(extension.lstrip(".")) for extension in extensions))


def python_pattern(rule: Rule) -> re.Pattern[str] | None:
    """Return the rule's expression for Python's re, or None where it is written for PCRE alone."""
    try:
        return re.compile(rule.pattern, re.IGNORECASE if rule.ignore_case else 0)
    except re.error:
        return None


def render(block: Block) -> str:
    """Return the block's lines, each ended by a newline, indented by four blanks.

    `<If>` is merged last of all sections (Apache's sections.html), so it wins over Directory, Files, Location and
    .htaccess. It is evaluated once before and once after the name was mapped to a file: only the second counts.
    A missing file is given to Apache's own handler, else the old one would still start php-cgi for it.
    """
    backend = "unix:" + SOCKET.format(site=block.site) + "|fcgi://" + block.site
    lines = ["# BEGIN phpops.webhost " + block.site]
    if block.read_timeout_seconds is not None:
        lines += [
            f'<Proxy "{backend}">',
            f"    ProxySet timeout={block.read_timeout_seconds}",
            "</Proxy>",
        ]
    settings = [f'SetHandler "proxy:{backend}"']
    if block.pass_authorization:
        settings.append("CGIPassAuth On")
    for rule in block.rules:
        names = _condition(rule, block.excluded)
        lines.append(f'<If "{names} && -f %{{REQUEST_FILENAME}}">')
        lines += ["    " + setting for setting in settings]
        lines.append("</If>")
        lines.append(f'<If "{names} && ! -e %{{REQUEST_FILENAME}}">')
        lines += ["    SetHandler default-handler", "</If>"]
        if block.request_body_bytes is not None:
            # LimitRequestBody has no effect on what goes to a proxy (tried with 2.4.71).
            lines.append(f'<If "{names} && %{{HTTP:Content-Length}} -gt {block.request_body_bytes}">')
            lines += ["    Redirect 413", "</If>"]
    lines.append("# END phpops.webhost " + block.site)
    return "".join("    " + line + "\n" for line in lines)


def _condition(rule: Rule, excluded: Sequence[str]) -> str:
    parts = []
    if rule.directory:
        parts.append("%{REQUEST_FILENAME} =~ " + _match("^" + re.escape(rule.directory.rstrip("/")) + "/"))
    parts += [
        "%{REQUEST_FILENAME} !~ " + _match("^" + re.escape(directory.rstrip("/")) + "/") for directory in excluded
    ]
    # FilesMatch tests the last component of the path alone: $1 holds it for the test that follows.
    parts.append("%{REQUEST_FILENAME} =~ m#([^/]*)$#")
    parts.append("$1 =~ " + _match(rule.pattern, rule.ignore_case))
    return " && ".join(parts)


def _match(pattern: str, ignore_case: bool = False) -> str:
    delimiter = next((mark for mark in _DELIMITERS if mark not in pattern), None)
    if delimiter is None or re.search(r'[\x00-\x1f\x7f"]', pattern) or "\\\\" in pattern:
        raise BlockError(f"The pattern {pattern!r} can't be written into an <If> section: simplify it.")
    return "m{0}{1}{0}{2}".format(delimiter, pattern, "i" if ignore_case else "")


def place(text: str, blocks: Sequence[tuple[int, str, str]]) -> str:
    """Return the file's text with each (line of `<VirtualHost`, site, block) put before the closing tag.

    A block of the same site that is there already is replaced. The text is latin-1, so that every byte survives.
    Raises BlockError when a line holds no virtual host (the file changed since the facts were read, or a macro
    made it), or when it is never closed in this file.
    """
    lines = split_lines(text)
    for line, site, block in sorted(blocks, reverse=True):
        end = closing_line(lines, line)
        ending = "\r\n" if lines[end].endswith("\r\n") else "\n"
        as_bytes = block.encode("utf-8", "surrogateescape").decode("latin-1")
        inside = _without(lines[line - 1 : end], site)
        lines[line - 1 : end] = inside + [part.rstrip("\n") + ending for part in split_lines(as_bytes)]
    return "".join(lines)


def remove(text: str, site: str) -> str:
    """Return the text without the site's blocks: the very bytes that were there before `place`."""
    return "".join(_without(split_lines(text), site))


def _without(lines: Sequence[str], site: str) -> list[str]:
    kept: list[str] = []
    begin = re.compile(rf"^\s*# BEGIN phpops\.webhost {re.escape(site)}\s*$")
    end = re.compile(rf"^\s*# END phpops\.webhost {re.escape(site)}\s*$")
    start: int | None = None
    for line in lines:
        if start is None and begin.match(line):
            start = len(kept)
        kept.append(line)
        if start is not None and end.match(line):
            del kept[start:]
            start = None
    return kept


def sites_in(text: str) -> list[str]:
    """Return the names of the sites whose blocks the text holds, in order."""
    return [match.group(1) for match in map(_BEGIN.match, split_lines(text)) if match]
