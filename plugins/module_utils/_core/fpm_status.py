# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reads PHP-FPM's status page, JSON or text, with what FPM really sends: unescaped quotes, times below zero."""

from __future__ import annotations

import json
import re
from typing import Any, Mapping

# A site may have so many workers; a page is not larger than they need.
MAX_LETTERS = 16 * 1024 * 1024

# What a client sends (address, method, user, script) stands in the page as it came: FPM before 7.4 escapes nothing.
_SAID_BY_CLIENT = re.compile(
    r'"(?P<key>request method|request uri|user|script)"\s*:\s*"(?P<value>.{0,8192}?)"'
    r'(?=\s*,\s*"(?:request uri|content length|script|last request cpu)"\s*:)',
    re.DOTALL,
)
_TEXT_LINE = re.compile(r"([a-z][a-zA-Z ]{1,40}):[ \t]*(.*)")
_STARS = re.compile(r"^\*{5,}[ \t]*$", re.MULTILINE)
_NEEDED = ("pool", "accepted conn", "active processes", "total processes")


class StatusPageError(ValueError):
    """The text is no status page; the message says what it is instead."""


def load(text: str) -> dict[str, Any]:
    """Return FPM's status page (?json, with or without &full) with FPM's own names; ValueError when it is no JSON.

    Invalid JSON gets its unescaped values escaped. Source: sapi/fpm/fpm/fpm_status.c, install.fpm.status of PHP's
    manual; a page with such a URL is hipages/php-fpm_exporter's issue 24.
    """
    if len(text) > MAX_LETTERS:
        raise ValueError(f"a page of {len(text)} letters")
    try:
        found = json.loads(text, strict=False)
    except ValueError:
        found = json.loads(_SAID_BY_CLIENT.sub(_escaped, text), strict=False)
    if not isinstance(found, dict):
        raise ValueError("it is no object")
    return found


def _escaped(match: re.Match[str]) -> str:
    return f"{json.dumps(match.group('key'))}:{json.dumps(match.group('value'))}"


def seconds_of(value: object) -> float:
    """Return FPM's request duration (microseconds) in seconds.

    Above half of 64 bits it is a difference that went below zero, as the worker's clock was read after the page's: 0.
    """
    number = _number(value) or 0
    return 0.0 if number >= 2**63 or number < 0 else round(number / 1e6, 3)


def parse_page(text: str) -> dict[str, Any]:
    """Return a status page as {pool, process_manager, start_since_seconds, accepted, …, workers: […]}.

    Takes JSON and text, with or without the workers. A number that the page lacks is None. Raises StatusPageError for
    anything else, openmetrics, HTML and XML included.
    """
    try:
        raw = load(text)
    except (ValueError, RecursionError) as error:
        raw = _from_text(text)
        if not raw:
            raise StatusPageError(f"This is {_kind(text)}, not FPM's status page as JSON or text.") from error
    missing = [name for name in _NEEDED if name not in raw]
    if missing:
        raise StatusPageError(f"The page has no {missing[0]!r}: it is no whole status page of FPM.")
    listed = raw.get("processes")
    processes = listed if isinstance(listed, list) else []
    return {
        "pool": _line(raw["pool"]),
        "process_manager": _line(raw.get("process manager", "")) or None,
        "start_since_seconds": _number(raw.get("start since")),
        "accepted": _number(raw["accepted conn"]),
        "listen_queue": _number(raw.get("listen queue")),
        "idle": _number(raw.get("idle processes")),
        "active": _number(raw["active processes"]),
        "total": _number(raw["total processes"]),
        "max_children_reached": _number(raw.get("max children reached")),
        "slow_requests": _number(raw.get("slow requests")),
        "memory_peak_bytes": _number(raw.get("memory peak")),
        "workers": [_worker(item) for item in processes if isinstance(item, dict)],
    }


def _worker(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "pid": _number(item.get("pid")),
        "state": _line(item.get("state", "")),
        "requests": _number(item.get("requests")),
        "request_seconds": seconds_of(item.get("request duration")),
        "last_request_bytes": _number(item.get("last request memory")),
        "script": _line(item.get("script", "-")),
    }


def _from_text(text: str) -> dict[str, Any]:
    head, *blocks = _STARS.split(text[:MAX_LETTERS])
    page = _fields(head)
    if page and blocks:
        page["processes"] = [_fields(block) for block in blocks]
    return page


def _fields(block: str) -> dict[str, Any]:
    found = {}
    for line in block.splitlines():
        match = _TEXT_LINE.fullmatch(line)
        if match:
            found[match.group(1)] = match.group(2).strip()
    return found


def _number(value: object) -> int | None:
    """Return a count; FPM's are unsigned 64 bits in JSON and digits in text."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) <= 20 else None
    if isinstance(value, float):
        return int(value) if abs(value) < 2**64 else None
    return value if isinstance(value, int) and abs(value) < 2**64 else None


def _line(value: object) -> str:
    """Return what the site says as a report may show it: printable, at most 200 letters."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(value)[:200])


def _kind(text: str) -> str:
    start = text.lstrip()[:2000]
    if start.startswith("# ") and "phpfpm_" in start:
        return "a page of metrics (openmetrics, or an exporter's)"
    if start.startswith("<"):
        return "HTML or XML"
    return "text of another kind" if start else "an empty text"
