# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""OPcache's cry for memory in error logs, of Apache and of PHP-FPM."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

# zend_shared_alloc.c writes this line when no memory model gives it its segment.
_ERROR = re.compile(r"Unable to allocate shared memory segment of (\d{1,19}) bytes")
_STAMPS = (
    re.compile(r"\[(\w{3} \w{3} +\d+ \d\d:\d\d:\d\d(?:\.\d+)? \d{4})\]"),
    re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)"),
    re.compile(r"^(\w{3} ?\w{3} +\d+ \d\d:\d\d:\d\d(?: \d{4})?)"),
)
_FATAL = re.compile(r"^(\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4}) \(\d+\):")


@dataclass
class ShmErrors:
    """How often it happened. ``first`` and ``last`` are the log's own time stamps, else null."""

    count: int = 0
    first: str | None = None
    last: str | None = None
    segment_bytes: list[int] = field(default_factory=list)

    def take(self, line: str) -> None:
        """Look at one line of a log; the lines must come oldest first."""
        found = _ERROR.search(line)
        if found is None:
            return
        self.count += 1
        size = int(found.group(1))
        if size not in self.segment_bytes:
            self.segment_bytes = sorted([*self.segment_bytes, size])
        stamp = _stamp(line)
        if stamp is not None:
            self.first = self.first or stamp
            self.last = stamp

    def as_dict(self) -> dict[str, Any]:
        """The facts' form."""
        return {"count": self.count, "first": self.first, "last": self.last, "segment_bytes": self.segment_bytes}


def _stamp(line: str) -> str | None:
    for pattern in (_FATAL, *_STAMPS):
        found = pattern.search(line[:200])
        if found:
            return found.group(1)
    return None
