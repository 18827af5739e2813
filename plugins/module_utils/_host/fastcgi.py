# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""A FastCGI client for PHP-FPM on a unix socket, or on TCP."""

from __future__ import annotations

import socket
import struct
import time
from typing import Collection

from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgi import (
    ProtocolError,
    ReplyReader,
    Response,
    encode_request,
    split_cgi,
)

MAX_REPLY_BYTES = 64 * 1024 * 1024


class FastCgiError(Exception):
    """A request that got no whole answer; the text is a sentence with the socket and the reason."""


def request(
    socket_path: str,
    params: dict[str, str],
    body: bytes = b"",
    timeout_seconds: float = 10.0,
    listeners: Collection[int] = (),
) -> Response:
    """Send one request and return its answer.

    socket_path is followed like any path, so a symlink reaches what it names now; without a slash it is host:port.
    timeout_seconds bounds the whole exchange. listeners: on a unix socket, only these processes may be the one that
    called listen(2), so that nobody leads the request elsewhere. FastCgiError: no connection, another listener, no
    whole answer in time, or bytes that are not FastCGI.
    """
    started = time.monotonic()
    deadline = started + timeout_seconds
    reader = ReplyReader()
    try:
        with _connected(socket_path, timeout_seconds) as connection:
            _check(connection, socket_path, listeners)
            connection.sendall(encode_request(params, body))
            ended = False
            while not ended:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise FastCgiError(f"no whole answer from {socket_path} within {timeout_seconds:g} s")
                connection.settimeout(remaining)
                chunk = connection.recv(65536)
                if not chunk:
                    raise FastCgiError(f"{socket_path} closed the connection before the answer was complete")
                ended = reader.feed(chunk)
                if len(reader.stdout) + len(reader.stderr) > MAX_REPLY_BYTES:
                    raise FastCgiError(f"the answer from {socket_path} is larger than {MAX_REPLY_BYTES} bytes")
    except socket.timeout as error:
        raise FastCgiError(f"no whole answer from {socket_path} within {timeout_seconds:g} s") from error
    except ProtocolError as error:
        raise FastCgiError(f"{socket_path}: {error}") from error
    except OSError as error:
        raise FastCgiError(f"{socket_path} can't be used: {error.strerror or error}") from error
    status, headers, content = split_cgi(bytes(reader.stdout))
    return Response(status, headers, content, reader.stderr.decode("utf-8", "replace"), time.monotonic() - started)


def _connected(address: str, timeout_seconds: float) -> socket.socket:
    host, colon, port = address.rpartition(":")
    if "/" not in address and colon and port.isdigit():
        return socket.create_connection((host.strip("[]"), int(port)), timeout_seconds)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout_seconds)
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def _check(connection: socket.socket, address: str, listeners: Collection[int]) -> None:
    """Raise FastCgiError for another listener; for a client, SO_PEERCRED is the listener's (unix(7))."""
    if not listeners or connection.family != socket.AF_UNIX:
        return
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    found = int(struct.unpack("3i", told)[0])
    if found not in listeners:
        raise FastCgiError(f"process {found} listens on {address}, not the master that was to be asked")


def script_params(script: str, document_root: str, uri: str, query: str = "", method: str = "GET") -> dict[str, str]:
    """Return the CGI variables that a web server sends for a script (RFC 3875 plus PHP's SCRIPT_FILENAME)."""
    return {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "phpops",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1",
        "REQUEST_METHOD": method,
        "REQUEST_URI": uri + ("?" + query if query else ""),
        "SCRIPT_NAME": uri,
        "SCRIPT_FILENAME": script,
        "DOCUMENT_ROOT": document_root,
        "QUERY_STRING": query,
    }
