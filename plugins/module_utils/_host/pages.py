# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Asks this host's own web server for pages."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import Mapping, NamedTuple

from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.pages import Page, Target, page

MAX_BODY = 64 * 1024 * 1024
_CHUNK = 256 * 1024


class NoAnswer(Exception):
    """The web server gave no answer; ``refused`` says that nothing listens there."""

    def __init__(self, reason: str, refused: bool = False) -> None:
        super().__init__(reason)
        self.refused = refused


class Answer(NamedTuple):
    """Status, headers (names in lower case), body, and the seconds until its last byte."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


@dataclass(frozen=True)
class Ask:
    """One request to a web server at an address; ``host`` is what its Host header says, with the port if need be."""

    scheme: str
    address: str
    port: int
    host: str
    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)


class _LocalTLS(http.client.HTTPSConnection):
    """Speaks TLS to this host by the site's name; the certificate is not what is tested."""

    def __init__(self, address: str, port: int, name: str, timeout: float) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        super().__init__(address, port, timeout=timeout, context=context)
        self._name, self._tls = name, context

    def connect(self) -> None:
        plain = socket.create_connection((self.host, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self._name)


def ask(what: Ask, timeout_seconds: float) -> Answer:
    """Return the answer; redirects are not followed. Raises NoAnswer, also when the body's end doesn't come in time."""
    started = time.monotonic()
    name = what.host.rpartition(":")[0] if what.host.rpartition(":")[2].isdigit() else what.host
    connection = (
        _LocalTLS(what.address, what.port, name, timeout_seconds)
        if what.scheme == "https"
        else http.client.HTTPConnection(what.address, what.port, timeout=timeout_seconds)
    )
    try:
        given = {name: value for name, value in what.headers.items() if name.lower() != "host"}
        headers = {"User-Agent": "phpops.webhost", **given, "Host": what.host}
        connection.request(what.method, what.path, headers=headers)
        answer = connection.getresponse()
        body = bytearray()
        while len(body) < MAX_BODY:
            part = answer.read1(_CHUNK)
            if not part:
                break
            body += part
            if time.monotonic() - started > timeout_seconds:
                raise NoAnswer(f"its answer did not end within {timeout_seconds:g} s")
        if answer.length and len(body) < MAX_BODY:
            raise NoAnswer(f"its answer ended {answer.length} bytes too early")
        fields = {key.lower(): value for key, value in answer.getheaders()}
        return Answer(answer.status, fields, bytes(body), time.monotonic() - started)
    except ConnectionRefusedError as error:
        raise NoAnswer(str(error), refused=True) from error
    except socket.timeout as error:
        raise NoAnswer(f"there was no answer within {timeout_seconds:g} s") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoAnswer(str(error) or type(error).__name__) from error
    finally:
        connection.close()


def fetch(goal: Target, timeout_seconds: float) -> Page:
    """Return what 127.0.0.1 answers for the target; redirects are not followed."""
    try:
        answer = ask(Ask(goal.scheme, "127.0.0.1", goal.port, goal.host, goal.path), timeout_seconds)
    except NoAnswer as error:
        return Page(0, "", 0, str(error))
    return page(answer.status, answer.body, goal.ignore)
