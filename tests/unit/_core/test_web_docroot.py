# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a web server may not say of a site whose next slot has another document root."""

from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import (
    apache_docroot,
    apache_preflight,
    nginx_docroot,
    nginx_preflight,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration import block
from hypothesis import given
from hypothesis import strategies as st

POINTER = "/var/lib/phpops/app/ptr/live"
HANDLER = f'SetHandler "proxy:unix:{POINTER}/php.sock|fcgi://app"\n'
ROOT = f'DocumentRoot "{POINTER}/docroot"\n'
OPEN = "<Directory /var/lib/phpops>\nRequire all granted\n</Directory>\n"
MOVED = block.render(block.Block("app", (block.last_extension([".php"]),)))
MOVED_BELOW = block.render(block.Block("app", (block.Rule(r"\.php$", directory="/srv/my-app/web"),)))


def host(inside: str, around: str = OPEN) -> str:
    return f"{around}<VirtualHost *:80>\n{inside}</VirtualHost>\n"


# What is inside of the virtual host begins on line 5.
APACHE = {
    "through the pointer": (host(ROOT + HANDLER), []),
    "below the pointer": (host(ROOT.replace('docroot"', 'docroot/web/"') + HANDLER), []),
    "of another site": (host("DocumentRoot /srv/x\n" + HANDLER.replace("/app/", "/b/")), []),
    "a site that was migrated": (host(f"DocumentRoot /srv/app\n{MOVED}"), [5]),
    "in two virtual hosts": (
        host("DocumentRoot /srv/app\n" + HANDLER) + host("DocumentRoot /srv/app/\n" + MOVED, ""),
        [5, 9],
    ),
    "with its own Directory": (
        host(f"DocumentRoot /srv/app\n<Directory /srv/app/>\nAllowOverride All\n</Directory>\n{MOVED}"),
        [5, 6],
    ),
    "Directory left behind": (host(f"{ROOT}<Directory /srv/app>\nRequire ip 192.0.2.1\n</Directory>\n{MOVED}"), [6]),
    "empty Directory left behind": (host(f"{ROOT}<Directory /srv/app>\n</Directory>\n{MOVED}"), []),
    "Directory of the whole tree": (host(f"{ROOT}<Directory />\nOptions None\n</Directory>\n{MOVED}"), []),
    "Directory below the pointer": (
        host(f"{ROOT}<Directory {POINTER}/docroot/up>\nRequire all denied\n</Directory>\n{MOVED}"),
        [],
    ),
    "Directory by a pattern": (host(f"{ROOT}<Directory /var/*/phpops/*/>\nOptions None\n</Directory>\n{HANDLER}"), []),
    "Directory of an alias": (
        host(f"{ROOT}Alias /doc /usr/share/doc\n<Directory /usr/share/doc>\nOptions None\n</Directory>\n{HANDLER}"),
        [],
    ),
    "Directory for all, of the old root": (
        host("DocumentRoot /srv/app\n" + HANDLER, OPEN + "<Directory /srv/app>\nOptions None\n</Directory>\n"),
        [4, 8],
    ),
    "no DocumentRoot": (host(HANDLER), [4]),
    "an inherited DocumentRoot": (host(HANDLER, OPEN + "DocumentRoot /var/www\n"), [5]),
    "an inherited one through the pointer": (host(HANDLER, OPEN + ROOT), []),
    "a pattern": (host("VirtualDocumentRoot /srv/%0\n" + HANDLER), [5]),
    "an alias of the old root": (host("DocumentRoot /srv/app\nAlias /img /srv/app/i\n" + HANDLER), [5, 6]),
    "a path in the handler's URL": (
        host(f"{ROOT}ProxyPassMatch ^/(.*)$ unix:{POINTER}/php.sock|fcgi://app/srv/$1\n"),
        [6],
    ),
    "the pointer in the handler's URL": (
        host(f"{ROOT}ProxyPassMatch ^/(.*)$ unix:{POINTER}/php.sock|fcgi://app{POINTER}/docroot/$1\n"),
        [],
    ),
    "nothing but how the proxy works": (
        host(f"DocumentRoot /srv/x\n<Proxy unix:{POINTER}/php.sock|fcgi://app>\nProxySet timeout=9\n</Proxy>\n"),
        [],
    ),
    "a rule of the block for the old folder": (host(ROOT + MOVED_BELOW), [7, 10]),
    "denied to all": (host(ROOT + HANDLER, "<Directory />\nRequire all denied\n</Directory>\n"), [2]),
    "denied to all, granted to the old root": (
        host(
            f"{ROOT}<Directory /srv/app>\nRequire all granted\n</Directory>\n{MOVED}",
            "<Directory />\nRequire all denied\n</Directory>\n",
        ),
        [6],
    ),
    "denied, then granted": (
        host(ROOT + HANDLER, OPEN + "<Directory />\nRequire all denied\n</Directory>\n"),
        [],
    ),
    "handed over for all": (HANDLER + host("DocumentRoot /srv/app\n"), [1]),
    "handed over for all, served by one": (HANDLER + host(ROOT), []),
}


@pytest.mark.parametrize("case", APACHE)
def test_apache(case: str) -> None:
    text, expected = APACHE[case]
    found = apache_docroot.findings(apache_preflight.parse("/etc/a", text), "app", POINTER)
    assert sorted(item.line for item in found) == expected, [str(item) for item in found]


def test_the_one_line_of_a_migrated_site_is_told_word_for_word() -> None:
    text = host(f"DocumentRoot /srv/app\n{MOVED}")
    (found,) = apache_docroot.findings(apache_preflight.parse("/etc/a", text), "app", POINTER)
    assert str(found) == (
        "/etc/a:5: `DocumentRoot /srv/app` doesn't go through the pointer of site app, so no release would be served:"
        f' say `DocumentRoot "{POINTER}/docroot"` there, and reload Apache (it serves the same files as before, until'
        " a release is switched)"
    )


def server(inside: str, around: str = "") -> str:
    return f"{around}server {{\n{inside}\n}}\n"


PASS = f"fastcgi_pass unix:{POINTER}/php.sock;"
GOAL = f"root {POINTER}/docroot;"
NGINX = {
    "through the pointer": (server(f"{GOAL}\nlocation / {{ {PASS} }}"), []),
    "of another site": (server("root /srv;\nfastcgi_pass unix:/run/x;"), []),
    "by the server": (server(f"root /srv/app;\nlocation ~ php {{ {PASS} }}"), [2]),
    "around the server": (server(f"location ~ php {{ {PASS} }}", "http { root /srv;\n"), [1]),
    "none": (server(f"\nlocation ~ php {{ {PASS} }}"), [1]),
    "of the location": (server(f"{GOAL}\nlocation ~ php {{ root /srv/app;\n {PASS} }}"), [3]),
    "by an upstream": (
        f"upstream u {{ server unix:{POINTER}/php.sock; }}\n" + server("root /a;\nfastcgi_pass u;"),
        [3],
    ),
    "a folder of its own": (server(f"{GOAL}\nlocation /.well-known {{ root /srv/acme; }} location / {{ {PASS} }}"), []),
    "a folder of the old root": (
        server(f"root /srv/app;\nlocation /i {{ alias /srv/app/img/; }}\nlocation / {{ {PASS} }}"),
        [2, 3],
    ),
    "scripts by another path": (
        server(f"{GOAL}\nfastcgi_param SCRIPT_FILENAME /srv/app$fastcgi_script_name;\nlocation / {{ {PASS} }}"),
        [3],
    ),
    "scripts by the path that nginx resolves": (
        server(f"{GOAL}\nlocation / {{\nfastcgi_param SCRIPT_FILENAME $realpath_root$fastcgi_script_name;\n {PASS} }}"),
        [4],
    ),
    "parameters that others replace": (
        server(f"{GOAL}\nfastcgi_param DOCUMENT_ROOT /srv/app;\nlocation / {{ fastcgi_param A b; {PASS} }}"),
        [],
    ),
    "scripts by the pointer": (
        server(f"{GOAL}\nfastcgi_param SCRIPT_FILENAME {POINTER}/docroot/app.php;\nlocation / {{ {PASS} }}"),
        [],
    ),
}


@pytest.mark.parametrize("case", NGINX)
def test_nginx(case: str) -> None:
    text, expected = NGINX[case]
    found = nginx_docroot.findings(nginx_preflight.parse("/etc/n", text), "app", POINTER)
    assert sorted(item.line for item in found) == expected, [str(item) for item in found]


WORDS = st.sampled_from(
    [HANDLER, ROOT, "DocumentRoot\n", "<VirtualHost>\n", "<Directory>\nRequire\n", '<If "\\', "</", "}"]
)
NGINX_WORDS = st.sampled_from(["server {", PASS, "root;", "root", "fastcgi_param SCRIPT_FILENAME;", "}", "\n", "alias"])


@given(st.lists(WORDS | NGINX_WORDS | st.text(max_size=20), max_size=30))
def test_any_text_is_judged(parts: list[str]) -> None:
    text = "".join(parts)
    for item in (
        *apache_docroot.findings(apache_preflight.parse("/f", text), "app", POINTER),
        *nginx_docroot.findings(nginx_preflight.parse("/f", text), "app", POINTER),
    ):
        assert item.line >= 1
