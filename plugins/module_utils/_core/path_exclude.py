# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Which paths of a folder a list of patterns leaves out."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Sequence


def excluded(path: str, patterns: Sequence[str]) -> bool:
    """Return whether a path, relative to the folder, is left out; what is below a folder that is left out is too.

    A pattern without a slash is for names at any depth (``.git``, ``*.log``), one with a slash for the whole path from
    the folder on (``var/cache``, ``/build``). ``*`` also stands for slashes, as in fnmatch(3) without FNM_PATHNAME.
    """
    parts = path.split("/")
    for pattern in patterns:
        wanted = pattern.rstrip("/")
        if "/" in wanted:
            wanted = wanted.lstrip("/")
            if any(fnmatchcase("/".join(parts[: end + 1]), wanted) for end in range(len(parts))):
                return True
        elif wanted and any(fnmatchcase(part, wanted) for part in parts):
            return True
    return False
