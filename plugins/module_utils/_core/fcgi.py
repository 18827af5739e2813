# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""FastCGI records, as far as a client of PHP-FPM needs them (FastCGI Specification 1.0, sections 3 and 5)."""

from __future__ import annotations

import struct
from typing import NamedTuple

VERSION = 1
BEGIN_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR = 1, 3, 4, 5, 6, 7
RESPONDER = 1
REQUEST_ID = 1
HEADER = struct.Struct("!BBHHBx")
MAX_CONTENT = 65535


class ProtocolError(ValueError):
    """The peer's bytes are not a FastCGI reply."""


class Response(NamedTuple):
    """What one request gave: HTTP status, headers (names in lower case), body, and what PHP wrote to stderr."""

    status: int
    headers: dict[str, str]
    body: bytes
    stderr: str
    seconds: float


def record(kind: int, content: bytes) -> bytes:
    """Return one record of the given kind; content is at most 65535 bytes (spec 3.3)."""
    padding = -len(content) % 8
    return HEADER.pack(VERSION, kind, REQUEST_ID, len(content), padding) + content + b"\0" * padding


def _stream(kind: int, data: bytes) -> bytes:
    """Return data as a stream of records, closed by an empty one (spec 3.3)."""
    parts = [record(kind, data[start : start + MAX_CONTENT]) for start in range(0, len(data), MAX_CONTENT)]
    return b"".join(parts) + record(kind, b"")


def _length(size: int) -> bytes:
    """Return a name-value length: one byte below 128, else four with the top bit set (spec 3.4)."""
    return bytes([size]) if size < 128 else struct.pack("!I", size | 0x80000000)


def encode_params(params: dict[str, str]) -> bytes:
    """Return CGI variables as name-value pairs (spec 3.4), in UTF-8."""
    out = bytearray()
    for name, value in params.items():
        key, text = name.encode("utf-8", "surrogateescape"), value.encode("utf-8", "surrogateescape")
        out += _length(len(key)) + _length(len(text)) + key + text
    return bytes(out)


def encode_request(params: dict[str, str], body: bytes = b"") -> bytes:
    """Return the bytes of one request in the responder role, on a connection that the server closes after it."""
    begin = record(BEGIN_REQUEST, struct.pack("!HB5x", RESPONDER, 0))
    return begin + _stream(PARAMS, encode_params(params)) + _stream(STDIN, body)


class ReplyReader:
    """Collects a reply from chunks of any size: feed() until it says that the request ended."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.ended = False

    def feed(self, chunk: bytes) -> bool:
        """Take bytes from the peer and return whether the reply is complete; ProtocolError for foreign bytes."""
        self._buffer += chunk
        while not self.ended and len(self._buffer) >= HEADER.size:
            version, kind, _request, length, padding = HEADER.unpack_from(self._buffer)
            if version != VERSION:
                raise ProtocolError(f"the peer does not speak FastCGI version 1 (its version byte is {version})")
            end = HEADER.size + length
            if len(self._buffer) < end + padding:
                break
            self._take(kind, bytes(self._buffer[HEADER.size : end]))
            del self._buffer[: end + padding]
        return self.ended

    def _take(self, kind: int, content: bytes) -> None:
        if kind == STDOUT:
            self.stdout += content
        elif kind == STDERR:
            self.stderr += content
        elif kind == END_REQUEST:
            if len(content) < 5:
                raise ProtocolError(f"the peer ended the request with {len(content)} bytes, not 8")
            if content[4] != 0:
                raise ProtocolError(f"the peer refused the request (protocol status {content[4]})")
            self.ended = True


def split_cgi(stdout: bytes) -> tuple[int, dict[str, str], bytes]:
    """Return (status, headers by lower-case name, body) of a CGI response (RFC 3875, section 6).

    A missing Status is 200, or 302 with a Location. Set-Cookie lines are joined by a newline.
    """
    head, separator, body = stdout.partition(b"\r\n\r\n")
    if not separator:
        head, separator, body = stdout.partition(b"\n\n")
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            key = name.strip().lower()
            headers[key] = headers[key] + "\n" + value.strip() if key in headers else value.strip()
    status = headers.pop("status", "302" if "location" in headers else "200").split(" ")[0]
    return int(status) if len(status) == 3 and status.isascii() and status.isdecimal() else 500, headers, body
