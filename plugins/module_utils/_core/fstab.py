# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reads and edits the text of /etc/fstab line by line: what is not ours keeps its bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Collection, Mapping, Sequence

_ESCAPE = re.compile(r"\\([0-7]{3})")
# "[E] unreachable …" below the mount point's name, or "findmnt: FILE: parse error at line 3 -- ignored".
_ERROR = re.compile(r"^\s*\[E\]\s*(.+)$")
_PARSE_ERROR = re.compile(r"^findmnt: .*(parse error) at line [0-9]+")


@dataclass(frozen=True)
class Entry:
    """One entry; ``number`` is its line, counted from 0; ``options`` as they stand there, between commas."""

    number: int
    source: str
    target: str
    kind: str
    options: tuple[str, ...]


def unescaped(path: str) -> str:
    """Return a path as it is, from a table of the kernel's or of mount's: a blank stands there as ``\\040``."""
    return _ESCAPE.sub(lambda code: chr(int(code.group(1), 8)), path)


def parse_fstab(text: str) -> list[Entry]:
    """Return the entries; comments, empty lines and lines of fewer than three fields are passed over (fstab(5))."""
    entries = []
    for number, line in enumerate(text.split("\n")):
        fields = line.split()
        if len(fields) >= 3 and not fields[0].startswith("#"):
            source, target = map(unescaped, fields[:2])
            options = tuple(fields[3].split(",")) if len(fields) > 3 else ()
            entries.append(Entry(number, source, target, fields[2], options))
    return entries


def escaped(path: str) -> str:
    """Return a path as a field of fstab, the other way round."""
    return re.sub(r"[ \t\n\\]", lambda found: f"\\{ord(found.group()):03o}", path)


def with_lines(text: str, lines: Sequence[str]) -> str:
    """Return the text with ``lines`` (without line ends) behind the others.

    Where the last line has no end they go before it, so that taking them out gives the old bytes back.
    """
    whole, end, rest = text.rpartition("\n")
    return whole + end + "".join(f"{line}\n" for line in lines) + rest


def without_lines(text: str, numbers: Collection[int]) -> str:
    """Return the text without the lines of these numbers, counted from 0."""
    return "\n".join(line for number, line in enumerate(text.split("\n")) if number not in numbers)


def with_replaced(text: str, lines: Mapping[int, str]) -> str:
    """Return the text with other lines (without line ends) at these numbers, counted from 0."""
    return "\n".join(lines.get(number, line) for number, line in enumerate(text.split("\n")))


def new_errors(before: str, after: str) -> list[str]:
    """Return the errors that `findmnt --verify` tells of the new file and didn't tell of the old one.

    ``before`` and ``after`` are its output with LC_ALL=C, standard output and error together. Warnings don't count:
    each swap file gets one. An error that was there already is somebody else's, and no reason to do nothing.
    """
    known = _errors(before)
    found = []
    for error in _errors(after):
        if error in known:
            known.remove(error)
        else:
            found.append(error)
    return found


def _errors(output: str) -> list[str]:
    errors = []
    for line in output.split("\n"):
        match = _ERROR.match(line) or _PARSE_ERROR.match(line)
        if match:
            errors.append(match.group(1).strip())
    return errors
