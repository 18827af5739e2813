# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.pages import (
    UrlError,
    belongs,
    difference,
    page,
    target,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.sockets import fcgid_sockets
from hypothesis import given
from hypothesis import strategies as st

UNIX = """Num       RefCount Protocol Flags    Type St Inode Path
00000000aeadb364: 00000002 00000000 00010000 0001 01 377572 /var/lib/apache2/fcgid/sock/1418.0
0000000012a4f52b: 00000002 00000000 00010000 0001 01 379513 /var/lib/apache2/fcgid/sock/1418.1
00000000cc969c28: 00000003 00000000 00000000 0001 03 377645 /var/lib/apache2/fcgid/sock/1418.0
0000000038545f5d: 00000003 00000000 00000000 0001 03 379587 /var/lib/apache2/fcgid/sockets/1
00000000ff11a1df: 00000003 00000000 00000000 0001 03 379589
"""


def test_a_connected_socket_is_a_request() -> None:
    listening, connected = fcgid_sockets(UNIX, "/var/lib/apache2/fcgid/sock/")
    assert listening == {377572, 379513}
    assert connected == {377645}


@given(st.text(max_size=300))
def test_any_text_of_sockets_is_read(text: str) -> None:
    assert fcgid_sockets(text, "/x") == (frozenset(), frozenset())


@pytest.mark.parametrize(
    ("url", "host", "expected"),
    [
        ("http://a.example/x?y=1", None, ("http", "a.example", 80, "/x?y=1")),
        ("https://a.example", None, ("https", "a.example", 443, "/")),
        ("http://a.example:8080/", None, ("http", "a.example:8080", 8080, "/")),
        ("http://127.0.0.1/", "b.example", ("http", "b.example", 80, "/")),
    ],
)
def test_targets(url: str, host: str | None, expected: tuple[str, str, int, str]) -> None:
    goal = target({"url": url, "host": host})
    assert (goal.scheme, goal.host, goal.port, goal.path) == expected


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"url": "/x"}, "write it with http://"),
        ({"url": "ftp://a/x"}, "write it with http://"),
        ({"url": "http://a:b/"}, "can't be read"),
        ({"url": "http://a/", "ignore": ["("]}, "no regular expression"),
    ],
)
def test_bad_urls(entry: dict[str, object], said: str) -> None:
    with pytest.raises(UrlError, match=said):
        target(entry)


def test_a_url_belongs_to_a_name_in_any_case_and_on_any_port() -> None:
    goal = target({"url": "http://WWW.a.example:8080/"})
    assert belongs(goal, {"names": ["a.example", "www.A.example"]})
    assert not belongs(goal, {"names": ["a.example"]})


def test_pages_are_compared_without_what_is_ignored() -> None:
    goal = target({"url": "http://a/", "ignore": [r"token=\d+"]})
    before = page(200, b"x token=1 \xff", goal.ignore)
    assert difference(goal, before, page(200, b"x token=22 \xff", goal.ignore)) is None
    assert "another one now" in str(difference(goal, before, page(200, b"y token=1", goal.ignore)))
    assert difference(goal, before, page(503, b"", ())) == "http://a/ gave 200 before and gives 503 now."
