# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Files of /etc/sysctl.d that remember what a value was before, and which file has the last word at boot."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Mapping, Sequence

_BEFORE = re.compile(r"^# before: ([A-Za-z0-9_./-]{1,200}) = (\S.*)$")
_SETTING = re.compile(r"^\s*-?\s*([A-Za-z0-9_./*?\[\]-]+)\s*=\s*(.*?)\s*$")


def render(role: str, values: Mapping[str, str], before: Mapping[str, str]) -> str:
    """Return the text of a file that sets ``values``, with a comment for what each of them was before."""
    lines = [f"# Ansible managed: phpops.webhost, role {role}"]
    for key in sorted(values):
        if key in before:
            lines.append(f"# before: {key} = {before[key]}")
        lines.append(f"{key} = {values[key]}")
    return "\n".join(lines) + "\n"


def parse_before(text: str) -> dict[str, str]:
    """Return what the comments of ``render`` say the values were."""
    return {match.group(1): match.group(2) for match in map(_BEFORE.match, text.splitlines()) if match}


def parse_settings(text: str) -> list[tuple[str, str]]:
    """Return (key, value) of each setting in a file's order; keys may be patterns. Format: sysctl.d(5).

    ``a/b.c`` and ``a.b/c`` are told apart as there: the first separator is the file's, the other one stands for itself.
    """
    found = []
    for line in text.splitlines():
        match = None if line.lstrip().startswith(("#", ";")) else _SETTING.match(line)
        if match:
            found.append((_dotted(match.group(1)), match.group(2)))
    return found


def _dotted(key: str) -> str:
    first = re.search(r"[./]", key)
    return key.translate({ord("."): "/", ord("/"): "."}) if first and first.group() == "/" else key


def last_setting(files: Sequence[tuple[str, str]], key: str) -> tuple[str, str] | None:
    """Return (path, value) of the file that sets ``key`` last at boot, None when none does.

    ``files``: (path, text), by precedence of their folders; of files with one name the first counts, and files are
    read in the order of their names (sysctl.d(5)).
    """
    by_name: dict[str, tuple[str, str]] = {}
    for path, text in files:
        by_name.setdefault(path.rpartition("/")[2], (path, text))
    last: tuple[str, str] | None = None
    exact = False
    for name in sorted(by_name):
        path, text = by_name[name]
        for found, value in parse_settings(text):
            # A pattern never overrides a key that is named in full.
            if found == key or (not exact and fnmatchcase(key.replace(".", "/"), found.replace(".", "/"))):
                last, exact = (path, value), exact or found == key
    return last
