# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names PHP takes in a site, and every reason for which a site can't be moved."""

from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import site_reasons
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_handlers import Server
from ansible_collections.phpops.webhost.plugins.module_utils._core.htaccess import parse_htaccess
from ansible_collections.phpops.webhost.plugins.module_utils._core.php_handling import handling_of
from ansible_collections.phpops.webhost.plugins.module_utils._core.wrapper import read_wrapper
from ansible_collections.phpops.webhost.tests.unit._core import apache_fixture as fixture

DUMPS = {name: fixture.load(name) for name in ("styles", "modphp", "three-sites-debian12", "virtualmin", "omd")}
DUMPS["virtualmin-modphp"] = fixture.load("virtualmin-modphp")
DUMPS.update((name, fixture.load(name)) for name in ("tekstove", "ispconfig", "apachelounge", "debian-howto", "crlf"))


def handling(dump: str, name: str, htaccess: dict[str, str] | None = None):
    trees = {
        folder: parse_htaccess(text, folder + "/.htaccess", DUMPS[dump].modules)
        for folder, text in (htaccess or {}).items()
    }
    return handling_of(DUMPS[dump].server(name, trees, address=":80" if dump == "styles" else ""))


# dump, site, method, semantics, extensions, patterns
NAMES = [
    ("three-sites-debian12", "wiki.example.test", "fcgid_wrapper", "addhandler", [".php", ".php5"], []),
    ("three-sites-debian12", "docs.example.test", "fcgid_wrapper", "filesmatch", [".php", ".php3", ".php4", ".php5"],
     ["\\.php[345]?$"]),
    ("three-sites-debian12", "app.example.test", "action_cgi", "addhandler", [".php", ".phtml"], []),
    ("virtualmin", "domain.tld", "fcgid_wrapper", "addhandler", [".php", ".php5"], []),
    ("tekstove", "tekstove.fb", "fcgid_wrapper", "addhandler", [".php"], []),
    ("ispconfig", "discover.my-service.com", "fcgid_wrapper", "addhandler", [".php"], []),
    ("apachelounge", "one.example.test", "fcgid_wrapper", "addhandler", [".php"], []),
    ("debian-howto", "one.example.test", "action_cgi", "addhandler", [".php"], []),
    ("crlf", "crlf.example.test", "none", None, [], []),
    ("styles", "perl.example.test", "none", None, [], []),
    ("styles", "pool.example.test", "proxy_fcgi", "filesmatch", [".php", ".phtml"], ["\\.ph(p|tml)$"]),
    ("styles", "both.example.test", "fcgid_wrapper", "addhandler", [".fcgi", ".php", ".phtml"], []),
    ("styles", "direct.example.test", "fcgid_wrapper", "sethandler", [".php"], []),
    ("modphp", "modphp.example.test", "mod_php", "filesmatch", [".phar", ".php", ".phtml"], [".+\\.ph(?:ar|p|tml)$"]),
    # A wrapper for all extensions takes Debian's own .fcgi too.
    ("modphp", "mixed.example.test", "fcgid_wrapper", "filesmatch", [".fcgi", ".phar", ".php", ".phtml"],
     [".+\\.ph(ar|p|tml)$"]),
    ("virtualmin-modphp", "domain.tld", "mod_php", "filesmatch", [".phar", ".php", ".phtml"], [".+\\.ph(?:ar|p|tml)$"]),
]  # fmt: skip


@pytest.mark.parametrize(("dump", "name", "method", "semantics", "extensions", "patterns"), NAMES)
def test_names(dump, name, method, semantics, extensions, patterns):
    found = handling(dump, name)
    assert (found.runner.method, found.runner.semantics) == (method, semantics)
    assert (found.extensions, found.patterns) == (extensions, patterns)


# dump, site, .htaccess, what each reason must hold
REASONS = [
    ("three-sites-debian12", "wiki.example.test", {}, []),
    ("three-sites-debian12", "docs.example.test", {}, []),
    ("three-sites-debian12", "app.example.test", {}, []),
    ("virtualmin", "domain.tld", {}, []),
    ("modphp", "mixed.example.test", {}, []),
    ("styles", "htaccess.example.test", {"/srv/ht": "AddHandler fcgid-script .php\nFcgidWrapper /srv/bin/a.fcgi .php"},
     []),
    ("styles", "htaccess.example.test", {"/srv/ht": "AddHandler fcgid-script .php\nFcgidWrapper /srv/bin/a.fcgi .php",
                                         "/srv/ht/off": "SetHandler none\nRemoveHandler .php"}, []),
    ("styles", "htaccess.example.test", {"/srv/ht": "AddHandler fcgid-script .php\nFcgidWrapper /srv/bin/a.fcgi .php",
                                         "/srv/ht/sub": "FcgidWrapper /srv/bin/b.fcgi .php"},
     ["FcgidWrapper /srv/bin/b.fcgi .php at /srv/ht/sub/.htaccess:1 gives sub/x.php to /srv/bin/b.fcgi"]),
    ("styles", "htaccess.example.test", {"/srv/ht": "AddHandler fcgid-script .php\nFcgidWrapper /srv/bin/a.fcgi .php\n"
                                         "<If \"true\">\nSetHandler none\n</If>"},
     ["SetHandler none at /srv/ht/.htaccess:4 stands in an <If>"]),
    ("styles", "parts.example.test", {}, ["uploads", "/srv/bin/b.fcgi", "<Files plain.php>"]),
    ("styles", "location.example.test", {},
     ["<Location /sub> at /etc/apache2/sites-enabled/styles.conf:100 gives only"]),
    ("styles", "condition.example.test", {}, ["stands in an <If>"]),
    ("styles", "two.example.test", {}, ["Files ending in .php5 are run by /srv/bin/b.fcgi"]),
    ("omd", "one.example.test", {}, ["<Location /one/> at /etc/apache2/sites-enabled/omd.conf:15 gives only a part"]),
]  # fmt: skip


@pytest.mark.parametrize(("dump", "name", "htaccess", "expected"), REASONS)
def test_reasons_of_the_handler(dump, name, htaccess, expected):
    reasons = site_reasons.of_handling(handling(dump, name, htaccess))
    assert len(reasons) == len(expected)
    assert all(any(part in reason for reason in reasons) for part in expected), reasons
    assert all(reason.endswith(".") for reason in reasons)


def test_names_of_the_whole_server_are_only_said():
    found = handling("three-sites-debian12", "wiki.example.test")
    (warning,) = site_reasons.warnings_of_handling(found)
    assert "Files ending in .phtml are left to the server-wide handler at" in warning


def test_a_handler_of_htaccess_is_the_sites_own():
    text = "AddHandler fcgid-script .php\nFcgidWrapper /w .php"
    found = handling("three-sites-debian12", "app.example.test", {"/var/www/app/public": text})
    assert site_reasons.of_handling(found) == []
    assert "Files ending in .phtml are left" in site_reasons.warnings_of_handling(found)[0]


def test_remove_handler_does_not_reach_the_whole_servers_handler():
    # As curl saw it: below the folder the server-wide Action takes over again.
    folders = {
        "/var/www/app/public": "AddHandler fcgid-script .php\nFcgidWrapper /w .php",
        "/var/www/app/public/uploads": "RemoveHandler .php",
    }
    found = handling("three-sites-debian12", "app.example.test", folders)
    assert found.runner.command == ["/w"]
    (warning,) = [text for text in site_reasons.warnings_of_handling(found) if "RemoveHandler" in text]
    assert "doesn't switch PHP off: uploads/x.php goes to /var/www/fcgi-bin.d/app/php-fcgi-wrapper" in warning
    # Alone in its group it does.
    del folders["/var/www/app/public"]
    found = handling("three-sites-debian12", "app.example.test", folders)
    assert [(name, other.method) for _item, name, other in found.exceptions] == [("uploads/x.php", "none")]


def section(name: str, arguments: str, *lines: str) -> Directive:
    return Directive(name, arguments, "/c", 1, True, [Directive(*line.split(" ", 1), "/c", 2) for line in lines])


BASE = section("Directory", "/srv", "SetHandler fcgid-script", "FcgidWrapper /w .php", "Options ExecCGI")


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (section("DirectoryMatch", "/uploads/", "SetHandler none"), "doesn't tell for sure"),
        (section("FilesMatch", "^(a|b)\\.php$", "SetHandler none"), "doesn't tell for sure"),
        (section("FilesMatch", "^a\\.php$", "SetHandler none"), "gives a.php to"),
        (section("Location", "/status", "SetHandler server-status"), None),
        (section("Location", "/srv", "Require all"), None),
        (section("DirectoryMatch", "(?<bad", "SetHandler none"), "can't be evaluated"),
        (section("Directory", "/srv/*/x", "RemoveHandler .php", "SetHandler none"), "gives x/x/x.php to"),
    ],
)
def test_sections_beside_the_handler(extra, expected):
    reasons = site_reasons.of_handling(handling_of(Server([BASE, extra], [], "/srv", ["fcgid"], {})))
    assert bool(reasons) is (expected is not None)
    assert expected is None or any(expected in reason for reason in reasons), reasons


def test_methods():
    assert "runs in Apache itself" in site_reasons.of_method("mod_php", "application/x-httpd-php")[0]
    assert "already on PHP-FPM" in site_reasons.of_method("proxy_fcgi", "proxy:unix:/x")[0]
    assert site_reasons.of_method("fcgid_wrapper", "fcgid-script") == []


def test_virtual_hosts():
    assert "no <VirtualHost>" in site_reasons.of_vhosts("x", fixture.load("main-only").vhosts)[0]
    (macro, *_rest) = DUMPS["styles"].vhosts
    assert "written by the macro site (used at" in site_reasons.of_vhosts(macro.server_name, [macro])[0]
    (default,) = [item for item in DUMPS["three-sites-debian12"].vhosts if item.document_root == "/var/www/html"]
    assert "no ServerName of its own" in site_reasons.of_vhosts(default.server_name, [default])[0]


@pytest.mark.parametrize(
    ("real", "expected"),
    [
        ("/usr/bin/php-cgi8.2", None),
        ("/usr/bin/php-cgi8.4", None),
        ("/usr/bin/php-cgi7.4", "not Debian's own php-cgi"),
        ("/opt/php/bin/php-cgi", "not Debian's own php-cgi"),
        (None, "which is not there"),
    ],
)
def test_binaries(real, expected):
    reasons = site_reasons.of_binary(read_wrapper("#!/bin/sh\nexec /usr/bin/php-cgi\n", "/w"), real)
    assert reasons == [] if expected is None else expected in reasons[0]


def test_wrappers():
    found = handling("styles", "two.example.test")
    bad = read_wrapper("#!/bin/sh\n. /etc/x\nexec /usr/bin/php-cgi\n", "/w")
    assert "does what can't be read for certain (line 2: . /etc/x" in site_reasons.of_command(found, bad, True, None)[0]
    assert "run with become" in site_reasons.of_command(found, None, False, None)[0]
    bare = handling_of(Server([section("Directory", "/srv", "AddHandler fcgid-script .php")], [], "/srv", [], {}))
    assert "no FcgidWrapper" in site_reasons.of_command(bare, None, False, None)[0]
    assert "wants /bin/sh" in site_reasons.of_interpreter(bad, False)[0]
    assert site_reasons.of_interpreter(bad, True) == []
    assert "the user #7," in site_reasons.of_identity("#7", "user", False)[0]
    assert "chroot" in site_reasons.of_server([Directive("ChrootDir", "/x", "/c", 3)])[0]
