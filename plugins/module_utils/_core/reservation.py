# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The file of one reservation: memory that a flip has been promised while its master starts."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from ansible_collections.phpops.webhost.plugins.module_utils._core.budget_model import Reservation


@dataclass(frozen=True)
class Record:
    """A reservation with its holder. `start_ticks` (field 22 of /proc/PID/stat) tells a reused PID from the holder;
    `expires` is seconds since the epoch."""

    site: str
    unit: str
    shared_bytes: int
    private_bytes: int
    pid: int
    start_ticks: int
    expires: float

    def reservation(self) -> Reservation:
        """Return what the budget counts."""
        return Reservation(self.site, self.unit, self.shared_bytes, self.private_bytes)


def render(record: Record) -> str:
    """Return the file's text."""
    return json.dumps(asdict(record), sort_keys=True) + "\n"


def parse(text: str) -> Record | None:
    """Return the record in a file's text, or None when it is no whole record (a crash, another version)."""
    try:
        found = json.loads(text)
        record = Record(
            site=str(found["site"]),
            unit=str(found["unit"]),
            shared_bytes=int(found["shared_bytes"]),
            private_bytes=int(found["private_bytes"]),
            pid=int(found["pid"]),
            start_ticks=int(found["start_ticks"]),
            expires=float(found["expires"]),
        )
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    return record if record.shared_bytes >= 0 and record.private_bytes >= 0 else None
