# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Single lines of an Apache file, found by what Apache's dump says of them, changed and given back byte for byte.

The text is latin-1, so that every byte survives.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterable, Sequence

_OPEN = re.compile(r"^\s*<VirtualHost(?:\s|>)", re.IGNORECASE)
_CLOSE = re.compile(r"^\s*</VirtualHost\s*>\s*$", re.IGNORECASE)
_INCLUDE = re.compile(r'^(\s*(?:Include|IncludeOptional|ServerRoot)\s+"?)', re.IGNORECASE)


class LineError(ValueError):
    """A file is not what Apache's dump says of it; the message is one sentence for the user."""


@dataclass(frozen=True)
class LineEdit:
    """One directive's lines as they were and as they are now, with their line ends; the number is of the first one."""

    line: int
    old: str
    new: str


def split_lines(text: str) -> list[str]:
    """Split at newlines alone, which stay: splitlines takes some other latin-1 characters for line ends too."""
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def closing_line(lines: Sequence[str], line: int) -> int:
    """Return the index of the closing tag of the virtual host that begins on a line. Raises LineError."""
    if not 0 < line <= len(lines) or not _OPEN.match(lines[line - 1]):
        raise LineError(f"Line {line} is not the start of a virtual host: gather the facts again.")
    for index in range(line, len(lines)):
        if _CLOSE.match(lines[index]) and not _continues(lines[index - 1]):
            return index
    raise LineError(f"The virtual host of line {line} is not closed in its file: write </VirtualHost>.")


def _continues(line: str) -> bool:
    return line.rstrip("\r\n").endswith("\\")


def directive_lines(lines: Sequence[str], line: int, name: str) -> tuple[int, int]:
    """Return (first, behind the last) index of a directive's lines. Raises LineError when the line holds another one.

    Of a directive that a backslash continues, Apache counts the last line (server/util.c, ap_cfg_getline).
    """
    first = line - 1
    if not 0 <= first < len(lines):
        raise LineError(f"There is no line {line}, where Apache reads {name}.")
    while first > 0 and _continues(lines[first - 1]):
        first -= 1
    end = line
    while end < len(lines) and _continues(lines[end - 1]):
        end += 1
    if not re.match(rf"\s*{re.escape(name)}(?:\s|$|\\)", lines[first], re.IGNORECASE):
        raise LineError(f"Line {line} does not hold {name}, which Apache reads there.")
    return first, end


def rewritten(lines: Sequence[str], line: int, name: str, new_name: str, value: str | None) -> LineEdit:
    """Return the edit that gives a directive a new name and, unless it is None, a new value. Raises LineError.

    Indent and line end stay as they are; without a new value so do the arguments.
    """
    first, end = directive_lines(lines, line, name)
    old = "".join(lines[first:end])
    indent = old[: len(old) - len(old.lstrip())]
    if value is None:
        new = indent + new_name + old[len(indent) + len(name) :]
    else:
        new = f"{indent}{new_name} {value}" + old[len(old.rstrip("\r\n")) :]
    return LineEdit(first + 1, old, new)


def undo(text: str, edits: Iterable[LineEdit]) -> tuple[str, list[LineEdit]]:
    """Put the old lines back; return the text and the edits whose new lines are not there any more.

    The lines may have moved since: those that are nearest to where they were are taken. Edits that change nothing, and
    those whose old lines are there, as a run was killed before it changed them, are passed over.
    """
    lines = split_lines(text)
    lost = []
    for edit in sorted(edits, key=lambda edit: -edit.line):
        if edit.old == edit.new:
            continue
        new = split_lines(edit.new)
        places = _places(lines, new)
        if not places:
            lost += [] if _places(lines, split_lines(edit.old)) else [edit]
            continue
        place = min(places, key=lambda index: abs(index + 1 - edit.line))
        lines[place : place + len(new)] = split_lines(edit.old)
    return "".join(lines), lost


def _places(lines: Sequence[str], wanted: Sequence[str]) -> list[int]:
    return [index for index in range(len(lines)) if list(lines[index : index + len(wanted)]) == list(wanted)]


def apply_all(text: str, edits: Iterable[LineEdit], blocks: Iterable[tuple[int, str]]) -> str:
    """Return the text with the edits, and with each block before the closing tag of the virtual host of its line.

    All line numbers are those of the text given. A block's lines end as that tag's line does. Raises LineError.
    """
    lines = split_lines(text)
    work = [(edit.line - 1, edit.line - 1 + len(split_lines(edit.old)), edit.new) for edit in edits]
    for line, block in blocks:
        index = closing_line(lines, line)
        ending = "\r\n" if lines[index].endswith("\r\n") else "\n"
        work.append((index, index, "".join(part.rstrip("\n") + ending for part in split_lines(block))))
    for first, end, new in sorted(work, reverse=True):
        lines[first:end] = split_lines(new)
    return "".join(lines)


def without_block(text: str, begin: str, end: str) -> str:
    """Return the text without all blocks from a line `begin` to a line `end`, whatever their indent."""
    kept: list[str] = []
    start: int | None = None
    for line in split_lines(text):
        if start is None and line.strip() == begin:
            start = len(kept)
        kept.append(line)
        if start is not None and line.strip() == end:
            del kept[start:]
            start = None
    return "".join(kept)


def moved_includes(text: str, root: str, other: str) -> str:
    """Return an Apache file's text whose Include and ServerRoot lines name `other` instead of the folder `root`."""
    pattern = re.compile(re.escape(root.rstrip("/")) + r'(?=[/"\s]|$)')
    lines = split_lines(text)
    for index, line in enumerate(lines):
        found = _INCLUDE.match(line)
        if found:
            here = pattern.match(line, found.end())
            if here:
                lines[index] = line[: here.start()] + other + line[here.end() :]
    return "".join(lines)
