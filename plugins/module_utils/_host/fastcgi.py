# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""A FastCGI client for PHP-FPM on a unix socket."""

from __future__ import annotations

import socket
import time

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


def request(socket_path: str, params: dict[str, str], body: bytes = b"", timeout_seconds: float = 10.0) -> Response:
    """Send one request and return its answer.

    socket_path is followed like any path, so a symlink reaches what it names now. timeout_seconds bounds the whole
    exchange. FastCgiError: no connection, no whole answer in time, or bytes that are not FastCGI.
    """
    started = time.monotonic()
    deadline = started + timeout_seconds
    reader = ReplyReader()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout_seconds)
            connection.connect(socket_path)
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
