# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Asks for a site's entry points through this host's own web server, and sees that the new slot answered."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Callable, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import EntryPoint
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._core.web_answer import (
    Base,
    BaseUrlError,
    Seen,
    base,
    complaint,
    url_path,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.pages import Answer, Ask, NoAnswer, ask
from ansible_collections.phpops.webhost.plugins.module_utils._host.web_files import references

Asker = Callable[[Ask, float], Answer]


@dataclass(frozen=True)
class Check:
    """One entry point as the web server gave it: status 0 is no answer, an empty msg says that it is right."""

    path: str
    status: int
    seconds: float
    msg: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def base_url(url: str) -> Base:
    """Return the parsed URL of this host's web server; StepFailed when it can't be used (call it before the switch)."""
    try:
        return base(url)
    except BaseUrlError as error:
        raise StepFailed(str(error)) from error


def check(
    entry_points: Sequence[EntryPoint],
    site: str,
    url: str,
    timeout_seconds: float,
    accepted: Callable[[], int],
    layout: Layout = Layout(),  # noqa: B008 - frozen
    asker: Asker = ask,
) -> list[Check]:
    """Request each entry point once, in order, through this host's own web server.

    accepted: how many requests the new slot's master has taken so far (FPM's "accepted conn"). It must rise with each
    request, else the web server doesn't reach this slot. The first wrong answer ends the list: until the way back is
    taken it is what visitors get.
    Raises StepFailed when the URL can't be used, or what ``accepted`` raises.
    """
    where, socket = base_url(url), layout.live_socket(site)
    found: list[Check] = []
    for entry in entry_points:
        host = where.host(entry.host or where.name or site)
        what = Ask(where.scheme, where.address, where.port, host, url_path(entry), entry.method, entry.headers)
        before = accepted()
        try:
            answer = asker(what, timeout_seconds)
        except NoAnswer as error:
            msg = f"{entry.path} of {host} got no answer at {where.url}: {error}."
            if error.refused:
                msg = (
                    f"no web server of this host listens at {where.address}, port {where.port}: start it, or give the"
                    " check URL its scheme, address and port."
                )
            return [*found, Check(entry.path, 0, 0.0, msg)]
        seen = Seen(answer.status, answer.headers, answer.body, answer.seconds, accepted() > before)
        named = references(socket) if not seen.reached or seen.status >= 400 else []
        msg = complaint(entry, where, host, seen, named, socket) or ""
        found.append(Check(entry.path, answer.status, round(answer.seconds, 4), msg))
        if msg:
            break
    return found
