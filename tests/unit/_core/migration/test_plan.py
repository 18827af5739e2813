# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import site_spec
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.carry import IniFiles
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.plan import (
    Found,
    PlanError,
    choose,
    keep,
    override_of,
    plan_site,
    warn_doubles,
)

# As php_sites_facts returns a site in Virtualmin's style.
SITE: dict[str, Any] = {
    "name": "shop.example.com",
    "site": "shop-example-com",
    "names": ["shop.example.com", "www.shop.example.com"],
    "vhosts": [
        {"file": "/etc/apache2/sites-available/shop.conf", "line": 2, "address": "*:80", "macro": None},
        {"file": "/etc/apache2/sites-available/shop.conf", "line": 30, "address": "*:443", "macro": None},
    ],
    "document_root": "/home/shop/public_html",
    "user": "shop",
    "group": "shop",
    "suexec": True,
    "migratable": True,
    "reasons": [],
    "php": {
        "method": "fcgid_wrapper",
        "handler": "fcgid-script",
        "semantics": "addhandler",
        "extensions": [".php", ".php5"],
        "patterns": [],
        "version": "8.2",
        "findings": [
            {
                "directive": "AddHandler",
                "arguments": ["fcgid-script", ".php"],
                "section": ["<VirtualHost *:80>", "<Directory /home/shop/public_html>"],
            },
            {"directive": "FcgidWrapper", "arguments": ["/home/shop/fcgi-bin/php.fcgi", ".php"], "section": []},
        ],
    },
    "wrapper": {
        "path": "/home/shop/fcgi-bin/php.fcgi",
        "readable": True,
        "execs": True,
        "php_fcgi_children": 4,
        "php_fcgi_max_requests": 99999,
        "phprc": "/home/shop/etc/php8.2",
        "ini_path": None,
        "no_ini": False,
        "ini": {"memory_limit": "99M", "display_errors": "off", "opcache.memory_consumption": "64"},
        "environment": {"APP_SECRET": "s", "TMPDIR": "/home/shop/tmp"},
        "umask": "027",
        "unresolved": ["SCRIPT_FILENAME=$PATH_TRANSLATED"],
        "warnings": ["PHP_FCGI_CHILDREN is set."],
        "ulimits": [],
    },
    "fcgid": {
        "directives": {
            "FcgidIOTimeout": {"value": 9999, "source": "/etc/apache2/sites-enabled/shop.conf:20"},
            "FcgidMaxRequestLen": {"value": 1073741824, "source": "/etc/apache2/sites-enabled/shop.conf:21"},
            "FcgidMaxProcessesPerClass": {"value": 12, "source": "/etc/apache2/mods-enabled/fcgid.conf:3"},
            "FcgidMaxRequestsPerProcess": {"value": 500, "source": "/etc/apache2/mods-enabled/fcgid.conf:4"},
            "FcgidBusyTimeout": {"value": 60, "source": "/etc/apache2/mods-enabled/fcgid.conf:5"},
            "FcgidBusyScanInterval": {"value": 120, "source": "default"},
            "FcgidIdleTimeout": {"value": 300, "source": "default"},
            "FcgidPassHeader": {"value": ["Authorization", "X-Api"], "source": "x:1"},
        },
        "initial_env": {"REGION": "north", "TMPDIR": "/tmp/other"},
    },
    "php_values": [{"kind": "php_admin_value", "name": "engine", "value": "Off", "file": "/a", "line": 7}],
    "htaccess": [],
}
FOUND = Found(
    ini=IniFiles(
        cgi=(
            ("/home/shop/etc/php8.2/php.ini", "memory_limit=1M\n"),
            ("/etc/php/8.2/cgi/conf.d/x.ini", "extension=x\n"),
        ),
        fpm=(("/home/shop/etc/php8.2/php.ini", "memory_limit=1M\n"),),
        php_ini="/home/shop/etc/php8.2/php.ini",
    ),
    last_extensions=(".de", ".php"),
)


def site(**changes: Any) -> dict[str, Any]:
    """Return the site with changed keys; a dictionary is merged."""
    made = copy.deepcopy(SITE)
    for key, value in changes.items():
        made[key] = {**made[key], **value} if isinstance(value, dict) and isinstance(made.get(key), dict) else value
    return made


def test_everything_is_carried_into_a_spec_that_site_slot_takes() -> None:
    plan = plan_site(site(), {}, FOUND, "8.2")
    assert plan.refused is None
    assert plan.spec == {
        "name": "shop-example-com",
        "user": "shop",
        "group": "shop",
        "php_version": "8.2",
        "document_root": "/home/shop/public_html",
        "php_ini": "/home/shop/etc/php8.2/php.ini",
        "ini_scan_dirs": [],
        "ini": {"memory_limit": "99M", "display_errors": "", "extension": ["x"]},
        "opcache": {"opcache.memory_consumption": "64"},
        "environment": {
            "APP_SECRET": "s",
            "REGION": "north",
            "TMPDIR": "/home/shop/tmp",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
        },
        "process_manager": {
            "mode": "ondemand",
            "max_children": 12,
            "process_idle_timeout_seconds": 300,
            "max_requests": 500,
        },
        "request_terminate_timeout_seconds": 180,
        "limit_extensions": [".php", ".php5"],
        "umask": "027",
        "entry_points": [],
    }
    built = site_spec.build(plan.spec)
    assert built.process_manager.max_children == 12
    assert [vhost["line"] for vhost in plan.vhosts] == [2, 30]
    assert "ProxySet timeout=9999" in plan.block
    assert "CGIPassAuth On" in plan.block
    assert "-gt 1073741824" in plan.block
    assert "m#^/home/shop/public_html/#" in plan.block
    assert "php_admin_value engine is for mod_php alone" in " ".join(plan.reported)
    assert "PHP_FCGI_CHILDREN=4 is dropped" in " ".join(plan.reported)
    assert "HTTP_X_API" in " ".join(plan.reported)
    assert not any(entry["value"] == "s" for entry in plan.carried)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"php": {"method": "mod_php"}}, "by mod_php"),
        ({"migratable": False, "reasons": ["It is odd."]}, "It is odd."),
        ({"user": "root"}, "a user of its own"),
        ({"php": {"version": "7.4"}}, "runs PHP 7.4"),
        ({"php": {"version": None}}, "of unknown version"),
        ({"vhosts": []}, "no virtual host"),
        ({"vhosts": [{"file": "/x", "line": 1, "macro": "M"}]}, "macro M"),
        ({"wrapper": {"unresolved": ["eval $X"]}}, "eval $X"),
        ({"wrapper": {"readable": False}}, "run with become"),
        ({"wrapper": {"no_ini": True}}, "-n"),
        ({"wrapper": {"php_fcgi_max_requests": "many"}}, "whole number"),
        ({"php": {"extensions": [], "semantics": "addhandler"}}, "which files"),
        ({"php": {"semantics": "filesmatch", "patterns": ['a"b']}}, "can't be written"),
        ({"htaccess": [{"file": "/h/x/.htaccess", "line": 1, "directive": "Action", "arguments": ["a", "b"]}]}, "own"),
        (
            {
                "htaccess": [
                    {"file": "/h/x/.htaccess", "line": 1, "directive": "SetHandler", "arguments": ["cgi-script"]}
                ]
            },
            "another handler",
        ),
    ],
)
def test_refusals(changes: dict[str, Any], said: str) -> None:
    plan = plan_site(site(**changes), {}, FOUND, "8.2")
    assert plan.refused is not None
    assert said in plan.refused
    assert (plan.spec, plan.block) == ({}, "")


def test_unreadable_ini_files_refuse() -> None:
    found = Found(ini=IniFiles(unreadable=("There is no right to read /x.",)))
    assert "no right to read" in str(plan_site(site(), {}, found, "8.2").refused)


def test_defaults_of_mod_fcgid_are_told() -> None:
    plan = plan_site(site(fcgid={"directives": {}, "initial_env": {}}, suexec=False), {}, FOUND, "8.2")
    assert plan.spec["process_manager"]["max_children"] == 20
    assert plan.spec["request_terminate_timeout_seconds"] == 420
    assert plan.spec["environment"]["PATH"].startswith("/usr/local/sbin")
    assert "ProxySet" not in plan.block
    assert "Redirect 413" not in plan.block
    said = " ".join(plan.reported)
    for name in ("FcgidMaxProcessesPerClass", "FcgidIOTimeout", "FcgidMaxRequestLen"):
        assert name + " was never set" in said


@pytest.mark.parametrize(("asked", "limit", "expected"), [(None, 0, 500), (0, 0, 0), (0, 7, 7), (9, 7, 7), (3, 7, 3)])
def test_requests_per_process(asked: int | None, limit: int, expected: int) -> None:
    changed = site(
        wrapper={"php_fcgi_max_requests": asked},
        fcgid={"directives": {"FcgidMaxRequestsPerProcess": {"value": limit, "source": "x:1"}}, "initial_env": {}},
    )
    assert plan_site(changed, {}, FOUND, "8.2").spec["process_manager"]["max_requests"] == expected


@pytest.mark.parametrize(("limit", "expected"), [(5, 5), (0, 31536000)])
def test_php_cgi_that_never_left_when_idle_leave_no_earlier(limit: int, expected: int) -> None:
    changed = site(fcgid={"directives": {"FcgidIdleTimeout": {"value": limit, "source": "x:1"}}, "initial_env": {}})
    assert plan_site(changed, {}, FOUND, "8.2").spec["process_manager"]["process_idle_timeout_seconds"] == expected


def test_a_server_wide_action_runs_names_with_several_extensions() -> None:
    php = {
        "method": "action_cgi",
        "handler": "php-fcgi",
        "extensions": [".php", ".phtml"],
        "findings": [
            {"directive": "AddHandler", "arguments": ["php-fcgi", ".php", ".phtml"], "section": []},
            {"directive": "SetHandler", "arguments": ["fcgid-script"], "section": ["<Location /fcgi-bin/>"]},
        ],
    }
    plan = plan_site(site(php=php), {}, FOUND, "8.2")
    assert plan.spec["limit_extensions"] == [".de", ".php", ".phtml"]
    assert "m#^/" not in plan.block


def test_a_pattern_keeps_its_semantics() -> None:
    php = {"semantics": "filesmatch", "patterns": [r"\.ph(p[345]?|tml)$"], "extensions": [".php"], "findings": []}
    plan = plan_site(site(php=php), {}, FOUND, "8.2")
    assert r"$1 =~ m#\.ph(p[345]?|tml)$# && -f" in plan.block
    assert plan.spec["limit_extensions"] == [".de", ".php", ".php3", ".php4", ".php5", ".phtml"]


def test_every_file_is_php() -> None:
    php = {"semantics": "sethandler", "patterns": [], "extensions": [], "findings": []}
    plan = plan_site(site(php=php), {}, FOUND, "8.2")
    assert plan.spec["limit_extensions"] == []
    assert "$1 =~ m#.# && -f" in plan.block


def test_a_folder_whose_htaccess_switches_php_off_stays_off() -> None:
    entries = [
        {"file": "/h/up/.htaccess", "line": 1, "directive": "RemoveHandler", "arguments": [".php"]},
        {"file": "/h/off/.htaccess", "line": 2, "directive": "SetHandler", "arguments": ["none"]},
        {"file": "/h/txt/.htaccess", "line": 2, "directive": "AddHandler", "arguments": ["text", ".PHP"]},
        {"file": "/h/html/.htaccess", "line": 3, "directive": "AddHandler", "arguments": ["fcgid-script", ".html"]},
        {"file": "/h/.htaccess", "line": 4, "directive": "php_value", "arguments": ["memory_limit", "1G"]},
    ]
    plan = plan_site(site(htaccess=entries), {}, FOUND, "8.2")
    for folder in ("up", "off", "txt"):
        assert f"!~ m#^/h/{folder}/#" in plan.block
    assert r"=~ m#^/h/html/# " in plan.block
    assert ".html" in plan.spec["limit_extensions"]
    assert "/h/.htaccess:4: php_value memory_limit 1G is for mod_php alone." in plan.reported


def test_overrides_win() -> None:
    override = {
        "environment": {"APP_SECRET": "t"},
        "process_manager": {"max_children": 3},
        "umask": "077",
        "read_timeout_seconds": 5,
        "request_body_bytes": 10,
        "extensions": [".inc"],
    }
    plan = plan_site(site(), override, FOUND, "8.2")
    assert plan.spec["environment"]["APP_SECRET"] == "t"
    assert plan.spec["environment"]["REGION"] == "north"
    assert plan.spec["process_manager"]["max_children"] == 3
    assert plan.spec["umask"] == "077"
    assert ".inc" in plan.spec["limit_extensions"]
    assert "timeout=5" in plan.block
    assert "-gt 10" in plan.block
    accepted = plan_site(site(wrapper={"unresolved": ["x"]}), {"accept_unresolved": True}, FOUND, "8.2")
    assert accepted.refused is None


def test_a_scan_path_is_taken_over() -> None:
    changed = site(wrapper={"environment": {"PHP_INI_SCAN_DIR": "/a:/b"}})
    plan = plan_site(changed, {}, FOUND, "8.2")
    assert plan.spec["ini_scan_dirs"] == ["/a", "/b"]
    assert "PHP_INI_SCAN_DIR" not in plan.spec["environment"]
    assert "read beside PHP_INI_SCAN_DIR" in " ".join(plan.reported)


def test_sites_are_chosen_by_either_name() -> None:
    other = {"name": "static.example", "site": "static-example", "php": {"method": "none"}}
    moved = {**other, "name": "m", "site": "m", "php": {"method": "proxy_fcgi"}, "underneath": {"php": SITE["php"]}}
    facts = {"sites": [SITE, other, moved]}
    assert [one["name"] for one in choose(facts, [])] == ["shop.example.com", "m"]
    assert [one["name"] for one in choose(facts, ["shop-example-com", "shop.example.com"])] == ["shop.example.com"]
    assert choose(facts, ["static.example"]) == [other]
    with pytest.raises(PlanError, match=r"no site 'x' .* it has: m, shop\.example\.com, static\.example"):
        choose(facts, ["x"])


def test_secrets_of_overrides_are_not_in_what_is_carried() -> None:
    override = {"environment": {"DB_PASSWORD": "open sesame"}}
    plan = plan_site(site(), override, FOUND, "8.2")
    assert plan.spec["environment"]["DB_PASSWORD"] == "open sesame"
    assert "open sesame" not in repr((plan.carried, plan.reported))
    assert {"what": "environment", "from": "the site's overrides", "to": "the site", "value": "DB_PASSWORD"} in (
        plan.carried
    )


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"shop.example.com": "fast"}, "The overrides of shop.example.com are no dictionary"),
        ({"shop.example.com": {"ini": "x=1"}}, "The override ini of shop.example.com is no dictionary"),
        ({"shop.example.com": {"extensions": ".php"}}, "The override extensions of shop.example.com is no list"),
        ({"shop.example.com": {"read_timeout_seconds": "long"}}, "is no whole number: 'long'"),
        ({"shop.example.com": {"request_body_bytes": None}}, "is no whole number: None"),
    ],
)
def test_overrides_of_a_wrong_type_are_an_error(overrides: dict[str, Any], said: str) -> None:
    with pytest.raises(PlanError, match=said):
        override_of(overrides, SITE)


def test_overrides_are_found_by_either_name_and_checked() -> None:
    assert override_of({"shop.example.com": {"umask": "077"}, "shop-example-com": {"ini": {}}}, SITE) == {
        "umask": "077",
        "ini": {},
    }
    with pytest.raises(PlanError, match="name 'max_children'; give one of"):
        override_of({"shop.example.com": {"max_children": 1}}, SITE)


def test_a_moved_site_keeps_what_is_stored() -> None:
    stored = {"name": "a", "environment": {"A": "1", "B": "2"}, "umask": "022"}
    assert keep(stored, {"environment": {"B": "3"}, "read_timeout_seconds": 1}) == {
        "name": "a",
        "environment": {"A": "1", "B": "3"},
        "umask": "022",
    }


def test_one_short_name_for_two_sites_is_an_error() -> None:
    plan = plan_site(site(), {}, FOUND, "8.2")
    with pytest.raises(PlanError, match="same short name"):
        warn_doubles([plan, plan])


@pytest.mark.parametrize(
    ("allowed", "suexec", "told"),
    [
        (["All"], True, True),
        (["AuthConfig", "FileInfo"], True, True),
        (["AuthConfig"], True, False),
        (["None"], True, False),
        (["All"], False, False),
    ],
)
def test_htaccess_that_reaches_other_sites_is_told(allowed: list[str], suexec: bool, told: bool) -> None:
    plan = plan_site(site(allow_override=allowed, suexec=suexec), {}, FOUND, "8.2")
    assert any("reaches the PHP-FPM of every site" in sentence for sentence in plan.reported) == told
