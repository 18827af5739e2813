# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to change in Apache's files: winners, old names, macros, files out of reach, requests of php-cgi."""

from __future__ import annotations

import re

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import fcgid_plan as planning
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.config_lines import LineEdit, apply_all
from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgid_limits import LimitError
from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgid_report import lines_changed, masked, summary

OWN = "/etc/apache2/conf-enabled/phpops-fcgid-limits.conf"
A = "/etc/apache2/sites-enabled/a.conf"
Z = "/etc/apache2/conf-enabled/zz.conf"
TEXTS = {
    A: "<VirtualHost *:80>\n  ServerName a.test\n  IPCCommTimeout 9\n</VirtualHost>\n",
    Z: "MaxProcessCount 10\n",
}
FILES = planning.Files(lambda path: path, lambda path: path.startswith("/etc/apache2/"), lambda path: TEXTS[path])


def site(name="a.test", method="fcgid_wrapper", requests=1000, line=1, **part):
    wrapper = {"readable": True, "php_fcgi_max_requests": requests, "unresolved": [], "path": "/w"}
    vhost = {"file": A, "line": line, "macro": None, **part}
    slug = name.replace(".", "-")
    return {
        "name": name,
        "site": slug,
        "names": [name, "www." + name],
        "php": {"method": method},
        "wrapper": wrapper,
        "vhosts": [vhost],
    }


def configuration(*more):
    vhost = Directive("VirtualHost", "*:80", A, 1, True)
    vhost.children += [Directive("ServerName", "a.test", A, 2), Directive("IPCCommTimeout", "9", A, 3)]
    return [Directive("FcgidMaxProcesses", "20", OWN, 4), Directive("MaxProcessCount", "10", Z, 1), vhost, *more]


def plan(server, by_site=None, sites=None, rename=True, config=None):
    return planning.plan(config or configuration(), sites or [site()], server, by_site or {}, OWN, rename, FILES)


def test_a_duplicate_that_wins_gets_the_value_and_the_name():
    found = plan({"FcgidMaxProcesses": 20})
    assert [(one["file"], one["before"], one["after"]) for one in lines_changed(found)] == [
        (Z, "MaxProcessCount 10", "FcgidMaxProcesses 20"),
        (A, "IPCCommTimeout 9", "FcgidIOTimeout 9"),
    ]
    assert found.overridden == []


def test_a_continued_line_is_told_on_one():
    edit = LineEdit(3, "  BusyTimeout \\\r\n   9\r\n", "  FcgidBusyTimeout 5\r\n")
    (one,) = lines_changed(planning.Plan(edits={A: [edit, LineEdit(1, "x", "x")]}))
    assert (one["before"], one["after"]) == ("BusyTimeout 9", "FcgidBusyTimeout 5")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('  DefaultInitEnv TOKEN "se cret"\r\nA 1\r\n', "  DefaultInitEnv TOKEN ********\r\nA 1\r\n"),
        ("FcgidInitialEnv TOKEN=secret\n", "FcgidInitialEnv TOKEN ********\n"),
        ('setenv "TOKEN" secret', 'setenv "TOKEN ********'),
        ("FcgidInitialEnv TOKEN \\\n  se \\\n cret\nA 1\n", "FcgidInitialEnv TOKEN ********\nA 1\n"),
        ("FcgidInitialEnv TOKEN\n", "FcgidInitialEnv TOKEN\n"),
        (
            "FcgidCmdOptions /w InitialEnv TOKEN=secret IOTimeout 5",
            "FcgidCmdOptions /w InitialEnv TOKEN=******** IOTimeout 5",
        ),
        ("SetEnvIf A b c\n", "SetEnvIf A b c\n"),
    ],
)
def test_no_value_of_a_variable_is_told(text, shown):
    assert masked(text) == shown


def test_names_may_stay():
    found = plan({"FcgidMaxProcesses": 20}, rename=False)
    assert [one["after"] for one in lines_changed(found)] == ["MaxProcessCount 20"]


def test_a_virtual_host_that_wins_is_named_unless_the_site_has_its_own_limit():
    config = [*configuration(), Directive("FcgidIOTimeout", "40", OWN, 5)]
    (winner,) = plan({"FcgidIOTimeout": 40}, config=config).overridden
    assert winner == {"limit": "FcgidIOTimeout", "value": "9", "asked": 40, "vhost": "a.test", "file": A, "line": 3}
    found = plan({"FcgidIOTimeout": 40}, {"a-test": {"FcgidIOTimeout": 50}}, config=config)
    assert (found.overridden, found.vhosts) == ([], {0: {"FcgidIOTimeout": 50}})
    text = apply_all(TEXTS[A], found.edits[A], found.blocks[A])
    assert text.splitlines()[2:7] == [
        "  FcgidIOTimeout 9",
        "    # BEGIN phpops.webhost.fcgid_limits",
        "    <IfModule mod_fcgid.c>",
        "        FcgidIOTimeout 50",
        "    </IfModule>",
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (Directive("FcgidMaxProcesses", "9", "macro 'M' (defined on line 1 of \"/x\")", 1), "a macro wrote it"),
        (Directive("FcgidMaxProcesses", "9", "/srv/x.conf", 1), "outside of Apache's folder"),
        (Directive("FcgidMaxProcesses", "9", Z, 1), "Line 1 does not hold FcgidMaxProcesses"),
    ],
)
def test_a_winner_that_can_not_be_replaced_is_refused(line, said):
    with pytest.raises(LimitError, match=re.escape(said)):
        plan({"FcgidMaxProcesses": 20}, config=[*configuration(), line])


def test_an_old_name_that_can_not_be_replaced_is_told():
    line = Directive("BusyTimeout", "9", "/srv/x.conf", 1)
    (note,) = plan({}, config=[*configuration(), line]).notes
    assert note.startswith("BusyTimeout at /srv/x.conf:1 is the old name of FcgidBusyTimeout and stays, as the file is")


def test_options_of_a_command_are_told():
    line = Directive("FcgidCmdOptions", "/w MaxProcesses 4", A, 9)
    (note,) = plan({}, config=[*configuration(), line]).notes
    assert note.startswith(f"FcgidCmdOptions at {A}:9 sets all limits of /w at once")


@pytest.mark.parametrize(
    ("vhost", "said"),
    [
        ({"macro": "M"}, "comes from the macro M"),
        ({"file": None}, "is the main server"),
        ({"line": 7}, "has no virtual host of its own"),
    ],
)
def test_a_site_without_a_virtual_host_to_write_to(vhost, said):
    with pytest.raises(LimitError, match=said):
        plan({}, {"a-test": {"FcgidIOTimeout": 50}}, [site(**vhost)])


def test_a_site_in_a_file_out_of_reach():
    config = configuration()
    config[2].file = "/srv/a.conf"
    with pytest.raises(LimitError, match=r"in /srv/a\.conf, outside"):
        plan({}, {"a-test": {"FcgidIOTimeout": 50}}, [site(file="/srv/a.conf")], config=config)


def test_sites_are_found_by_each_of_their_names():
    sites = [site(), site("b.test", "proxy_fcgi")]
    for name in ("a.test", "www.a.test", "a-test"):
        found, notes = planning.site_limits([{"name": name, "limits": {"IdleTimeout": 5}}], sites)
        assert (found, notes) == ({"a-test": {"FcgidIdleTimeout": 5}}, [])
    found, notes = planning.site_limits([{"name": "b.test", "limits": {}}], sites)
    assert (found, notes) == ({}, ["Site b.test is not run by mod_fcgid (proxy_fcgi): its limits are left out."])
    with pytest.raises(LimitError, match=r"no PHP site c.test; it has a.test, b.test\."):
        planning.site_limits([{"name": "c.test", "limits": {}}], sites)
    with pytest.raises(LimitError, match=r"Site a\.test is given twice"):
        planning.site_limits([{"name": "a.test", "limits": {}}, {"name": "a-test", "limits": {}}], sites)


@pytest.mark.parametrize(
    ("server", "own", "requests", "asked", "as_it_is"),
    [
        (1000, None, 1000, 0, 0),
        (1001, None, 1000, 1, 0),
        (1001, 7, 1000, 0, 0),
        (None, 1001, 1000, 1, 0),
        (None, None, 1000, 0, 1),
        (None, None, 0, 0, 0),
    ],
)
def test_requests_are_checked_against_what_was_asked_and_what_is(server, own, requests, asked, as_it_is):
    wanted = {} if server is None else {"FcgidMaxRequestsPerProcess": server}
    by_site = {} if own is None else {"a-test": {"FcgidMaxRequestsPerProcess": own}}
    config = [*configuration(), Directive("FcgidMaxRequestsPerProcess", "5", OWN, 5)] if wanted else configuration()
    sites = [site(requests=requests), site("b.test", "proxy_fcgi", 1)]
    found = plan(wanted, by_site, sites, config=config)
    refused, advice = planning.request_problems(config, sites, wanted, found, lambda path: path)
    assert (len(refused), len(advice)) == (asked, as_it_is)


def test_a_line_of_the_virtual_host_is_no_fault_of_the_server_s_limit():
    config = configuration()
    config[2].children.append(Directive("MaxRequestsPerProcess", "5000", A, 4))
    config.append(Directive("FcgidMaxRequestsPerProcess", "500", OWN, 5))
    wanted = {"FcgidMaxRequestsPerProcess": 500}
    found = planning.Plan()
    refused, (advice,) = planning.request_problems(config, [site()], wanted, found, lambda path: path)
    assert refused == []
    assert "lets a php-cgi go after 5000 requests" in advice


def test_what_apache_reads_otherwise_is_found():
    found = planning.Plan(vhosts={0: {"FcgidIOTimeout": 50}})
    wrong = planning.mismatches(configuration(), {"FcgidMaxProcesses": 20}, found)
    assert wrong == [
        f"Apache reads FcgidMaxProcesses 10 from {Z}:1, not 20.",
        f"Apache reads FcgidIOTimeout 9 from {A}:3, not 50.",
    ]


def test_the_summary_of_a_host_without_it():
    assert summary({"available": False, "reason": "Nothing there."}) == ["Nothing there."]


@pytest.mark.parametrize(
    ("reload", "said"),
    [
        (
            {"state": "done", "waited_seconds": 1.23, "php_cgi_before": 4},
            "after 1.2 s of waiting for idle php-cgi; the 4",
        ),
        ({"state": "busy", "waited_seconds": 30, "busy": 2}, "php-cgi served requests all of the 30 s"),
        ({"state": "left"}, "from its next reload on"),
        ({"state": "not_running"}, "from its start on"),
        ({"state": "due"}, "will be reloaded once"),
    ],
)
def test_the_reload_is_told(reload, said):
    zero = {"waited_seconds": 0.0, "php_cgi_before": 0, "busy": 0}
    result = {"available": True, "server": {}, "sites": [], "lines": [], "overridden": [], "notes": ["N."]}
    note, told = summary({**result, "reload": {**zero, **reload}})
    assert note == "N."
    assert said in told
