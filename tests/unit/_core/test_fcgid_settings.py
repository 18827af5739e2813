# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""mod_fcgid's limits and environment, from real configurations."""

from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgid_settings import (
    LIMITS,
    canonical,
    initial_environment,
    limits,
)
from ansible_collections.phpops.webhost.tests.unit._core import apache_fixture as fixture

SITES = "/etc/apache2/sites-enabled"
REAL = [
    ("virtualmin", "domain.tld", {"FcgidIOTimeout": (9999, f"{SITES}/virtualmin.conf:31"),
                                  "FcgidMaxRequestLen": (1073741824, f"{SITES}/virtualmin.conf:38"),
                                  "FcgidMaxProcesses": (1000, "default"),
                                  "FcgidConnectTimeout": (20, "/etc/apache2/mods-enabled/fcgid.conf:2")}),
    ("omd", "one.example.test", {"FcgidMaxProcesses": (10, f"{SITES}/omd.conf:5"),
                                 "FcgidMaxRequestsPerProcess": (500, f"{SITES}/omd.conf:6"),
                                 "FcgidConnectTimeout": (20, f"{SITES}/omd.conf:7"),
                                 "FcgidIOTimeout": (120, f"{SITES}/omd.conf:8"),
                                 "FcgidMaxRequestLen": (3145728, f"{SITES}/omd.conf:13")}),
    ("apachelounge", "one.example.test", {"FcgidMaxProcesses": (50, f"{SITES}/apachelounge.conf:10"),
                                          "FcgidIOTimeout": (64, f"{SITES}/apachelounge.conf:7"),
                                          "FcgidMinProcessesPerClass": (3, "default")}),
]  # fmt: skip


@pytest.mark.parametrize(("dump", "name", "expected"), REAL)
def test_limits(dump, name, expected):
    server = fixture.load(dump).server(name)
    found = limits(server.main, server.vhost)
    assert set(found) == set(LIMITS)
    assert {key: (found[key]["value"], found[key]["source"]) for key in expected} == expected


def test_what_only_the_server_may_set():
    vhost = [Directive("FcgidIdleScanInterval", "5", "/v", 1), Directive("FcgidIdleTimeout", "6", "/v", 2)]
    found = limits([], vhost)
    assert (found["FcgidIdleScanInterval"]["value"], found["FcgidIdleTimeout"]["value"]) == (120, 6)


@pytest.mark.parametrize(
    ("text", "value"), [("7", 7), ("7x", 7), ("x", 0), ("-1", -1), (" 5", 5), ("9" * 40, 10**19 - 1)]
)
def test_numbers_as_atol_reads_them(text, value):
    assert limits([Directive("IPCCommTimeout", f'"{text}"', "/v", 1)], [])["FcgidIOTimeout"]["value"] == value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("IPCCommTimeout", "FcgidIOTimeout"),
        ("DefaultInitEnv", "FcgidInitialEnv"),
        ("fcgiwrapper", "FcgidWrapper"),
        ("FCGIDMaxRequestLen", "FcgidMaxRequestLen"),
        ("DefaultMinClassProcessCount", "FcgidMinProcessesPerClass"),
        ("Options", "Options"),
    ],
)
def test_names(name, expected):
    assert canonical(name) == expected


def test_environment():
    server = fixture.load("apachelounge").server("one.example.test")
    values, dropped, mistakes = initial_environment(server.main, server.vhost, suexec=False)
    assert (values["PHPRC"], values["SystemRoot"], len(values)) == ("c:/php", "C:/Windows", 8)
    assert (dropped, mistakes) == ([], [])


def test_environment_that_suexec_drops():
    main = [Directive("FcgidInitialEnv", 'APP "a b"', "/c", 1), Directive("DefaultInitEnv", "HTTP_X 1", "/c", 2)]
    assert initial_environment(main, [], suexec=True) == ({"HTTP_X": "1"}, ["APP"], [])


def test_the_well_known_mistake():
    server = fixture.load("debian-howto").server("one.example.test")
    values, _dropped, (mistake,) = initial_environment(server.main, server.vhost, suexec=False)
    assert (values, mistake.words) == ({}, ["PHPRC=/etc/php5/cgi"])
    # What php-cgi really saw of such a line: the value with an equals sign at its end.
    assert initial_environment([Directive("FcgidInitialEnv", "A=b", "/c", 1)], [], False)[0] == {"A": "b="}


def test_the_virtual_host_wins():
    main, vhost = [Directive("FcgidInitialEnv", "A 1", "/c", 1)], [Directive("fcgidinitialenv", "A", "/c", 2)]
    assert initial_environment(main, vhost, suexec=False)[0] == {"A": ""}
