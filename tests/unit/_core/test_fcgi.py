# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import fcgi
from hypothesis import given
from hypothesis import strategies as st


def test_a_request_has_the_bytes_of_the_specification() -> None:
    got = fcgi.encode_request({"A": "b"}, b"xy")
    assert got == (
        b"\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"
        b"\x01\x04\x00\x01\x00\x04\x04\x00\x01\x01Ab\0\0\0\0"
        b"\x01\x04\x00\x01\x00\x00\x00\x00"
        b"\x01\x05\x00\x01\x00\x02\x06\x00xy\0\0\0\0\0\0"
        b"\x01\x05\x00\x01\x00\x00\x00\x00"
    )


def test_long_values_take_four_byte_lengths_and_big_bodies_many_records() -> None:
    assert fcgi.encode_params({"N": "v" * 128})[:6] == b"\x01\x80\x00\x00\x80N"
    assert fcgi.encode_request({}, b"x" * 70000).count(b"\x01\x05\x00\x01") == 3


REPLY = fcgi.record(fcgi.STDOUT, b"Status: 404 Not Found\r\nX-A: 1\r\n\r\nbody") + fcgi.record(
    fcgi.STDERR, b"Primary script unknown"
)
END = fcgi.record(fcgi.END_REQUEST, b"\0" * 8)


@pytest.mark.parametrize("size", [1, 3, 8, 4096])
def test_a_reply_is_read_from_chunks_of_any_size(size: int) -> None:
    data, reader = REPLY + END, fcgi.ReplyReader()
    ended = [reader.feed(data[at : at + size]) for at in range(0, len(data), size)]
    assert ended[-1] and not any(ended[:-1])
    assert fcgi.split_cgi(bytes(reader.stdout)) == (404, {"x-a": "1"}, b"body")
    assert bytes(reader.stderr) == b"Primary script unknown"


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"HTTP/1.1 400 Bad", "does not speak FastCGI"),
        (fcgi.record(fcgi.END_REQUEST, b"\0\0\0\0\x02\0\0\0"), "refused the request"),
        (fcgi.record(fcgi.END_REQUEST, b""), "ended the request with 0 bytes"),
    ],
)
def test_what_is_no_reply_is_an_error(data: bytes, match: str) -> None:
    with pytest.raises(fcgi.ProtocolError, match=match):
        fcgi.ReplyReader().feed(data)


@pytest.mark.parametrize(
    ("stdout", "expected"),
    [
        (b"Content-Type: text/html\r\n\r\nx", (200, {"content-type": "text/html"}, b"x")),
        (b"Location: /a\n\n", (302, {"location": "/a"}, b"")),
        (b"Set-Cookie: a\r\nSet-Cookie: b\r\n\r\n", (200, {"set-cookie": "a\nb"}, b"")),
        (b"Status: abc\r\n\r\n", (500, {}, b"")),
        (b"", (200, {}, b"")),
    ],
)
def test_cgi_headers(stdout: bytes, expected: object) -> None:
    assert fcgi.split_cgi(stdout) == expected


@given(st.lists(st.binary(max_size=64), max_size=8))
def test_any_bytes_never_crash_the_reader(chunks: list[bytes]) -> None:
    reader = fcgi.ReplyReader()
    try:
        for chunk in chunks:
            reader.feed(chunk)
    except fcgi.ProtocolError:
        pass
    fcgi.split_cgi(bytes(reader.stdout))
    fcgi.split_cgi(b"".join(chunks))


@pytest.mark.parametrize("told", ["\u00b2\u00b2\u00b2", "\u0662\u0660\u0660", "-20", "2e2", ""])
def test_a_status_that_is_no_number_is_an_error_of_the_site(told: str) -> None:
    assert fcgi.split_cgi(f"Status: {told} OK\r\n\r\n".encode())[0] == 500
