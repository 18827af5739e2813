# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a web server may not say of a site whose slots are flipped."""

from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import apache_preflight, nginx_preflight
from hypothesis import given
from hypothesis import strategies as st

POINTER = "/var/lib/phpops/app/ptr/live"
HANDLER = f'SetHandler "proxy:unix:{POINTER}/php.sock|fcgi://app"\n'
OTHER = 'SetHandler "proxy:unix:/run/other.sock|fcgi://other"\n'
ROOT = f"DocumentRoot {POINTER}/docroot\n"

APACHE = {
    "nothing": (HANDLER + ROOT, []),
    "by ProxySet in its worker": (
        f'{HANDLER}<Proxy "unix:{POINTER}/php.sock|fcgi://app">\n  ProxySet enablereuse=on max=4\n</Proxy>',
        [3],
    ),
    "by the worker's own line": (f'{HANDLER}<Proxy "fcgi://app/" enablereuse=On max=10>\n</Proxy>\n', [2]),
    "by ProxySet with a name": (f"{HANDLER}ProxySet fcgi://app disablereuse=off\n", [2]),
    "by ProxyPass": (f"ProxyPass /x unix:{POINTER}/php.sock|fcgi://app/srv \\\n  enablereuse=on\n", [1]),
    "in an IfModule of a virtual host": (
        f"<VirtualHost *:80>\n<IfModule mod_proxy.c>\n{HANDLER}<Proxy fcgi://APP>\nproxyset EnableReuse=on\n</Proxy>\n"
        "</IfModule>\n</VirtualHost>\n",
        [5],
    ),
    "of another site": (f"{HANDLER}{OTHER}<Proxy fcgi://other>\nProxySet enablereuse=on\n</Proxy>\n", []),
    "of another socket by the same address": (
        "<Proxy unix:/run/b.sock|fcgi://app>\nProxySet enablereuse=on\n</Proxy>\n",
        [],
    ),
    "off": (f"{HANDLER}<Proxy fcgi://app>\nProxySet enablereuse=off\n</Proxy>\n", []),
    "in a comment": (
        f"{HANDLER}# <Proxy fcgi://app>\n# ProxySet enablereuse=on \\\n ProxySet fcgi://app enablereuse=on\n",
        [],
    ),
    "links of one owner": (
        f"<VirtualHost *:80>\n{ROOT}<Directory /var/lib/phpops/>\nOptions SymLinksIfOwnerMatch\n</Directory>\n"
        "</VirtualHost>",
        [4],
    ),
    "links of one owner for all": (f"<Directory />\nOptions -Indexes +SymLinksIfOwnerMatch\n</Directory>\n{ROOT}", [2]),
    "links of one owner by a pattern": (
        f"<Directory /var/*/phpops>\nOptions SymLinksIfOwnerMatch\n</Directory>\n{ROOT}",
        [2],
    ),
    "links of one owner, then followed": (
        f"<Directory />\nOptions SymLinksIfOwnerMatch\n</Directory>\n{ROOT}"
        "<Directory /var/lib/phpops/app>\nOptions FollowSymLinks\n</Directory>\n",
        [],
    ),
    "links of one owner elsewhere": (f"<Directory /var/www>\nOptions SymLinksIfOwnerMatch\n</Directory>\n{ROOT}", []),
    "links of one owner, and files from the real path": (
        f"<Directory />\nOptions SymLinksIfOwnerMatch\n</Directory>\nDocumentRoot /srv/app\n{HANDLER}",
        [],
    ),
    "links of one owner in another virtual host": (
        "<VirtualHost *:80>\n<Directory />\nOptions SymLinksIfOwnerMatch\n</Directory>\n</VirtualHost>\n"
        f"<VirtualHost *:81>\n{ROOT}</VirtualHost>\n",
        [],
    ),
}

SERVER = "server {{\n  root {pointer}/docroot;\n  location ~ \\.php$ {{ fastcgi_pass {to}; {more} }}\n}}\n"
UPSTREAM = f"upstream app {{\n  server unix:{POINTER}/php.sock;\n  keepalive 8;\n}}\n"
DIRECT = f"unix:{POINTER}/php.sock"


def server(to: str = DIRECT, more: str = "") -> str:
    return SERVER.format(pointer=POINTER, to=to, more=more)


NGINX = {
    "nothing": (server(), []),
    "reuse": (UPSTREAM + server("app", "fastcgi_keep_conn on;"), [3]),
    "reuse asked for around the server": ("fastcgi_keep_conn on;\n" + UPSTREAM + server("app"), [4]),
    "keepalive alone": (UPSTREAM + server("app"), []),
    "keep_conn alone": (server(more="fastcgi_keep_conn on;"), []),
    "reuse of another upstream": (UPSTREAM.replace(POINTER, "/run") + server("app", "fastcgi_keep_conn on;"), []),
    "reuse in a comment": (UPSTREAM.replace("  keep", "  # keep") + server("app", "fastcgi_keep_conn on;"), []),
    "links": ("http {\ndisable_symlinks if_not_owner;\n" + server() + "}\n", [2]),
    "links below the root alone": ("disable_symlinks on from=$document_root;\n" + server(), []),
    "links of another root": ("disable_symlinks on;\n" + server().replace(POINTER, "/srv"), []),
    "a cache of files": ("server_tokens off;\nopen_file_cache max=1000\n inactive=20s;\n" + server(), [2]),
    "a cache that the server switches off": (
        "open_file_cache max=1000;\n" + server().replace("root", "open_file_cache off; root"),
        [],
    ),
    "a cache in a location": (server(more="open_file_cache 'max=9';"), [3]),
}


@pytest.mark.parametrize("case", APACHE)
def test_apache(case: str) -> None:
    text, lines = APACHE[case]
    found = apache_preflight.apache_findings(apache_preflight.parse("/etc/a", text), "app", POINTER)
    assert [(item.file, item.line) for item in found] == [("/etc/a", line) for line in lines]


@pytest.mark.parametrize("case", NGINX)
def test_nginx(case: str) -> None:
    text, lines = NGINX[case]
    found = nginx_preflight.nginx_findings(nginx_preflight.parse("/etc/n", text), "app", POINTER)
    assert [(item.file, item.line) for item in found] == [("/etc/n", line) for line in lines]


def test_a_finding_names_file_line_setting_and_cure() -> None:
    text = UPSTREAM + server("app", "fastcgi_keep_conn on;")
    (found,) = nginx_preflight.nginx_findings(nginx_preflight.parse("/etc/n", text), "app", POINTER)
    assert str(found) == (
        "/etc/n:3: `keepalive 8; with fastcgi_keep_conn on` keeps connections to site app open, so its old slot would"
        " never be done: take it out and reload the web server"
    )


@given(st.text() | st.text(alphabet="<>/{};\"'\\ \nPa#", max_size=400))
def test_any_text_is_read(text: str) -> None:
    apache_preflight.apache_findings(apache_preflight.parse("a", text), "app", POINTER)
    nginx_preflight.nginx_findings(nginx_preflight.parse("n", text), "app", POINTER)


def test_deep_nesting_is_read() -> None:
    assert (
        apache_preflight.apache_findings(apache_preflight.parse("a", "<Files x>\n" * 5000 + ROOT), "app", POINTER) == []
    )
    assert nginx_preflight.nginx_findings(nginx_preflight.parse("n", "a {" * 5000), "app", POINTER) == []
