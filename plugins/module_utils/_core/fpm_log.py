# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What PHP-FPM's own log says of pools whose workers were all busy."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

_SETTING = re.compile(r"^[ \t]*error_log[ \t]*=[ \t]*[\"']?([^\"';\s]+)", re.MULTILINE)
# fpm.c, fpm_process_ctl.c: the first is a NOTICE, the others are warnings of dynamic and ondemand pools.
_BEGUN = re.compile(r"\bfpm is running, pid (\d{1,10})\b")
_REACHED = re.compile(r"\[pool ([^\]\r\n]{1,200})\] server reached (?:pm\.)?max_children setting \(")


@dataclass
class Reached:
    """How often each pool reached its most workers since the master began; ``whole``: the log has that beginning."""

    counts: Counter[str] = field(default_factory=Counter)
    whole: bool = False

    def of(self, pool: str) -> int | None:
        """Return the count of a pool, None where the log does not reach back and has none."""
        return self.counts[pool] or (0 if self.whole else None)


def error_log(text: str) -> str | None:
    """Return the file that php-fpm.conf names as the master's log, None for syslog and where it names none."""
    found = _SETTING.findall(text)
    return found[-1] if found and found[-1].startswith("/") else None


def reached(text: str, pid: int) -> Reached:
    """Return what the end of a log says of the master with this pid. A log level above notice has no beginning."""
    found = Reached()
    for line in text.splitlines():
        begun = _BEGUN.search(line)
        if begun:
            found = Reached(whole=int(begun.group(1)) == pid)
            continue
        match = _REACHED.search(line)
        if match:
            found.counts[match.group(1)] += 1
    return found
