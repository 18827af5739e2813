# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import (
    apache_docroot,
    apache_preflight,
    nginx_docroot,
    nginx_preflight,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._core.vhost import VhostError, build, lines, text
from hypothesis import given
from hypothesis import strategies as st

POINTER = "/var/lib/phpops/wiki/ptr/live"


def vhost(server: str = "apache", **options: Any) -> Any:
    return build({"site": "wiki", **options}, server, Layout())


@pytest.mark.parametrize(
    ("server", "options", "said"),
    [
        ("apache", {"site": "Wiki"}, "Site name 'Wiki'"),
        ("apache", {"site": "../x"}, "Site name '../x'"),
        ("apache", {"server_names": ["a b"]}, "server_names holds 'a b'"),
        ("nginx", {"server_names": ["a;"]}, "server_names holds 'a;'"),
        ("nginx", {"server_names": ["a\nb"]}, "server_names"),
        ("nginx", {"server_names": ["$host"]}, "server_names"),
        ("nginx", {"server_names": ["~.*"]}, "server_names"),
        ("apache", {"server_names": ["ä.example"]}, "punycode"),
        ("apache", {"server_names": ["*.example.org"]}, "without * first"),
        ("apache", {"server_names": ["a." * 127 + "org"]}, "server_names"),
        ("apache", {"port": 65536}, "port holds 65536"),
        ("apache", {"port": -1}, "port holds -1"),
        ("apache", {"front_controller": "index.php"}, "front_controller"),
        ("apache", {"front_controller": "/a/../index.php"}, "front_controller"),
        ("nginx", {"front_controller": "/index.php;"}, "front_controller"),
        ("apache", {"front_controller": "/index.html"}, "front_controller"),
        ("apache", {"allow_override": "All\nRequire all granted"}, "allow_override"),
        ("apache", {"allow_override": "Everything"}, "allow_override"),
        ("nginx", {"allow_override": "All"}, "nginx reads no .htaccess"),
        ("apache", {"extra_lines": ["a\nb"]}, "extra_lines"),
        ("apache", {"extra_lines": ["Header set X \\"]}, "would take in the next line"),
        ("apache", {"extra_lines": [" </virtualhost >"]}, "stay inside of the virtual host"),
        ("apache", {"extra_lines": ["<VirtualHost *:81>"]}, "stay inside of the virtual host"),
        ("nginx", {"extra_lines": ["}", "server {"]}, "close a block that they don't open"),
        ("nginx", {"extra_lines": ["location /x {", "deny all;"]}, "open a block that they don't close"),
        ("nginx", {"extra_lines": ["deny all"]}, "a directive that no ; ends"),
        ("nginx", {"extra_lines": ["location /x {", "deny all }"]}, "a directive that no ; ends"),
        ("nginx", {"extra_lines": ["add_header X 'a;"]}, "a quote or a backslash that nothing ends"),
    ],
)
def test_what_can_not_be_used_is_refused_by_its_name(server: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(VhostError) as caught:
        build({"site": "wiki", **options}, server, Layout())
    assert said in str(caught.value)


def test_a_site_is_asked_for_by_its_own_name_unless_it_has_others() -> None:
    assert vhost().server_names == ("wiki",)
    assert vhost(server_names=["Wiki.example.org", "*.wiki.example.org", "wiki.example.org"]).server_names == (
        "wiki.example.org",
        "*.wiki.example.org",
    )


@pytest.mark.parametrize("override", ["None", "All", "FileInfo Limit", "Options=Indexes,MultiViews Nonfatal=All"])
def test_what_apache_lets_an_htaccess_say(override: str) -> None:
    assert f"    AllowOverride {override}" in lines(vhost(allow_override=override), "apache")


def test_a_closed_list_of_whole_directives_is_taken() -> None:
    extra = ["location /x { # }", "  add_header X 'a;}';", "}"]
    assert "      add_header X 'a;}';" in text(vhost("nginx", extra_lines=extra), "nginx").splitlines()


def test_apaches_file() -> None:
    options = {"server_names": ["a.example", "b.example"], "port": 8080, "extra_lines": ["LogLevel info"]}
    made = text(replace(vhost(front_controller="/index.php", **options), listen=True), "apache")
    assert made.splitlines()[1:6] == [
        "Listen 8080",
        "<VirtualHost *:8080>",
        "    ServerName a.example",
        "    ServerAlias b.example",
        f'    DocumentRoot "{POINTER}/docroot"',
    ]
    assert made.endswith("    LogLevel info\n</VirtualHost>\n")
    for line in (
        "        FallbackResource /index.php",
        f'            SetHandler "proxy:unix:{POINTER}/php.sock|fcgi://wiki"',
        '        <If "-f %{REQUEST_FILENAME}">',
        "        <IfModule !mod_proxy_fcgi.c>",
    ):
        assert line in made.splitlines()
    assert "FallbackResource" not in text(vhost(), "apache")
    assert "Listen" not in text(vhost(), "apache")


def test_nginxs_file() -> None:
    made = text(replace(vhost("nginx", front_controller="/index.php", port=8080), ipv6=True), "nginx").splitlines()
    assert made[1:6] == [
        "server {",
        "    listen 8080;",
        "    listen [::]:8080;",
        "    server_name wiki;",
        f"    root {POINTER}/docroot;",
    ]
    assert made.count(f"        fastcgi_pass unix:{POINTER}/php.sock;") == 2
    assert "    fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;" in made
    assert "        try_files $uri $uri/ /index.php$is_args$args;" in made
    assert "    fastcgi_param HTTP_HOST $host:$server_port;" in made
    plain = text(vhost("nginx"), "nginx")
    assert "try_files $uri $uri/ =404;" in plain
    assert "[::]" not in plain
    assert "HTTP_HOST" not in plain


@pytest.mark.parametrize("front", ["", "/index.php"])
def test_our_own_file_spoils_no_flip(front: str) -> None:
    apache = apache_preflight.parse("/a", text(vhost(front_controller=front), "apache"))
    denied = apache_preflight.parse("/b", "<Directory />\nOptions None\nRequire all denied\n</Directory>\n")
    nginx = nginx_preflight.parse(
        "/n", "open_file_cache max=9; " + text(vhost("nginx", front_controller=front), "nginx")
    )
    assert apache_preflight.apache_findings([*denied, *apache], "wiki", POINTER) == []
    assert apache_docroot.findings([*denied, *apache], "wiki", POINTER) == []
    assert nginx_preflight.nginx_findings(nginx, "wiki", POINTER) == []
    assert nginx_docroot.findings(nginx, "wiki", POINTER) == []


@given(st.lists(st.text(max_size=30) | st.text(alphabet="{};'\"\\ \n#a<>/VirtualHost", max_size=30), max_size=4))
def test_no_extra_line_leaves_its_place(extra: list[str]) -> None:
    for server in ("apache", "nginx"):
        with suppress(VhostError):
            made = text(vhost(server, extra_lines=extra), server)
            whole = made.split("\n")
            end = "</VirtualHost>" if server == "apache" else "}"
            assert whole[-2] == end
            if server == "nginx":
                assert len(nginx_preflight.parse("/n", made)) == 1
            else:
                assert sum(line.strip().lower().startswith("</virtualhost") for line in whole) == 1
