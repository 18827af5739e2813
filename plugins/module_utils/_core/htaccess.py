# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reader of .htaccess files: the lines about handlers and PHP that take effect with the modules that are loaded."""

from __future__ import annotations

import re
from typing import Any, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_config import (
    HANDLER_DIRECTIVES,
    PHP_DIRECTIVES,
    walk,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive

_OPEN = re.compile(r"<(\w+)\s*(.*?)>?\s*", re.DOTALL)
_CLOSE = re.compile(r"</(\w+)\s*>\s*")
# Read past this many lines, a file is data, not configuration.
MAX_LINES = 20000


def parse_htaccess(text: str, file: str, modules: Sequence[str]) -> list[Directive]:
    """Parse the text of one .htaccess file into its directives.

    <IfModule> is decided by ``modules`` (names without "_module", as mod_fcgid.c or fcgid_module in the file);
    <IfDefine> and <IfVersion> are taken as true, so that nothing is missed. Broken sections never raise.
    """
    top: list[Directive] = []
    stack: list[tuple[Directive, bool]] = []
    number = 0
    lines = text.split("\n")[:MAX_LINES]
    while number < len(lines):
        start = number
        line = lines[number].rstrip("\r")
        number += 1
        while line.endswith("\\") and number < len(lines):
            line = line[:-1] + lines[number].rstrip("\r")
            number += 1
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        target = stack[-1][0].children if stack else top
        if _CLOSE.fullmatch(line):
            if stack:
                section, transparent = stack.pop()
                outer = stack[-1][0].children if stack else top
                if transparent:
                    outer.extend(section.children)
            continue
        opened = _OPEN.fullmatch(line) if line.startswith("<") else None
        if opened:
            section = Directive(opened.group(1), opened.group(2), file, start + 1, section=True)
            if section.key in ("ifmodule", "ifdefine", "ifversion", "iffile"):
                if not _taken(section, modules):
                    # Its children are collected and thrown away.
                    stack.append((section, False))
                    continue
                stack.append((section, True))
            else:
                target.append(section)
                stack.append((section, False))
            continue
        name, *arguments = line.split(None, 1)
        target.append(Directive(name, "".join(arguments), file, start + 1))
    # Sections that were never closed: Apache refuses the file; we keep what it says.
    while stack:
        section, transparent = stack.pop()
        if transparent:
            (stack[-1][0].children if stack else top).extend(section.children)
    return top


def _taken(section: Directive, modules: Sequence[str]) -> bool:
    if section.key != "ifmodule":
        return True
    name = section.arguments.strip().strip("\"'")
    negated = name.startswith("!")
    name = name.lstrip("!").lower()
    name = re.sub(r"^mod_|_module$|\.c$", "", re.sub(r"\.c$", "", name))
    return (name in modules) is not negated


def findings(directives: Sequence[Directive]) -> list[dict[str, Any]]:
    """List the lines about handlers and PHP: file, line, directive, arguments (as words), section headings."""
    listed: list[dict[str, Any]] = []
    _collect(directives, [], listed)
    return listed


def _collect(directives: Sequence[Directive], headings: list[str], listed: list[dict[str, Any]]) -> None:
    for item in directives:
        if item.section:
            _collect(item.children, [*headings, heading(item)], listed)
        elif item.key in HANDLER_DIRECTIVES or item.key in PHP_DIRECTIVES:
            listed.append(
                {
                    "file": item.file,
                    "line": item.line,
                    "directive": item.name,
                    "arguments": item.words,
                    "section": list(headings),
                }
            )


def heading(section: Directive) -> str:
    """Write a section's first line again: ``<FilesMatch "\\.php$">``."""
    return f"<{section.name} {section.arguments}>" if section.arguments else f"<{section.name}>"


def relevant(directives: Sequence[Directive]) -> bool:
    """Tell whether a file says anything about handlers or PHP."""
    return any(item.key in HANDLER_DIRECTIVES or item.key in PHP_DIRECTIVES for item in walk(directives))
