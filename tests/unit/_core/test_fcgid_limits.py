# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits of mod_fcgid as they are asked for, and what Apache has of them already."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import fcgid_limits as limits
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgid_limits import LimitError, checked
from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgid_settings import LIMITS, OLD_NAMES
from ansible_collections.phpops.webhost.tests.unit._core import apache_fixture as fixture

OWN = "/etc/apache2/conf-enabled/phpops-fcgid-limits.conf"


def line(name, arguments, file="/etc/apache2/apache2.conf", number=1):
    return Directive(name, arguments, file, number)


def vhost(*children):
    return Directive("VirtualHost", "*:80", "/etc/apache2/sites-enabled/a.conf", 1, True, list(children))


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_every_default_but_zeros_is_a_value_that_may_be_asked_for(name):
    value = LIMITS[name][0]
    assert checked({name: value}, "x", True) == {name: value}
    assert checked({name.upper(): f"{value}"}, "x", True) == {name: value}


@pytest.mark.parametrize(
    ("values", "server", "said"),
    [
        ({"FcgidMaxProcess": 3}, True, "no limit of mod_fcgid; give one of FcgidBusyScanInterval"),
        ({"FcgidWrapper": 3}, True, "no limit of mod_fcgid"),
        ({"FcgidMaxProcesses": 3}, False, "FcgidMaxProcesses for the whole server alone"),
        ({"IdleScanInterval": 3}, False, "FcgidIdleScanInterval for the whole server alone"),
        ({"FcgidMaxProcesses": 1025}, True, "is 1025; give a whole number from 1 to 1024"),
        ({"FcgidMaxProcessesPerClass": 0}, True, "from 1 to 1024"),
        ({"FcgidIOTimeout": 0}, True, "is 0; give a whole number from 1"),
        ({"FcgidFixPathinfo": 2}, True, "from 0 to 1"),
        ({"FcgidIdleTimeout": -1}, True, "is -1; give a whole number from 0"),
        ({"FcgidIdleTimeout": True}, True, "is True"),
        ({"FcgidIdleTimeout": 1.5}, True, "is 1.5"),
        ({"FcgidIdleTimeout": "5; x"}, True, "is '5; x'"),
        ({"FcgidIdleTimeout": 2**31}, True, "from 0 to 2147483647"),
        ({"IdleTimeout": 1, "FcgidIdleTimeout": 2}, True, "FcgidIdleTimeout is given twice"),
    ],
)
def test_what_can_not_be_asked_for(values, server, said):
    with pytest.raises(LimitError, match=re.escape(said)):
        checked(values, "Site a", server)


def test_a_large_body_is_allowed():
    assert checked({"MaxRequestLen": 2**33}, "x", False) == {"FcgidMaxRequestLen": 2**33}


def test_the_texts():
    text = limits.server_text({"FcgidIdleTimeout": 9}, "/r.json")
    assert text.splitlines()[0] == "# Ansible managed: phpops.webhost, role fcgid_limits"
    assert "\n    FcgidIdleTimeout 9\n</IfModule>\n" in text
    block = limits.vhost_block({"FcgidIdleTimeout": 9})
    assert [part.strip() for part in (block.splitlines()[0], block.splitlines()[-1])] == [limits.BEGIN, limits.END]
    # Else the blocks of sites that were handed to PHP-FPM would take it for one of theirs.
    assert not re.match(r"# BEGIN phpops\.webhost (\S+)$", limits.BEGIN)


def test_later_lines_of_the_server_win_and_earlier_ones_do_not():
    config = [
        line("FcgidMaxProcesses", "7"),
        line("FcgidMaxProcesses", "20", OWN),
        vhost(line("FcgidMaxProcesses", "8")),
        line("MaxProcessCount", "9", "/etc/apache2/z.conf", 4),
        line("FcgidMaxProcesses", "20", "/etc/apache2/z.conf", 5),
        line("FcgidIdleTimeout", "1", "/etc/apache2/z.conf", 6),
    ]
    found = limits.later_lines(limits.lines_of(config), {"FcgidMaxProcesses": 20}, OWN)
    assert [(one.directive.line, one.value) for one in found] == [(4, "9")]


def test_a_file_that_apache_does_not_read():
    with pytest.raises(LimitError, match="IncludeOptional conf-enabled"):
        limits.later_lines([], {"FcgidMaxProcesses": 20}, OWN)


def test_lines_of_virtual_hosts_win_there():
    config = [vhost(line("IPCCommTimeout", "9999", "/v", 7), line("FcgidIdleTimeout", "3", "/v", 8))]
    found = limits.vhost_lines(limits.lines_of(config), {"FcgidIOTimeout": 40, "FcgidIdleTimeout": 3})
    assert [(one.limit, one.value, one.directive.line) for one in found] == [("FcgidIOTimeout", "9999", 7)]


@pytest.mark.parametrize(
    ("dump", "old"),
    [
        (
            "omd",
            "MaxProcessCount MaxRequestsPerProcess IPCConnectTimeout IPCCommTimeout MaxRequestLen FCGIWrapper",
        ),
        ("virtualmin", "IPCCommTimeout"),
        ("ispconfig", "FCGIWrapper"),
        ("apachelounge", ""),
    ],
)
def test_old_names_of_real_configurations(dump, old):
    found = limits.old_names(fixture.load(dump).config)
    assert {item.name for item, _new in found} == set(old.split())
    assert all(new == OLD_NAMES[item.key] for item, new in found)


@pytest.mark.parametrize(
    ("wrapper", "requests"),
    [
        (None, None),
        ({"readable": False, "php_fcgi_max_requests": 5}, None),
        ({"readable": True, "php_fcgi_max_requests": None, "unresolved": []}, 500),
        ({"readable": True, "php_fcgi_max_requests": None, "unresolved": ["x"]}, None),
        ({"readable": True, "php_fcgi_max_requests": 1000, "unresolved": ["x"]}, 1000),
        ({"readable": True, "php_fcgi_max_requests": 0}, 0),
        ({"readable": True, "php_fcgi_max_requests": 1000, "php_fcgi_children": 4}, 0),
    ],
)
def test_when_php_cgi_ends_by_itself(wrapper, requests):
    assert limits.php_max_requests(wrapper) == requests


@pytest.mark.parametrize(
    ("limit", "php", "fits"),
    [(500, 500, True), (501, 500, False), (0, 500, False), (-1, 500, False), (0, 0, True), (9, None, True)],
)
def test_mod_fcgid_must_let_go_first(limit, php, fits):
    problem = limits.request_problem("a", limit, php, "/w")
    assert (problem is None) is fits
    assert fits or ("/w" in problem and f"1 up to {php}" in problem)


def test_the_table_says_where_it_comes_from():
    text = Path(limits.__file__).with_name("fcgid_settings.py").read_text(encoding="utf-8")
    assert "mod_fcgid.xml" in text
    assert {name for name, (_default, server) in LIMITS.items() if server} == {
        "FcgidBusyScanInterval", "FcgidErrorScanInterval", "FcgidFixPathinfo", "FcgidIdleScanInterval",
        "FcgidMaxProcesses", "FcgidSpawnScore", "FcgidSpawnScoreUpLimit", "FcgidTerminationScore", "FcgidTimeScore",
        "FcgidZombieScanInterval",
    }  # fmt: skip
