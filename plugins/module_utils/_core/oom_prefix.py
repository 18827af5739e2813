# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Splits a log line into what the log's writer put before it and the message itself."""

from __future__ import annotations

import json
import re
from typing import NamedTuple


class Line(NamedTuple):
    """One line of a log.

    ``stamp`` is the time as written (see oom_time), ``program`` the syslog tag without its number, ``uptime`` the
    kernel's own stamp in seconds, ``caller`` the task or CPU that CONFIG_PRINTK_CALLER names, ``body`` the message.
    """

    stamp: str | None
    host: str | None
    program: str | None
    uptime: float | None
    caller: str | None
    body: str

    @property
    def bare(self) -> bool:
        """Tell a line without any prefix, which may go on from the line before it."""
        return self.stamp is None and self.uptime is None


_SYSLOG = re.compile(
    r"^((?:[^\W\d_]{2,6}\.?|\d{1,2}[月월]) {1,2}\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: \d{4})?) "
)
_ISO = re.compile(
    r"^(?:[^\W\d_]{2,6}\.? )?"
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?(?: (?:UTC|[A-Z]{3,5}))?) "
)
_RFC5424 = re.compile(r"^<\d{1,3}>1 (\S{1,40}) (\S{1,255}) (\S{1,48}) \S{1,128} \S{1,32} (?:-|\[[^\]]{0,999}\]) ?")
_DMESG_T = re.compile(r"^\[([^\]]{0,32}\d\d:\d\d:\d\d[^\]]{0,8})\] ?")
_UPTIME = re.compile(r"^\[ {0,12}(\d{1,12}\.\d{1,9})\](?:\[ {0,12}([TC]\d{1,9})\])? ?")
_LEVEL = re.compile(r"^(?:<\d{1,3}>|[a-z]{3,8} {0,4}:[a-z]{3,8} {0,4}: ?)")
# The tag after a stamp. One word alone before the colon is a tag only as kernel or with its number: in dmesg's ISO
# output it begins the message (``CPU: 3 PID: …``).
_TAG = re.compile(r"^(?:([^\s\[\]:]{1,255}) )?(kernel|[^\s\[\]:]{1,64}(?=\[\d{1,10}\]))(?:\[\d{1,10}\])?: ?")
_HOST_TAG = re.compile(r"^([^\s\[\]:]{1,255}) ([^\s\[\]:]{1,64}): ")


def unquoted(text: str) -> str:
    """Return a line without what a mail or an indentation put before it."""
    return text.lstrip(" \t>") if text[:1] in " \t>" else text


class Prefixes:
    """Splits the lines of one log. It remembers the last head, as the lines of a report share theirs."""

    def __init__(self) -> None:
        self._head = "\0"
        self._known: tuple[str | None, str | None, str | None] = (None, None, None)

    def split(self, text: str) -> Line:
        """Return the parts of one line (without its newline); any text gives a Line."""
        if text.startswith(self._head):
            stamp, host, program = self._known
            rest = text[len(self._head) :]
        else:
            text = unquoted(text)
            stamp, host, program, rest = self._first(text)
        if rest[:1] != "[":
            return Line(stamp, host, program, None, None, rest)
        found = _UPTIME.match(rest)
        if found is None:
            return Line(stamp, host, program, None, None, rest)
        uptime, caller, rest = float(found.group(1)), found.group(2), rest[found.end() :]
        if stamp is None and rest[:1] != "[":
            # short-monotonic of journalctl, or a program that wrote into the kernel's ring.
            tag = _TAG.match(rest[:400])
            if tag:
                host, program, rest = tag.group(1), tag.group(2), rest[tag.end() :]
        return Line(stamp, host, program, uptime, caller, rest)

    def place(self, text: str) -> tuple[int, str | None] | None:
        """Return where the message of a kernel's line begins, and its host; None unless that is clear at a glance."""
        if text.startswith(self._head):
            _stamp, host, program = self._known
            return (len(self._head), host) if program in (None, "kernel") else None
        return (0, None) if text[:1] == "[" else None

    def _first(self, text: str) -> tuple[str | None, str | None, str | None, str]:
        """Split stamp, host and program off a line whose head is not the last one."""
        start = text[:1]
        if start == "<":
            found = _RFC5424.match(text)
            if found:
                host, program = (None if word == "-" else word for word in found.group(2, 3))
                return self._keep(text, found.end(), found.group(1), host, program)
        if start == "<" or ":" in text[3:13]:
            found = _LEVEL.match(text)
            if found:
                text = text[found.end() :]
                start = text[:1]
        if start == "[":
            found = None if _UPTIME.match(text) else _DMESG_T.match(text)
            return self._keep(text, found.end(), found.group(1), None, None) if found else (None, None, None, text)
        found = (_ISO.match(text) if start.isdigit() else None) or _SYSLOG.match(text) or _ISO.match(text)
        if found is None:
            return None, None, None, text
        end = found.end()
        tag = _TAG.match(text[end : end + 400]) or _HOST_TAG.match(text[end : end + 400])
        if tag is None:
            # Not remembered: the next line of that second may have a host and a program.
            return found.group(1), None, None, text[end:]
        return self._keep(text, end + tag.end(), found.group(1), tag.group(1), tag.group(2))

    def _keep(
        self, text: str, end: int, stamp: str, host: str | None, program: str | None
    ) -> tuple[str | None, str | None, str | None, str]:
        self._head = text[:end]
        self._known = (stamp, host, program)
        return stamp, host, program, text[end:]


def read_entry(text: str) -> Line | None:
    """Return the line of one entry of ``journalctl --output=json``; None for any other text.

    The stamp is the journal's own, in microseconds since 1970. A message that is not UTF-8 comes as a list of bytes.
    """
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict):
        return None
    message = entry.get("MESSAGE")
    if isinstance(message, list):
        if not all(isinstance(item, int) and 0 <= item <= 255 for item in message):
            return None
        message = bytes(message).decode("utf-8", "replace")
    if not isinstance(message, str):
        return None
    kernel = entry.get("_TRANSPORT") == "kernel"
    program = "kernel" if kernel else entry.get("SYSLOG_IDENTIFIER")
    host = entry.get("_HOSTNAME")
    return Line(
        stamp=_micros(entry.get("__REALTIME_TIMESTAMP"), "@"),
        host=host if isinstance(host, str) else None,
        # An entry always has a writer: one without a name is not the kernel.
        program=program if isinstance(program, str) else "unknown",
        uptime=_uptime(entry.get("_SOURCE_MONOTONIC_TIMESTAMP")) if kernel else None,
        caller=None,
        body=message,
    )


def _micros(value: object, mark: str) -> str | None:
    return mark + value if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 18 else None


def _uptime(value: object) -> float | None:
    word = _micros(value, "")
    return int(word) / 1e6 if word else None
