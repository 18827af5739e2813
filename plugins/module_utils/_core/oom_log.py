# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reads a log line by line and hands what may tell of an OOM kill on, whole, once, and without its prefix."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

from ansible_collections.phpops.webhost.plugins.module_utils._core import oom_lines, oom_table
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_events import Events
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_keep import Kept
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_prefix import Line, Prefixes, read_entry
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_wrap import Wrapped, may_go_on

_MOST_LINE = 16_384
_MOST_SEEN = 2048
_NEEDLES = oom_lines.NEEDLES


def is_telling(raw: bytes) -> bool:
    """Tell cheaply whether a line may say something of an OOM kill while no report is open."""
    return any(needle in raw for needle in _NEEDLES)


class OomLog:
    """Reads one log, line by line, oldest first."""

    def __init__(self, latest: datetime | None = None, since: float | None = None) -> None:
        """``latest`` is when the log ends, for stamps without a year (see read_stamp); ``since`` in seconds."""
        self._events = Events(latest, since)
        self._prefixes = Prefixes()
        self._held: Wrapped | None = None
        self._seen: OrderedDict[tuple[str | None, float | None, str], None] = OrderedDict()

    @property
    def active(self) -> bool:
        """Tell whether the next line matters whatever it says: a report is open, or a line may go on."""
        return self._events.active or self._held is not None

    def feed(self, raw: bytes) -> None:
        """Take the next line, without its newline; most of a log is passed over by a cheap look."""
        if self.active or is_telling(raw):
            self.feed_text(raw[:_MOST_LINE].decode("utf-8", "replace").rstrip("\r"))

    def feed_text(self, text: str) -> None:
        """Take the next line as text: of a log in any form, or an entry of ``journalctl --output=json``."""
        self._events.number += 1
        if self._held is None:
            place = self._prefixes.place(text)
            if place is not None and self._events.take_plain_row(text, place):
                return
        line = read_entry(text) if text[:1] == "{" else None
        if line is None:
            line = self._prefixes.split(text)
        if self._held is not None:
            if line.bare and self._held.joins(text):
                return
            self._release()
        if line.body[:1] == "[" and oom_table.is_row(line.body):
            if not self._events.take_row(line, line.body) and not line.bare:
                self._held = Wrapped(line, self._events.columns)
            return
        if not line.bare and may_go_on(line.body):
            self._held = Wrapped(line, self._events.columns)
            return
        self._take_all(line)

    def finish(self) -> Kept:
        """Take what is still open as it is, and return all."""
        self._release()
        return self._events.finish()

    def _release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._take_all(held.line)

    def _take_all(self, line: Line) -> None:
        """Take a line whose message may be several: rsyslog writes a newline as #012."""
        body = line.body
        if "#012" in body or "\n" in body:
            for part in body.replace("#012", "\n").split("\n"):
                self._take(line._replace(body=part.strip()))
        else:
            self._take(line if body[:1] != " " else line._replace(body=body.strip()))

    def _take(self, line: Line) -> None:
        body = line.body
        if not body:
            return
        if line.program in (None, "kernel"):
            if line.uptime is not None and self._is_repeated(line):
                return
            if self._events.take_kernel(line, body):
                return
        if line.program is None or line.program.startswith("systemd") or line.program == "kernel":
            self._events.take_systemd(line, body)

    def _is_repeated(self, line: Line) -> bool:
        """Tell a line that was written twice, as by two readers of the kernel's ring (imklog beside imjournal)."""
        key = (line.host, line.uptime, line.body)
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > _MOST_SEEN:
            self._seen.popitem(last=False)
        return False
