# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts put together, from a real dump and wrappers in a folder."""

from __future__ import annotations

import getpass
import json
import os
from dataclasses import replace

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import parse_config_dump
from ansible_collections.phpops.webhost.plugins.module_utils._host import php_sites
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache import Apache
from ansible_collections.phpops.webhost.plugins.module_utils._host.php_sites import Limits, Sites, clean
from ansible_collections.phpops.webhost.tests.unit._core import apache_fixture as fixture


def host(name: str) -> Apache:
    dump = fixture.load(name)
    return Apache(dump.config, dump.listed, dump.run, dump.modules, "2.4.71")


def facts(apache: Apache) -> dict:
    answer = Sites(apache, Limits()).facts()
    json.dumps(clean(answer))
    return {site["name"]: site for site in answer["sites"]}


def test_three_sites():
    sites = facts(host("three-sites-debian12"))
    assert [(name, site["php"]["method"]) for name, site in sites.items()] == [
        ("10.88.0.11", "action_cgi"),
        ("app.example.test", "action_cgi"),
        ("docs.example.test", "fcgid_wrapper"),
        ("wiki.example.test", "fcgid_wrapper"),
    ]
    wiki, app = sites["wiki.example.test"], sites["app.example.test"]
    assert (wiki["site"], wiki["suexec"], app["suexec"], app["user"]) == ("wiki-example-test", True, False, "www-data")
    assert wiki["names"] == ["wiki.example.test", "www.wiki.example.test", "mail.wiki.example.test"]
    assert (wiki["php"]["server_wide"], app["php"]["server_wide"]) == (False, True)
    # suexec throws FcgidInitialEnv away.
    assert (wiki["fcgid"]["initial_env"], wiki["fcgid"]["initial_env_dropped"]) == ({}, ["APP_REGION"])
    assert app["fcgid"]["initial_env"] == {"APP_REGION": "north 1"}


def test_what_a_htaccess_may_do():
    assert facts(host("three-sites-debian12"))["wiki.example.test"]["allow_override"] == ["None"]
    assert facts(host("virtualmin"))["domain.tld"]["allow_override"][0] == "All"


def test_every_site_has_the_same_keys():
    keys = {frozenset(site) for name in ("styles", "modphp", "main-only", "omd") for site in facts(host(name)).values()}
    assert len(keys) == 1
    contract = "name site names addresses vhosts document_root user group suexec php wrapper fcgid php_values htaccess"
    assert {*contract.split(), "error_log", "shm_errors", "migratable", "reasons"} <= next(iter(keys))


def test_what_runs_no_php_is_left_out():
    names = facts(host("styles"))
    assert "perl.example.test" not in names
    assert "redirect.example.test" not in names
    assert facts(host("crlf")) == {}


@pytest.mark.parametrize(
    ("dump", "name", "part"),
    [
        ("styles", "pool.example.test", "already on PHP-FPM"),
        ("styles", "proxypass.example.test", "already on PHP-FPM"),
        ("modphp", "modphp.example.test", "runs in Apache itself"),
        ("styles", "macro.example.test", "written by the macro"),
        ("main-only", "host.example.test", "no <VirtualHost>"),
        ("styles", "location.example.test", "only a part"),
        ("styles", "both.example.test", "/srv/bin/a.fcgi can't be read"),
    ],
)
def test_reasons(dump, name, part):
    site = facts(host(dump))[name]
    assert not site["migratable"]
    assert any(part in reason for reason in site["reasons"]), site["reasons"]


def dump_of(text: str, modules=("core", "fcgid")) -> Apache:
    """A configuration written as Apache dumps it, from indented lines."""
    lines = ["# In file: /etc/apache2/sites-enabled/x.conf"]
    for number, line in enumerate(text.strip("\n").split("\n"), 1):
        if not line.strip().startswith("</"):
            lines.append(" " * (len(line) - len(line.lstrip())) + f"#{number:4}:")
        lines.append(line)
    run = {"server_root": "/etc/apache2", "user": "www-data", "group": "www-data", "error_log": "/nowhere/error.log"}
    return Apache(parse_config_dump("\n".join(lines)), [], run, list(modules), "2.4.71")


SITE = """
<VirtualHost *:80>
  ServerName a.example.test
  DocumentRoot {root}
  {extra}
  <Directory {root}>
    Options +ExecCGI
    AllowOverride {override}
    AddHandler fcgid-script .php
    FcgidWrapper {wrapper} .php
  </Directory>
</VirtualHost>
"""


@pytest.fixture
def wrapper(tmp_path):
    (tmp_path / "root").mkdir()
    path = tmp_path / "wrapper"
    path.write_text("#!/bin/sh\nexport SECRET=x\nexec /usr/bin/php-cgi -d a=1\n")
    path.chmod(0o755)
    return path


def site(wrapper, monkeypatch, extra="", override="None", program="/usr/bin/php-cgi8.2"):
    real = os.path.realpath
    monkeypatch.setattr(php_sites.os, "access", lambda path, mode: not str(path).startswith("/nowhere"))
    monkeypatch.setattr(
        php_sites.os.path, "realpath", lambda path: program if str(path).startswith("/usr/bin/php-cgi") else real(path)
    )
    text = SITE.format(root=wrapper.parent / "root", wrapper=wrapper, extra=extra or "Timeout 5", override=override)
    (only,) = facts(dump_of(text)).values()
    return only


def test_a_site_that_can_be_moved(wrapper, monkeypatch):
    found = site(wrapper, monkeypatch)
    assert (found["migratable"], found["reasons"], found["warnings"]) == (True, [], [])
    assert (found["php"]["binary"], found["php"]["version"]) == ("/usr/bin/php-cgi8.2", "8.2")
    assert (found["wrapper"]["environment"], found["wrapper"]["ini"]) == ({"SECRET": "x"}, {"a": "1"})
    assert (found["wrapper"]["readable"], found["underneath"]) == (True, None)


def test_another_binary(wrapper, monkeypatch):
    found = site(wrapper, monkeypatch, program="/opt/php/php-cgi")
    assert "not Debian's own" in found["reasons"][0]
    assert found["php"]["version"] is None


def test_a_wrapper_that_is_not_understood(wrapper, monkeypatch):
    wrapper.write_text("#!/bin/sh\n. /etc/default/php\nexec /usr/bin/php-cgi\n")
    found = site(wrapper, monkeypatch)
    assert "line 2: . /etc/default/php (the command .)" in found["reasons"][0]


def test_a_missing_wrapper(wrapper, monkeypatch):
    wrapper.unlink()
    found = site(wrapper, monkeypatch)
    assert "can't be read: There is no file" in found["reasons"][0]
    assert found["wrapper"]["readable"] is False


def test_php_cgi_itself(wrapper, monkeypatch):
    wrapper.write_bytes(b"\x7fELF" + bytes(100))
    monkeypatch.setattr(php_sites, "_program", lambda read, search: "/usr/bin/php-cgi8.4")
    found = site(wrapper, monkeypatch)
    assert (found["migratable"], found["php"]["version"], found["wrapper"]["interpreter"]) == (True, "8.4", None)


def test_identities(wrapper, monkeypatch):
    user = getpass.getuser()
    assert site(wrapper, monkeypatch, f'SuexecUserGroup "#{os.getuid()}" "#{os.getgid()}"')["user"] == user
    lost = site(wrapper, monkeypatch, 'SuexecUserGroup "#3999999" nobody-here')
    assert (lost["user"], lost["group"], len(lost["reasons"])) == (None, None, 2)


def test_htaccess_files(wrapper, monkeypatch):
    folder = wrapper.parent / "root" / "uploads"
    folder.mkdir()
    (folder / ".htaccess").write_text("SetHandler none\nphp_flag engine off\n")
    assert site(wrapper, monkeypatch)["htaccess"] == []
    found = site(wrapper, monkeypatch, override="All")
    assert [(item["directive"], item["line"]) for item in found["htaccess"]] == [("SetHandler", 1), ("php_flag", 2)]
    assert found["migratable"]


def test_a_site_that_phpops_moved(wrapper, monkeypatch):
    own = '<If "1">\n    SetHandler "proxy:unix:/var/lib/phpops/a/ptr/live/php.sock|fcgi://a"\n  </If>'
    more = '\n  <If "2">\n    SetHandler default-handler\n  </If>'
    found = site(wrapper, monkeypatch, own + more)
    assert (found["php"]["method"], found["wrapper"], found["migratable"]) == ("proxy_fcgi", None, False)
    assert "already on PHP-FPM" in found["reasons"][0]
    assert found["underneath"]["php"]["method"] == "fcgid_wrapper"
    assert found["underneath"]["wrapper"]["ini"] == {"a": "1"}


def test_without_execcgi_is_said(wrapper):
    text = SITE.replace("Options +ExecCGI", "Options Indexes")
    apache = dump_of(text.format(root=wrapper.parent / "root", wrapper=wrapper, extra="Timeout 5", override="None"))
    (only,) = facts(apache).values()
    assert "ExecCGI is not on" in only["warnings"][0]


def test_bytes_that_are_no_unicode_stay_valid_json():
    assert clean({"a\udcff": ["\udc80", 1, None]}) == {"a?": ["?", 1, None]}


def test_the_main_log_is_counted_apart(tmp_path):
    log = tmp_path / "error.log"
    log.write_text("Unable to allocate shared memory segment of 8 bytes\n")
    apache = host("three-sites-debian12")
    answer = Sites(replace(apache, run={**apache.run, "error_log": str(log)}), Limits()).facts()
    assert answer["apache"]["shm_errors"]["count"] == 1
