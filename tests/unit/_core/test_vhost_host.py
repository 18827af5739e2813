# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_preflight import parse
from ansible_collections.phpops.webhost.plugins.module_utils._core.nginx_preflight import parse as parse_nginx
from ansible_collections.phpops.webhost.plugins.module_utils._core.vhost_host import (
    apache_listens,
    apache_names,
    needs_proxy,
    nginx_listens,
    nginx_names,
    port_of,
)


@pytest.mark.parametrize(
    ("address", "port"),
    [("80", 80), ("*:8080", 8080), ("[::]:81", 81), ("[::1]", None), ("192.0.2.1", None), ("*", None), ("a:x", None)],
)
def test_the_port_of_an_address(address: str, port: int | None) -> None:
    assert port_of(address) == port


APACHE = """Listen 80
Listen 192.0.2.1:8080
<VirtualHost *:80>
  ServerName https://A.example:80
  ServerAlias b.example c.example
</VirtualHost>
<VirtualHost *>
  ServerName d.example
</VirtualHost>
"""


@pytest.mark.parametrize(
    ("port", "but", "expected"), [(80, "", True), (8080, "", True), (81, "", False), (80, "a.conf", False)]
)
def test_the_ports_that_apache_listens_on(port: int, but: str, expected: bool) -> None:
    assert apache_listens(parse("/etc/a.conf", APACHE), port, but) is expected


@pytest.mark.parametrize(
    ("port", "names", "expected"),
    [
        (80, ["a.example"], "a.example at /etc/a.conf:4"),
        (80, ["x", "c.example"], "c.example at /etc/a.conf:5"),
        (8080, ["c.example"], None),
        (8080, ["d.example"], "d.example at /etc/a.conf:8"),
        (80, ["x"], None),
    ],
)
def test_a_name_that_another_virtual_host_has(port: int, names: list[str], expected: str | None) -> None:
    assert apache_names(parse("/etc/a.conf", APACHE), port, names, "phpops-x.conf") == expected
    assert apache_names(parse("/etc/a.conf", APACHE), port, names, "a.conf") is None


NGINX = """http {
server { listen 127.0.0.1:8080; listen unix:/run/x; server_name a b.example; }
server { server_name C; }
server { listen [::]:443 ssl; server_name c; }
}"""


@pytest.mark.parametrize(
    ("port", "name", "expected"),
    [
        (8080, "b.example", "b.example at /etc/n.conf:2"),
        (80, "b.example", None),
        (80, "c", "C at /etc/n.conf:3"),
        (443, "c", "c at /etc/n.conf:4"),
    ],
)
def test_a_name_that_another_server_has(port: int, name: str, expected: str | None) -> None:
    tree = parse_nginx("/etc/n.conf", NGINX)
    assert nginx_names(tree, port, [name], "phpops-x.conf") == expected
    assert nginx_names(tree, port, [name], "n.conf") is None
    assert nginx_listens(tree, port) is True
    assert nginx_listens(tree, 81) is False


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (Directive("ProxyPass", "/x http://x/", "/etc/a.conf", 1), True),
        (Directive("SetHandler", '"proxy:unix:/x|fcgi://x"', "/etc/a.conf", 1), True),
        (Directive("RewriteRule", "^/x http://x/ [L,P]", "/etc/a.conf", 1), True),
        (Directive("RewriteRule", "^/x /PHP [L]", "/etc/a.conf", 1), False),
        (Directive("ProxyRequests", "off", "/etc/apache2/mods-enabled/proxy.conf", 1), False),
        (Directive("SetHandler", "proxy:unix:/x|fcgi://x", "/etc/ours.conf", 1), False),
    ],
)
def test_who_needs_the_proxy_modules(line: Directive, expected: bool) -> None:
    section = Directive("VirtualHost", "*:80", "/etc/a.conf", 1, True, [line])
    assert needs_proxy([section], lambda item: item.file == "/etc/ours.conf") is expected
