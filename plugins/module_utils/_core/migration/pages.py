# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Compares what a URL gave before a change with what it gives afterwards."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any, Mapping, Sequence
from urllib.parse import urlsplit


class UrlError(ValueError):
    """A URL to compare can't be used; one sentence."""


@dataclass(frozen=True)
class Target:
    """A URL to compare: where it is asked for, and what of its body doesn't count."""

    url: str
    scheme: str
    host: str
    port: int
    path: str
    ignore: tuple[str, ...] = ()
    body: bool = True


@dataclass(frozen=True)
class Page:
    """An answer: status 0 is none, and error says why. digest is of the body without what is ignored."""

    status: int
    digest: str
    bytes: int
    error: str = ""


def target(entry: Mapping[str, Any]) -> Target:
    """Return the target of one entry {url, host, ignore}; UrlError names what can't be used."""
    url = str(entry.get("url") or "")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UrlError(f"The URL {url!r} can't be read: {error}.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UrlError(f"The URL {url!r} can't be used: write it with http:// or https:// and a host.")
    for pattern in entry.get("ignore") or []:
        try:
            re.compile(pattern)
        except re.error as error:
            raise UrlError(f"The pattern {pattern!r} of {url} is no regular expression: {error}.") from error
    path = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    return Target(
        url=url,
        scheme=parts.scheme,
        host=str(entry.get("host") or parts.netloc.rpartition("@")[2]),
        port=port or {"http": 80, "https": 443}[parts.scheme],
        path=path,
        ignore=tuple(entry.get("ignore") or ()),
    )


def page(status: int, body: bytes, ignore: Sequence[str]) -> Page:
    """Return what is compared of an answer. The patterns are matched against the body as latin-1."""
    text = body.decode("latin-1")
    for pattern in ignore:
        text = re.sub(pattern, "", text)
    return Page(status, hashlib.sha256(text.encode("latin-1", "replace")).hexdigest(), len(body))


def belongs(goal: Target, site: Mapping[str, Any]) -> bool:
    """Return whether the URL is one of the site's names."""
    name = goal.host.partition(":")[0].lower()
    return name in [str(item).lower() for item in site.get("names") or []]


def difference(goal: Target, before: Page, after: Page) -> str | None:
    """Return None when both answers are the same, else one sentence."""
    if before.status != after.status:
        seen = f"{after.status}" if after.status else f"no answer ({after.error})"
        return f"{goal.url} gave {before.status or 'no answer'} before and gives {seen} now."
    if goal.body and before.digest != after.digest:
        return (
            f"The body of {goal.url} is another one now ({before.bytes} bytes before, {after.bytes} now); name what may"
            " differ in ignore."
        )
    return None
