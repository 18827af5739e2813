# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who runs a file, against what curl got from the same Apache."""

from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_handlers import Runner
from ansible_collections.phpops.webhost.plugins.module_utils._core.htaccess import parse_htaccess
from ansible_collections.phpops.webhost.tests.unit._core import apache_fixture as fixture

STYLES, MODPHP = fixture.load("styles"), fixture.load("modphp")
HTACCESS = {
    "/srv/ht": "AddHandler fcgid-script .php\nFcgidWrapper /srv/bin/a.fcgi .php\n"
    "<IfModule mod_php.c>\nphp_value x 1\n</IfModule>\n",
    "/srv/ht/off": "SetHandler none\nRemoveHandler .php\n",
    "/srv/ht/sub": "FcgidWrapper /srv/bin/b.fcgi .php\n",
}
# What curl got. a and b: the wrapper that ran it; fpm: PHP-FPM was asked (it refuses .phtml by itself); source: the
# file in clear; error: 500, a fcgid-script without a wrapper.
NAMES = ("x.php", "x.php5", "x.phtml", "plain.php", "x.php.de", "sub/x.php", "uploads/x.php", "blog/x.php")
TRUTH = {
    "macro": "a source source a error a a a",
    "pool": "fpm source fpm fpm source fpm fpm fpm",
    "proxypass": "fpm source source fpm source fpm fpm fpm",
    "both": "a source a a a a a a",
    "parts": "a source source source source b source a",
    "location": "source source source source source b source source",
    "condition": "a source source a error a a a",
    "htaccess": "a source source a error b a a",
    "two": "a b source a error a a a",
    "scriptalias": "a source source a a a a a",
    "direct": "php-cgi8.2 error error php-cgi8.2 error php-cgi8.2 php-cgi8.2 php-cgi8.2",
    "perl": "source source source source source source source source",
}
CASES = [(site, name, got) for site, line in TRUTH.items() for name, got in zip(NAMES, line.split())]


def said(runner: Runner) -> str:
    if runner.method == "proxy_fcgi":
        return "fpm"
    if runner.method == "none":
        return "source"
    if runner.method == "mod_php":
        return "mod_php"
    return runner.command[0].rsplit("/", 1)[1].replace(".fcgi", "") if runner.command else "error"


@pytest.mark.parametrize(("site", "name", "got"), CASES)
def test_as_curl_saw_it(site, name, got):
    trees = {}
    if site == "htaccess":
        trees = {
            folder: parse_htaccess(text, folder + "/.htaccess", STYLES.modules) for folder, text in HTACCESS.items()
        }
    server = STYLES.server(f"{site}.example.test", trees, ":80")
    folder, _slash, file = name.rpartition("/")
    assert said(server.runner(file, folder)) == got


MODPHP_CASES = [
    ("modphp", "x.php", "mod_php"),
    ("modphp", "x.php5", "source"),
    ("modphp", "x.phtml", "mod_php"),
    ("modphp", "x.php.de", "source"),
    ("mixed", "x.php", "a"),
    ("mixed", "x.php5", "source"),
    ("mixed", "x.phtml", "a"),
    ("mixed", "x.php.de", "source"),
    ("mixed", "uploads/x.php", "a"),
]


@pytest.mark.parametrize(("site", "name", "got"), MODPHP_CASES)
def test_beside_mod_php(site, name, got):
    folder, _slash, file = name.rpartition("/")
    assert said(MODPHP.server(f"{site}.example.test").runner(file, folder)) == got


def test_arguments_of_a_wrapper():
    assert STYLES.server("both.example.test", address=":80").runner("x.php").command == [
        "/srv/bin/a.fcgi",
        "one",
        "two",
    ]
    assert STYLES.server("direct.example.test").runner("x.php").command[1:] == ["-d", "memory_limit=77M"]


def test_an_action_is_followed_through_its_alias():
    runner = fixture.load("debian-howto").server("one.example.test").runner("x.php")
    script = "/var/www/fcgi-bin.d/php5-default/php-fcgi-wrapper"
    assert (runner.method, runner.handler, runner.command) == ("action_cgi", "php-fcgi", [script])
    assert runner.action == {
        "handler": "php-fcgi",
        "url": "/fcgi-bin/php-fcgi-wrapper",
        "script": script,
        "runs_as": "fcgid-script",
    }
