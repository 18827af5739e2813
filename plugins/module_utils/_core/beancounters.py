# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reads OpenVZ's beancounters and what they gained since the last run."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Dict

COLUMNS = ("held", "maxheld", "barrier", "limit", "failcnt")

# Source: OpenVZ kernel, kernel/bc/proc.c and the UBC pages of the OpenVZ wiki.
_PAGES = ("lockedpages", "privvmpages", "shmpages", "physpages", "vmguarpages", "oomguarpages", "swappages")
_ITEMS = ("numproc", "numtcpsock", "numflock", "numpty", "numsiginfo", "numothersock", "numfile", "numiptent")
_BYTES = ("kmemsize", "tcpsndbuf", "tcprcvbuf", "othersockbuf", "dgramrcvbuf", "dcachesize")
KNOWN = frozenset(_PAGES + _ITEMS + _BYTES)
# Virtuozzo 8 has no beancounters: a script prints these from cgroups, and "0 of unlimited" for all the rest.
_VZ8_REAL = frozenset(("kmemsize", "shmpages", "numproc", "physpages", "oomguarpages", "dcachesize"))

_LONG_MAX = 9223372036854775807
_INT_MAX = 2147483647
_MAX_LINE = 4096
_MARKS = " \t\r\v\f\u00a0#*>"
_ID = re.compile(r"^[A-Za-z0-9_.-]{1,64}$")
_NAME = re.compile(r"^[a-z][a-z0-9_]{0,63}$")
_VERSION = re.compile(r"^Version:\s{0,16}([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*$")

# {container id: {resource: failcnt}}, as kept between two runs.
FailCounts = Dict[str, Dict[str, int]]


class NotBeancounters(Exception):
    """The text holds no beancounter row; the message says what it looks like and which file is wanted."""


@dataclass(frozen=True)
class Counter:
    """One row. Values are in the row's own unit; None is "unlimited" (barrier, limit) or "not in the file"."""

    name: str
    held: int | None = None
    maxheld: int | None = None
    barrier: int | None = None
    limit: int | None = None
    failcnt: int | None = None
    failcnt_delta: int | None = None
    reset: bool = False

    @property
    def unit(self) -> str:
        """``pages``, ``items`` or ``bytes``: UBC tells them apart by the name alone (wiki: UBC parameter units)."""
        if self.name.endswith("pages"):
            return "pages"
        return "items" if self.name.startswith("num") else "bytes"


@dataclass(frozen=True)
class Beancounters:
    """A whole file: ``containers`` in the file's order, ``foreign_lines`` counts what was passed over."""

    version: str | None
    containers: dict[str, dict[str, Counter]]
    foreign_lines: int


def _number(token: str) -> int | None:
    return int(token) if len(token) <= 20 and token.isascii() and token.isdigit() else None


@dataclass(frozen=True)
class _Row:
    container: str | None
    name: str
    values: list[int]


def _split_row(tokens: list[str], width: int, framed: bool) -> _Row | None:
    """Return the row that the words of a line form, None for a foreign line.

    ``framed`` says that a header or an id came before: only then a name that no kernel is known to have is taken.
    """
    container: str | None = None
    if tokens and ":" in tokens[0]:
        container, _colon, glued = tokens[0].partition(":")
        tokens = ([glued] if glued else []) + tokens[1:]
    values = [number for number in map(_number, tokens[1:]) if number is not None]
    if not values or len(values) != len(tokens) - 1 or len(values) > width or not _NAME.match(tokens[0]):
        return None
    if container is not None and not _ID.match(container):
        return None
    known = tokens[0] in KNOWN or tokens[0] == "dummy"
    if not known and not (len(values) == width and (framed or container is not None)):
        return None
    return _Row(container, tokens[0], values)


def _counter(name: str, cells: dict[str, int], page_size: int) -> Counter:
    """Return the counter of a row, its unlimited barrier and limit as None."""
    counter = Counter(name, cells.get("held"), cells.get("maxheld"), failcnt=cells.get("failcnt"))
    # A count of pages that no address space can hold is LONG_MAX bytes in disguise.
    unlimited = _LONG_MAX // page_size if counter.unit == "pages" else _LONG_MAX
    finite = {key: value for key, value in cells.items() if value != _INT_MAX and value < unlimited}
    return replace(counter, barrier=finite.get("barrier"), limit=finite.get("limit"))


def _without_placeholders(resources: dict[str, Counter]) -> dict[str, Counter]:
    """Blank the rows that Virtuozzo 8 makes up: "0 of unlimited" there means "no data", not "unused".

    Told by numfile: a real container has always had a file open.
    """
    made_up = [counter for name, counter in resources.items() if name not in _VZ8_REAL]
    numfile = resources.get("numfile")
    if numfile is None or any(row.held or row.maxheld or row.failcnt or row.limit is not None for row in made_up):
        return resources
    blank = {row.name: replace(row, held=None, maxheld=None, failcnt=None, barrier=None) for row in made_up}
    return {**resources, **blank}


def parse_beancounters(text: str, page_size: int, default_id: str = "unknown") -> Beancounters:
    """Parse /proc/user_beancounters, /proc/bc/resources or /proc/bc/<id>/resources.

    ``page_size`` is in bytes. Rows before the first id go to ``default_id`` (the files of /proc/bc/<id> carry none).
    Comment and quote marks before a row, shell prompts, a missing version or header line and a file cut off in the
    middle are all met in real dumps, and taken. ``dummy`` rows are left out. Raises NotBeancounters when no known
    resource is found. Format: OpenVZ kernel/bc/proc.c.
    """
    version: str | None = None
    columns: tuple[str, ...] = COLUMNS
    containers: dict[str, dict[str, Counter]] = {}
    current, framed, foreign = default_id, False, 0
    lines = text.split("\n")
    for position, line in enumerate(lines):
        bare = line.strip(_MARKS)
        found = _VERSION.match(bare)
        if not bare:
            continue
        if found:
            version = found.group(1)
            continue
        tokens = bare.split() if len(bare) <= _MAX_LINE else []
        if "resource" in tokens and "held" in tokens:
            columns, framed = tuple(tokens[tokens.index("resource") + 1 :]), True
            continue
        row = _split_row(tokens, len(columns), framed)
        if row is None:
            foreign += 1
            continue
        if len(row.values) < len(columns) and position == len(lines) - 1:
            # The text ends inside of this row, so its last number may have lost digits.
            row.values.pop()
        if row.container is not None:
            current, framed = row.container, True
        if row.name != "dummy":
            cells = dict(zip(columns, row.values))
            containers.setdefault(current, {})[row.name] = _counter(row.name, cells, page_size)
    if not any(name in KNOWN for resources in containers.values() for name in resources):
        raise NotBeancounters(_what_it_is(text))
    return Beancounters(
        version, {key: _without_placeholders(resources) for key, resources in containers.items()}, foreign
    )


def _what_it_is(text: str) -> str:
    wanted = "a copy of /proc/user_beancounters is wanted (read it as root)."
    if "HELD" in text and "Bar%" in text:
        return f"holds the table of the vzubc tool, whose numbers are rounded: {wanted}"
    if not text.strip():
        return f"is empty: {wanted}"
    return f"holds no beancounter row: {wanted}"


def with_deltas(counters: Beancounters, before: FailCounts | None) -> Beancounters:
    """Add the failures since ``before`` to each counter; without an earlier value the delta stays None.

    A counter that went down was reset (the container restarted): all of its failures are new, and it is flagged.
    """

    def one(container: str, counter: Counter) -> Counter:
        old = (before or {}).get(container, {}).get(counter.name)
        if old is None or counter.failcnt is None:
            return counter
        went_down = counter.failcnt < old
        return replace(counter, failcnt_delta=counter.failcnt - (0 if went_down else old), reset=went_down)

    return replace(
        counters,
        containers={
            container: {name: one(container, counter) for name, counter in resources.items()}
            for container, resources in counters.containers.items()
        },
    )


def fail_counts(counters: Beancounters) -> FailCounts:
    """Return what the next run needs to know of this one."""
    return {
        container: {name: row.failcnt for name, row in resources.items() if row.failcnt is not None}
        for container, resources in counters.containers.items()
    }
