# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Asks this host's own web server for pages."""

from __future__ import annotations

import http.client
import socket
import ssl

from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.pages import Page, Target, page

MAX_BODY = 64 * 1024 * 1024


class _LocalTLS(http.client.HTTPSConnection):
    """Speaks TLS to this host by the site's name; the certificate is not what is tested."""

    def __init__(self, name: str, port: int, timeout: float) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        super().__init__("127.0.0.1", port, timeout=timeout, context=context)
        self._name, self._tls = name, context

    def connect(self) -> None:
        plain = socket.create_connection((self.host, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self._name)


def fetch(goal: Target, timeout_seconds: float) -> Page:
    """Return what 127.0.0.1 answers for the target; redirects are not followed."""
    name = goal.host.partition(":")[0]
    connection = (
        _LocalTLS(name, goal.port, timeout_seconds)
        if goal.scheme == "https"
        else http.client.HTTPConnection("127.0.0.1", goal.port, timeout=timeout_seconds)
    )
    try:
        connection.request("GET", goal.path, headers={"Host": goal.host, "User-Agent": "phpops.webhost"})
        answer = connection.getresponse()
        return page(answer.status, answer.read(MAX_BODY), goal.ignore)
    except (OSError, http.client.HTTPException) as error:
        return Page(0, "", 0, str(error) or type(error).__name__)
    finally:
        connection.close()
