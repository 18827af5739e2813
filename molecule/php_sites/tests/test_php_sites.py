# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the facts say is what runs: user, binary, arguments and environment of the processes, and the answers."""

from __future__ import annotations

import json

import pytest

MIGRATABLE = {"wiki.example.test", "docs.example.test", "app.example.test", "legacy.example.test"}
PAGES = {
    "wiki.example.test": "/index.php?title=Main_Page",
    "docs.example.test": "/doku.php",
    "app.example.test": "/index.php",
    "legacy.example.test": "/index.php",
    "odd.example.test": "/index.php",
}
# What a process has that no wrapper exports.
OWN = {"PATH", "PWD", "SHLVL", "SCRIPT_FILENAME", "_", "PHPRC", "PHP_FCGI_CHILDREN", "PHP_FCGI_MAX_REQUESTS"}


def gather(host, arguments=None):
    answer = host.ansible("phpops.webhost.php_sites_facts", arguments, check=True, become=True)
    assert answer["changed"] is False
    return answer["ansible_facts"]["phpops_php_sites"]


@pytest.fixture(scope="module")
def facts(host):
    found = gather(host)
    assert found["available"], found["reason"]
    return found


@pytest.fixture(scope="module")
def sites(facts):
    return {site["name"]: site for site in facts["sites"]}


def get(host, name, path):
    """Ask for a page as a client does: (status, body)."""
    answer = host.check_output(f"curl -s -m 30 -H 'Host: {name}' -w '\n%{{http_code}}' 'http://127.0.0.1{path}'")
    body, _newline, status = answer.rpartition("\n")
    return int(status), body


def php_cgi(host):
    """The php-cgi processes: user, program, arguments, environment, folder."""
    script = (
        "for p in $(pgrep -f ^/usr/bin/php-cgi); do printf '%s\\001%s\\001%s\\001' "
        "$(stat -c %U /proc/$p) $(readlink /proc/$p/exe) $(readlink /proc/$p/cwd); "
        "tr '\\0' '\\002' </proc/$p/cmdline; printf '\\001'; tr '\\0' '\\002' </proc/$p/environ; echo; done"
    )
    processes = []
    for line in host.check_output(script).split("\n"):
        user, program, folder, command, environment = line.split("\001")
        pairs = [item.split("=", 1) for item in environment.split("\002") if "=" in item]
        processes.append((user, program, command.split("\002")[1:-1], dict(pairs), folder))
    return processes


def test_every_php_site_is_found(sites):
    assert set(sites) > MIGRATABLE
    assert {"pool.example.test", "odd.example.test", "parts.example.test"} < set(sites)
    assert {name for name, site in sites.items() if site["migratable"]} == MIGRATABLE


def test_methods(sites):
    assert {name: site["php"]["method"] for name, site in sites.items() if name.endswith("test")} == {
        "wiki.example.test": "fcgid_wrapper",
        "docs.example.test": "fcgid_wrapper",
        "app.example.test": "action_cgi",
        "legacy.example.test": "fcgid_wrapper",
        "odd.example.test": "fcgid_wrapper",
        "parts.example.test": "fcgid_wrapper",
        "pool.example.test": "proxy_fcgi",
    }


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_process_is_what_the_facts_say(host, sites, name):
    site = sites[name]
    status, _body = get(host, name, PAGES[name])
    assert status == 200
    folder = site["wrapper"]["path"].rsplit("/", 1)[0]
    binary, arguments = site["php"]["binary"], site["wrapper"]["arguments"]
    running = [item for item in php_cgi(host) if item[4] == folder and item[2] == arguments]
    assert running, (folder, arguments, php_cgi(host))
    for user, program, _arguments, environment, _folder in running:
        assert (user, program) == (site["user"], binary)
        expected = {**site["fcgid"]["initial_env"], **site["wrapper"]["environment"]}
        if site["wrapper"]["unresolved"]:
            continue
        assert {key: value for key, value in environment.items() if key not in OWN} == expected
        children, requests = environment.get("PHP_FCGI_CHILDREN"), environment.get("PHP_FCGI_MAX_REQUESTS")
        assert (children and int(children)) == site["wrapper"]["php_fcgi_children"]
        assert (requests and int(requests)) == site["wrapper"]["php_fcgi_max_requests"]
        assert "PHPRC" not in environment or site["wrapper"]["phprc"] == host.check_output(
            f"realpath -sm '{environment['PHPRC']}'"
        )


def test_version_and_ini(host, sites):
    told = json.loads(get(host, "app.example.test", "/index.php?ini=memory_limit,session.name,sendmail_path")[1])
    app = sites["app.example.test"]
    assert told["version"].startswith(app["php"]["version"] + ".")
    assert (told["binary"], told["user"]) == (app["php"]["binary"], app["user"])
    assert {name: app["wrapper"]["ini"][name] for name in told["ini"]} == told["ini"]
    assert told["umask"] == app["wrapper"]["umask"]


def test_extensions(host, sites):
    app = sites["app.example.test"]
    assert app["php"]["extensions"] == [".php", ".phtml"]
    assert app["php"]["semantics"] == "addhandler"
    assert "ran as cgi-fcgi" in get(host, "app.example.test", "/page.phtml")[1]
    # addhandler: an extension counts anywhere in a name.
    assert "ran as cgi-fcgi" in get(host, "app.example.test", "/p.php.de")[1]
    docs = sites["docs.example.test"]
    assert (docs["php"]["semantics"], docs["php"]["patterns"]) == ("filesmatch", ["\\.php[345]?$"])


def test_files_and_lines_are_the_real_ones(host, sites):
    for name in MIGRATABLE:
        for vhost in sites[name]["vhosts"]:
            lines = host.file(vhost["file"]).content_string.split("\n")
            assert lines[vhost["line"] - 1].strip() == "<VirtualHost *:80>"
        for finding in sites[name]["php"]["findings"]:
            text = host.file(finding["file"]).content_string.split("\n")[finding["line"] - 1]
            assert text.split()[0] == finding["directive"]


def test_htaccess(host, facts, sites):
    legacy = sites["legacy.example.test"]
    assert [(item["file"], item["directive"]) for item in legacy["htaccess"]] == [
        ("/srv/legacy/.htaccess", "AddHandler"),
        ("/srv/legacy/.htaccess", "FcgidWrapper"),
        ("/srv/legacy/uploads/.htaccess", "RemoveHandler"),
    ]
    assert '"sapi"' in get(host, "legacy.example.test", "/index.php")[1]
    # RemoveHandler takes the folder's own handler away, and the whole server's takes over: another php-cgi.
    told = json.loads(get(host, "legacy.example.test", "/uploads/index.php?ini=memory_limit")[1])
    assert told["ini"]["memory_limit"] == sites["app.example.test"]["wrapper"]["ini"]["memory_limit"] == "96M"
    (warning,) = [text for text in legacy["warnings"] if "RemoveHandler" in text]
    assert f"uploads/x.php goes to {sites['app.example.test']['wrapper']['path']} then" in warning
    assert facts["htaccess_scan"]["complete"]
    assert facts["htaccess_scan"]["directories"] == 2


def test_reasons(sites):
    assert "already on PHP-FPM" in sites["pool.example.test"]["reasons"][0]
    assert ". /srv/bin/settings (the command .)" in sites["odd.example.test"]["reasons"][0]
    assert "<Directory /srv/parts/blog>" in sites["parts.example.test"]["reasons"][0]
    (default,) = [site for name, site in sites.items() if not name.endswith("test")]
    assert "has no ServerName" in default["reasons"][0]


def test_what_suexec_takes_away(sites):
    assert sites["wiki.example.test"]["fcgid"]["initial_env_dropped"] == ["APP_REGION"]
    assert sites["app.example.test"]["fcgid"]["initial_env"] == {"APP_REGION": "north 1"}


def test_limits_with_their_sources(sites):
    limits = sites["wiki.example.test"]["fcgid"]["directives"]
    assert limits["FcgidIOTimeout"]["value"] == 9999
    assert limits["FcgidIOTimeout"]["source"] == "/etc/apache2/sites-enabled/wiki.example.test.conf:20"
    assert limits["FcgidMinProcessesPerClass"] == {"value": 3, "source": "default"}


def test_opcache_failures_are_counted(facts, sites):
    found = facts["apache"]["shm_errors"]
    assert (found["count"], found["segment_bytes"]) == (1, [67108864])
    assert found["first"].split()[-1].startswith("20")
    assert sites["wiki.example.test"]["shm_errors"]["count"] == 0


def test_apache(host, facts):
    apache = facts["apache"]
    assert (apache["mpm"], apache["running"], apache["user"]) == ("event", True, "www-data")
    assert apache["version"] in host.check_output("apache2ctl -v")


def test_a_configuration_that_does_not_pass_gives_apaches_own_error(host):
    host.run_expect([0], "echo 'Nonsense on' >/etc/apache2/sites-enabled/zz.conf")
    try:
        found = gather(host)
    finally:
        host.run_expect([0], "rm /etc/apache2/sites-enabled/zz.conf")
    assert found["available"] is False
    assert "Syntax error on line 1 of /etc/apache2/sites-enabled/zz.conf" in found["reason"]


def test_without_apache(host):
    found = gather(host, "apache_control=/usr/sbin/not-here")
    assert found["available"] is False


def test_an_ordinary_user_is_told_what_is_missing(host):
    answer = host.ansible("phpops.webhost.php_sites_facts", None, check=True, become=True, become_user="nobody")
    found = answer["ansible_facts"]["phpops_php_sites"]
    assert found["available"] is False or any("become" in text for site in found["sites"] for text in site["reasons"])
