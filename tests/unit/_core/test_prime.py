# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgi import Response
from ansible_collections.phpops.webhost.plugins.module_utils._core.prime import entry_params, split_script, verdict
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import EntryPoint
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", ("/index.php", "")),
        ("/admin/", ("/admin/index.php", "")),
        ("/index.php", ("/index.php", "")),
        ("/index.php/Main_Page", ("/index.php", "/Main_Page")),
        ("/index.php/a/", ("/index.php", "/a/")),
        ("/p.phtml", ("/p.phtml", "")),
        ("/script", ("/script", "")),
    ],
)
def test_script_and_path_info(path: str, expected: tuple[str, str]) -> None:
    assert split_script(path) == expected


def test_the_variables_name_the_script_by_the_root_given() -> None:
    entry = EntryPoint(path="/index.php/x", host="www.example.org", query="a=1", headers={"X-Forwarded-Proto": "https"})
    params = entry_params(entry, "wiki", "/var/lib/phpops/wiki/ptr/live/docroot")
    assert params["SCRIPT_FILENAME"] == "/var/lib/phpops/wiki/ptr/live/docroot/index.php"
    assert params["REQUEST_URI"] == "/index.php/x?a=1"
    assert (params["PATH_INFO"], params["QUERY_STRING"]) == ("/x", "a=1")
    assert (params["HTTP_HOST"], params["HTTP_X_FORWARDED_PROTO"]) == ("www.example.org", "https")
    assert entry_params(EntryPoint(), "wiki", "/w")["HTTP_HOST"] == "wiki"


def test_a_request_by_https_has_the_variables_of_one() -> None:
    names = ("HTTPS", "SERVER_PORT", "REQUEST_SCHEME")
    plain, https = (entry_params(EntryPoint(https=value), "wiki", "/w") for value in (False, True))
    assert [plain.get(name) for name in names] == [None, "80", "http"]
    assert [https.get(name) for name in names] == ["on", "443", "https"]


def answer(status: int = 200, body: bytes = b"Main page", stderr: str = "") -> Response:
    return Response(status, {}, body, stderr, 0.1)


@pytest.mark.parametrize(
    ("response", "match"),
    [
        (answer(), None),
        (answer(500, stderr="PHP message: PHP Fatal error: x\nmore"), "500 .*, not 200. PHP says: PHP message"),
        (answer(body=b"Oops"), "without the text 'Main'"),
        (answer(stderr="PHP message: PHP Warning:  x"), None),
        (
            answer(stderr="PHP message: PHP Warning:  x\nPHP message: PHP Fatal error:  y"),
            "fatal error. .*Fatal error:  y",
        ),
        (
            answer(
                body=b"Main page<br />\n<b>Fatal error</b>:  Uncaught Error: no f() in /w/a.php:3\nStack trace:\n"
                b"#0 {main}\n  thrown in <b>/w/a.php</b> on line <b>3</b><br />"
            ),
            "with a fatal error in the page: Fatal error: Uncaught Error: no f.. in /w/a.php:3 .* on line 3$",
        ),
        (answer(body=b"Main page\nPHP Parse error:  syntax error in /w/a.php on line 3\n"), "error in the page"),
        (answer(body=b"Main page: what does Fatal error: mean, on line 3?"), None),
        (answer(body=b"<b>Fatal error</b>: Main page of a manual"), None),
        (answer(body=b"<b>Fatal error</b>: x on line 3" + b"Main" * 4000), None),
    ],
)
def test_the_verdict(response: Response, match: str | None) -> None:
    said = verdict(EntryPoint(contains="Main"), response)
    if match is None:
        assert said is None
    else:
        assert said is not None and __import__("re").search(match, said)


def test_an_expected_error_page_may_tell_of_an_error() -> None:
    entry = EntryPoint(status=503, contains="Maintenance")
    assert verdict(entry, answer(503, b"Maintenance", "PHP message: PHP Fatal error:  x")) is None


@given(st.binary(max_size=20_000))
def test_no_page_hangs_the_verdict(body: bytes) -> None:
    verdict(EntryPoint(), answer(body=(b"<b>Fatal error</b>: " + body) * 2))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"path": "/a/b", "script": "/index.php", "query": "x=1"}, ("/index.php", None, "/a/b?x=1")),
        ({"path": "/index.php/a", "script": "/index.php"}, ("/index.php", "/a", "/index.php/a")),
        ({"path": "/index.phpx", "script": "/index.php"}, ("/index.php", None, "/index.phpx")),
        ({"path": "/caf%C3%A9%20x.php"}, ("/café x.php", None, "/caf%C3%A9%20x.php")),
        ({"path": "/café x.php"}, ("/café x.php", None, "/caf%C3%A9%20x.php")),
    ],
)
def test_a_front_controller_and_encoded_paths(options: dict[str, str], expected: tuple[str, str | None, str]) -> None:
    params = entry_params(EntryPoint(**options), "wiki", "/w")
    assert (params["SCRIPT_NAME"], params.get("PATH_INFO"), params["REQUEST_URI"]) == expected
    assert params["SCRIPT_FILENAME"] == "/w" + expected[0]


def test_a_post_is_an_empty_form_and_headers_have_their_variables() -> None:
    headers = {"Content-Type": "application/json", "Content-Length": "9", "X-Requested-With": "x"}
    params = entry_params(EntryPoint(method="POST", headers=headers), "wiki", "/w")
    assert (params["REQUEST_METHOD"], params["CONTENT_LENGTH"]) == ("POST", "0")
    assert (params["CONTENT_TYPE"], params["HTTP_X_REQUESTED_WITH"]) == ("application/json", "x")
    assert "HTTP_CONTENT_LENGTH" not in params and "HTTP_CONTENT_TYPE" not in params
    assert entry_params(EntryPoint(method="POST"), "w", "/w")["CONTENT_TYPE"] == "application/x-www-form-urlencoded"
    assert "CONTENT_TYPE" not in entry_params(EntryPoint(), "w", "/w")
