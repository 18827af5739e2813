# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgi import Response
from ansible_collections.phpops.webhost.plugins.module_utils._core.prime import entry_params, split_script, verdict
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import EntryPoint


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


def answer(status: int = 200, body: bytes = b"Main page", stderr: str = "") -> Response:
    return Response(status, {}, body, stderr, 0.1)


@pytest.mark.parametrize(
    ("response", "match"),
    [
        (answer(), None),
        (answer(500, stderr="PHP message: PHP Fatal error: x\nmore"), "500 .*, not 200. PHP says: PHP message"),
        (answer(body=b"Oops"), "without the text 'Main'"),
    ],
)
def test_the_verdict(response: Response, match: str | None) -> None:
    said = verdict(EntryPoint(contains="Main"), response)
    if match is None:
        assert said is None
    else:
        assert said is not None and __import__("re").search(match, said)
