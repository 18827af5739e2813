# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would spoil a deploy is named before anything is touched, by file and line where there is one."""

from __future__ import annotations

import pytest

SPOILER = "/etc/apache2/conf-enabled/spoiler.conf"
# Case: what Apache is told, the site's other options, the other variables, and what the sentence says.
CASES = {
    "connection reuse": (
        '<Proxy "unix:/var/lib/phpops/app/ptr/live/php.sock|fcgi://app">\nProxySet enablereuse=on\n</Proxy>\n',
        {},
        {},
        [f"{SPOILER}:2", "enablereuse"],
    ),
    "a document root beside the pointer": (
        "<VirtualHost *:80>\nServerName beside.example.org\nDocumentRoot /srv/www/app/current/public\n"
        '<FilesMatch "\\.php$">\nSetHandler "proxy:unix:/var/lib/phpops/app/ptr/live/php.sock|fcgi://app"\n'
        "</FilesMatch>\n</VirtualHost>\n",
        {},
        {},
        [f"{SPOILER}:3", "/var/lib/phpops/app/ptr/live/docroot"],
    ),
    "a name that is too long": ("", {"name": "a" * 33}, {}, ["a" * 33, "32"]),
    "more memory than any host has": (
        "",
        {"opcache": {"opcache.memory_consumption": "2000000", "opcache.jit": "disable"}},
        {},
        ["short"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused(app, case):
    lines, options, variables, words = CASES[case]
    name, before, pid = app.next(), app.state(), app.who()["master"]
    live = app.live()
    if lines:
        app.host.run_expect([0], f"cat >{SPOILER} <<'END'\n{lines}END")
    run = app.deploy(name, deploy_site=app.site(**options), **variables)
    app.host.run_expect([0], f"rm -f {SPOILER}")
    told = " ".join(reason for _host, reason in run.reasons)
    assert run.rc != 0, run.output
    assert [word for word in words if word not in told] == [], told
    assert (app.live(), app.who()["master"]) == (live, pid)
    assert app.lease() is None
    assert app.state() == before


def test_a_dry_run_names_all_of_it_and_touches_nothing(app):
    name, before, ids = app.next(), app.state(), app.ids()
    spoilers = [case for case in CASES if CASES[case][0]]
    # Each file of its own: the line numbers are those of the cases.
    for number, case in enumerate(spoilers):
        app.host.run_expect([0], f"cat >{SPOILER}{number}.conf <<'END'\n{CASES[case][0]}END")
    run = app.deploy(name, extra=["--check"])
    app.host.run_expect([0], f"rm -f {SPOILER}*")
    for number, case in enumerate(spoilers):
        line, *words = CASES[case][3]
        assert line.replace(SPOILER, f"{SPOILER}{number}.conf") in run.output, run.output
        assert [word for word in words if word not in run.output] == [], run.output
    assert (app.state(), app.ids(), app.lease()) == (before, ids, None)


def test_a_dry_run_judges_the_memory(app):
    _lines, options, variables, words = CASES["more memory than any host has"]
    name, before = app.next(), app.state()
    run = app.deploy(name, deploy_site=app.site(**options), extra=["--check"], **variables)
    assert run.rc == 0, run.output
    assert [word for word in [*words, "nothing goes live"] if word not in run.output] == [], run.output
    assert (app.state(), app.lease()) == (before, None)
