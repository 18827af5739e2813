# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Where this host's own web server is asked for an entry point, and what its answer means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Mapping, Sequence
from urllib.parse import quote, urlsplit

from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgi import Response
from ansible_collections.phpops.webhost.plugins.module_utils._core.prime import verdict
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import EntryPoint

PORTS = {"http": 80, "https": 443}
_ADDRESS = re.compile(r"^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:]*:[0-9a-f:.]*)$", re.IGNORECASE)
# What RFC 3986 allows in a path and a query besides letters, digits and what is encoded already.
_SAFE = "/%:@!$&'()*+,;=~?"

_NO_WAY = "it did not get through to PHP; its error log names the socket that it tried, and why"
# What a status of the web server itself says, with the cure.
_WHY = {
    401: "it asks for a password; give the entry point the header Authorization, or another path",
    403: (
        "it may not serve this path, by a Require, Deny or deny of its configuration, or by a folder that its user"
        " can't enter; its error log names which: allow it, or give the entry point another path"
    ),
    404: (
        "it found no such file; its document root must be the pointer's docroot, and a path that is no file needs a"
        " front controller (deploy_front_controller) or the entry point's script"
    ),
    **dict.fromkeys((502, 503, 504), _NO_WAY),
}


class BaseUrlError(ValueError):
    """The URL of this host's web server can't be used; one sentence."""


@dataclass(frozen=True)
class Base:
    """Scheme, address and port of this host's web server. An empty name: the site's name is asked for."""

    scheme: str
    address: str
    port: int
    name: str = ""

    @property
    def url(self) -> str:
        """The URL without the port where it is the scheme's own."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.scheme}://{self.name or address}" + ("" if self.port == PORTS[self.scheme] else f":{self.port}")

    def host(self, name: str) -> str:
        """Return the Host header for a name (RFC 9110, 7.2): with the port where it is not the scheme's own."""
        if re.search(r":\d+$", name) or self.port == PORTS[self.scheme]:
            return name
        return f"{name}:{self.port}"


def base(url: str) -> Base:
    """Return the base that a URL names; BaseUrlError says what is wrong with it.

    A host that is an IP address is where to connect. A name never is, for it may lead to a balancer or to another
    host: it is asked for at 127.0.0.1.
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise BaseUrlError(f"The check URL {url!r} can't be read: {error}.") from error
    if parts.scheme not in PORTS or not host or parts.path.strip("/") or parts.query or parts.username:
        raise BaseUrlError(
            f"The check URL {url!r} can't be used: give scheme, host and port of this host's own web server alone, such"
            " as https://127.0.0.1."
        )
    if host == "localhost" or _ADDRESS.match(host):
        return Base(parts.scheme, "127.0.0.1" if host == "localhost" else host, port or PORTS[parts.scheme])
    return Base(parts.scheme, "127.0.0.1", port or PORTS[parts.scheme], host)


def url_path(entry: EntryPoint) -> str:
    """Return the path and query of an entry point as an HTTP request line holds them."""
    return quote(entry.path, safe=_SAFE) + ("?" + quote(entry.query, safe=_SAFE) if entry.query else "")


@dataclass(frozen=True)
class Seen:
    """An answer through the web server. ``reached``: PHP of the new slot had a request meanwhile."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    reached: bool


def complaint(entry: EntryPoint, where: Base, host: str, seen: Seen, named: Sequence[str], socket: str) -> str | None:
    """Return None when the answer is right and came from the new slot, else one sentence with the cure.

    host: the name that was asked for. named: each "file:line" that names the site's socket.
    """
    answer = Response(seen.status, dict(seen.headers), seen.body, "", seen.seconds)
    wrong = verdict(entry, answer, "through the web server")
    asked = f"{entry.path} of {host}"
    if wrong and 300 <= seen.status < 400:
        return f"{asked} {wrong.rstrip('.')}: {_redirect(where, host, seen)}"
    own = _own_page(seen)
    if wrong and named and (own or (seen.status >= 400 and not seen.reached)):
        return f"{asked} {wrong.rstrip('.')}: {_refused(seen.status, own)}"
    if wrong and seen.reached:
        return f"{asked} {wrong}"
    if not seen.reached:
        return f"{asked} answered {seen.status}, but not from the new slot: {_unreached(host, named, socket)}"
    return None


def _redirect(where: Base, host: str, seen: Seen) -> str:
    goal = seen.headers.get("location", "")
    who = "the application" if seen.reached else "the web server"
    try:
        parts = urlsplit(goal)
        name = parts.hostname or ""
    except ValueError:
        name = ""
        parts = urlsplit("")
    if parts.scheme == "https" and where.scheme == "http":
        return f"{who} redirects to {goal}; give a check URL with https, such as https://127.0.0.1."
    if name and name != host.partition(":")[0].lower():
        return f"{who} redirects to {goal}; give the entry point that host ({name})."
    return f"{who} redirects to {goal or 'nowhere'}; ask for that page, or expect status {seen.status}."


def _own_page(seen: Seen) -> str:
    """Return the server whose own error page an answer is, with its title; "" for any other page.

    Both servers write "STATUS Reason" as the title of a page of a known form (ap_send_error_response of Apache,
    ngx_http_error_*_page of nginx); other visitors' requests may have reached PHP meanwhile.
    """
    page = seen.body[:1000].decode("utf-8", "replace")
    title = re.search(rf"<title>({seen.status} [\w' -]{{1,60}})</title>", page)
    if title is None or seen.status < 400:
        return ""
    if f"<html><head>\n{title.group(0)}\n</head><body>\n<h1>" in page:
        return f"Apache's own page {title.group(1)!r}"
    return f"nginx's own page {title.group(1)!r}" if f"<center><h1>{title.group(1)}</h1></center>" in page else ""


def _refused(status: int, own: str) -> str:
    """Return what a web server that asked no PHP is like to have stumbled over, and the cure."""
    why = _WHY.get(status, "its error log says why")
    return f"{own or 'the web server answered by itself'}, no PHP of the new slot was asked: {why}."


def _unreached(host: str, named: Sequence[str], socket: str) -> str:
    if not named:
        return f"no enabled file of Apache or nginx names {socket}; hand the site's PHP files to it."
    return (
        f"its socket is named at {', '.join(named[:3])}, but not for this URL, or that was written after the last"
        f" reload; reload the web server, or give the entry point a host and path that is served there (not {host})."
    )
