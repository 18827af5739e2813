# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""One line of a web server's configuration that would spoil a slot flip."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Where it stands, why it spoils a flip, and what cures it."""

    file: str
    line: int
    why: str
    cure: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.why}: {self.cure}"


def never_drained(file: str, line: int, setting: str, site: str) -> Finding:
    """Return the finding of a web server that keeps its connections to PHP-FPM."""
    why = f"`{setting}` keeps connections to site {site} open, so its old slot would never be done"
    return Finding(file, line, why, "take it out and reload the web server")
