# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from contextlib import suppress

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import EntryPoint
from ansible_collections.phpops.webhost.plugins.module_utils._core.web_answer import (
    Base,
    BaseUrlError,
    Seen,
    base,
    complaint,
    url_path,
)
from hypothesis import given
from hypothesis import strategies as st

SOCKET = "/var/lib/phpops/wiki/ptr/live/php.sock"
HTTP = Base("http", "127.0.0.1", 80)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1", HTTP),
        ("http://localhost/", HTTP),
        ("https://127.0.0.1", Base("https", "127.0.0.1", 443)),
        ("https://[::1]:8443", Base("https", "::1", 8443)),
        ("http://192.0.2.7:8080", Base("http", "192.0.2.7", 8080)),
        ("https://wiki.example.org", Base("https", "127.0.0.1", 443, "wiki.example.org")),
    ],
)
def test_a_name_is_asked_for_on_this_host_and_an_address_is_connected_to(url: str, expected: Base) -> None:
    assert base(url) == expected


@pytest.mark.parametrize("url", ["", "127.0.0.1", "ftp://127.0.0.1", "http://127.0.0.1/x", "http://[", "http://h:x"])
def test_another_url_is_refused_in_one_sentence(url: str) -> None:
    with pytest.raises(BaseUrlError, match="The check URL"):
        base(url)


@given(st.text())
def test_any_text_is_a_base_or_refused(text: str) -> None:
    with suppress(BaseUrlError):
        assert base(text).port >= 0


def test_the_host_header_has_the_port_where_it_is_not_the_schemes_own() -> None:
    assert HTTP.host("wiki.example") == "wiki.example"
    assert Base("http", "127.0.0.1", 8080).host("wiki.example") == "wiki.example:8080"
    assert Base("http", "127.0.0.1", 8080).host("wiki.example:81") == "wiki.example:81"
    assert (Base("http", "::1", 8080).url, HTTP.url) == ("http://[::1]:8080", "http://127.0.0.1")


def test_the_path_is_written_as_http_holds_it() -> None:
    assert url_path(EntryPoint("/wiki/Ä b.php", query="q=a b&x=%20")) == "/wiki/%C3%84%20b.php?q=a%20b&x=%20"


APACHE_403 = b"""<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">
<html><head>
<title>403 Forbidden</title>
</head><body>
<h1>Forbidden</h1>
<p>You don't have permission to access this resource.</p>
</body></html>
"""
# As Debian's 2.4.71 writes it; the one above is an older one's.
APACHE_NEWER = b"""<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">
<html><head>
<title>503 Service Unavailable</title>
</head><body>
<h1>Service Unavailable</h1>
"""
NGINX_404 = (
    b"<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n"
    b"<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"
)


def seen(status: int = 200, body: bytes = b"ok", reached: bool = True, location: str = "") -> Seen:
    return Seen(status, {"location": location} if location else {}, body, 0.1, reached)


@pytest.mark.parametrize(
    ("answer", "named", "expected"),
    [
        (seen(), [], None),
        (seen(500), [], "/index.php of wiki answered 500 through the web server, not 200."),
        (seen(body=b"no"), [], "/index.php of wiki answered 200 through the web server, without the text 'ok'."),
        (seen(reached=False), [], f"not from the new slot: no enabled file of Apache or nginx names {SOCKET}"),
        (
            seen(reached=False),
            ["/etc/a.conf:3"],
            "answered 200, but not from the new slot: its socket is named at /etc/a.conf:3, but not",
        ),
        (
            seen(403, APACHE_403),
            ["/etc/a.conf:3"],
            "/index.php of wiki answered 403 through the web server, not 200: Apache's own page '403 Forbidden', no PHP"
            " of the new slot was asked: it may not serve this path, by a Require,",
        ),
        (seen(503, APACHE_NEWER), ["/etc/a.conf:3"], "not 200: Apache's own page '503 Service Unavailable', no PHP of"),
        (seen(404, NGINX_404, reached=False), ["/etc/a.conf:3"], "nginx's own page '404 Not Found', no PHP of the new"),
        (
            seen(401, b"who?", reached=False),
            ["/etc/a.conf:3"],
            "not 200: the web server answered by itself, no PHP of the new slot was asked: it asks for a password;",
        ),
        (seen(503, reached=False), ["/etc/a.conf:3"], "it did not get through to PHP;"),
        (seen(418, reached=False), ["/etc/a.conf:3"], "its error log says why."),
        (seen(403, APACHE_403, reached=False), [], "but not from the new slot: no enabled file of Apache or nginx"),
        (seen(301, location="https://wiki/", reached=False), [], "the web server redirects to https://wiki/; give a"),
        (seen(302, location="http://www.wiki/"), [], "the application redirects to http://www.wiki/; give the entry"),
        (seen(302, location="/login"), [], "the application redirects to /login; ask for that page, or expect"),
        (seen(302, location="http://["), [], "the application redirects to http://[; ask for that page, or expect"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_its_cure(answer: Seen, named: list[str], expected: str | None) -> None:
    said = complaint(EntryPoint(contains="ok"), HTTP, "wiki", answer, named, SOCKET)
    assert said == expected if expected is None else expected in (said or "")


def test_a_redirect_that_was_asked_for_is_right() -> None:
    assert complaint(EntryPoint(status=302), HTTP, "wiki", seen(302, location="/login"), [], SOCKET) is None


def test_an_application_s_own_page_is_not_the_server_s() -> None:
    page = b"<html><head><title>403 Forbidden</title></head><body>Log in first.</body></html>"
    said = complaint(EntryPoint(), HTTP, "wiki", seen(403, page), ["/etc/a.conf:3"], SOCKET)
    assert said == "/index.php of wiki answered 403 through the web server, not 200."


@given(st.integers(100, 599), st.binary(max_size=300), st.booleans())
def test_any_answer_is_judged(status: int, body: bytes, reached: bool) -> None:
    complaint(EntryPoint(), HTTP, "wiki", seen(status, body, reached), ["/etc/a.conf:3"], SOCKET)
