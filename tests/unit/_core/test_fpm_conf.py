# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.fpm_conf import PoolConf, parse, pool_of
from hypothesis import given
from hypothesis import strategies as st

# As Debian's php-fpm.conf and pool.d/www.conf are, without the comments.
GLOBAL = (
    "[global]\npid = /run/php/php8.2-fpm.pid\nerror_log = /var/log/php8.2-fpm.log\n; a comment\ninclude=/etc/*.conf\n"
)
WWW = """[www]
user = www-data
group = www-data
listen = /run/php/php8.2-fpm.sock
pm = dynamic
pm.max_children = 5
;pm.status_path = /status
php_admin_value[error_log] = /var/log/fpm-php.www.log ; said again
"""
SHOP = """[shop]
listen = "/run/php/$pool.sock"
pm.max_children = x
pm.status_path = /status
pm.status_listen = 127.0.0.1:9001
security.limit_extensions = .phtml .php
php_admin_value[open_basedir] = '/srv/shop;x:/tmp'
php_value[open_basedir] = /other
"""


def pools(*texts: str) -> dict[str, PoolConf]:
    return parse(GLOBAL, lambda pattern: list(texts) if pattern == "/etc/*.conf" else [])


def test_the_pools_of_debian() -> None:
    found = pools(WWW, SHOP)
    assert list(found) == ["www", "shop"]
    www, shop = found["www"], found["shop"]
    assert (www.get("listen"), www.max_children, www.extension) == ("/run/php/php8.2-fpm.sock", 5, ".php")
    assert (www.get("pm.status_path"), www.ini("error_log")) == ("", "/var/log/fpm-php.www.log")
    assert (shop.get("listen"), shop.max_children, shop.extension) == ("/run/php/shop.sock", None, ".phtml")
    assert shop.ini("open_basedir") == "/srv/shop;x:/tmp"


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("/run/php/shop.sock", ("shop", False)),
        ("127.0.0.1:9001", ("shop", True)),
        ("/run/php/php8.2-fpm.sock", ("www", False)),
        ("127.0.0.1:9000", ("port", False)),
        ("[::]:9000", ("port", False)),
        ("/run/x.sock", (None, False)),
    ],
)
def test_whose_socket_it_is(address: str, found: tuple[str | None, bool]) -> None:
    assert pool_of(address, pools(WWW, SHOP, "[port]\nlisten = 9000\n")) == found


def test_a_section_goes_on_in_another_file_and_an_include_belongs_to_its_section() -> None:
    texts = {"a": ["pm.max_children = 7\n"], "b": ["[two]\nlisten = /b\n", "[one]\nuser = x\n"]}
    found = parse("[one]\nlisten = /a\ninclude = a\ninclude = b\n", lambda pattern: texts[pattern])
    assert found["one"].table == {"listen": "/a", "pm.max_children": "7", "user": "x"}
    assert found["two"].table == {"listen": "/b"}


def test_files_that_include_each_other_end() -> None:
    assert parse("[a]\nlisten = /a\ninclude = x\n", lambda _pattern: ["include = x\n"])["a"].get("listen") == "/a"


@given(st.text(max_size=300))
def test_any_text_never_crashes(text: str) -> None:
    for conf in parse(text, lambda _pattern: []).values():
        assert conf.extension.startswith(".")
        assert conf.max_children is None or conf.max_children >= 0
