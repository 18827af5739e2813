# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.ini import difference, read, value
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("raw", "version", "expected"),
    [
        (None, "8.2", "1"),
        ("On", "8.2", "1"),
        ("no", "8.2", ""),
        ("None", "8.2", ""),
        ("128M", "8.2", "128M"),
        ('"Europe/Zurich"', "8.2", "Europe/Zurich"),
        ("'a \"b'", "8.2", 'a "b'),
        ('"a \\"b"', "8.2", 'a "b'),
        ('"On"', "8.2", "On"),
        ("E_ALL", "8.2", "32767"),
        ("E_ALL", "8.4", "30719"),
        ("E_ALL & ~E_DEPRECATED & ~E_STRICT", "8.2", "22527"),
        ("E_ALL & ~(E_NOTICE | E_WARNING)", "8.2", "32757"),
        ("E_ERROR|E_PARSE", "8.2", "5"),
        ("E_ALL ^ E_NOTICE", "8.2", "32759"),
        ("E_NO_SUCH", "8.2", "E_NO_SUCH"),
        ("E_ALL & (", "8.2", "E_ALL & ("),
        ("PRICE_E_5", "8.2", "PRICE_E_5"),
        ("", "8.2", ""),
    ],
)
def test_values(raw: str, version: str, expected: str) -> None:
    assert value(raw, version) == expected


TEXT = """\ufeff; comment
[PHP]
memory_limit = 192M ; not more
error_log = "/var/log/a;b.log"
# old comment
mail.add_x_header=On
multi = "one
two"
extension=gd
extension = /usr/lib/php/20220829/intl.so
zend_extension=opcache.so
flag
= broken
[PATH=/srv]
memory_limit = 1G
[Session]
session.name = 'X'
"""


def test_a_file_as_php_reads_it() -> None:
    settings = read([("/etc/a.ini", TEXT), ("/etc/b.ini", "memory_limit=1M\n")], "8.2")
    assert settings.values == {
        "memory_limit": "1M",
        "error_log": "/var/log/a;b.log",
        "mail.add_x_header": "1",
        "multi": "one\ntwo",
        "flag": "1",
        "session.name": "X",
    }
    assert settings.sources["memory_limit"] == "/etc/b.ini:1"
    assert settings.extensions == {
        "gd": ("extension", "gd", "/etc/a.ini:9"),
        "intl": ("extension", "/usr/lib/php/20220829/intl.so", "/etc/a.ini:10"),
        "opcache": ("zend_extension", "opcache.so", "/etc/a.ini:11"),
    }
    assert settings.scoped == ["/etc/a.ini:15"]
    assert settings.ignored == ["/etc/a.ini:13"]


def test_differences() -> None:
    cgi = read([("c", "a=1\nb=2\nx=On\nextension=gd\nextension=both.so\n")], "8.2")
    fpm = read([("f", "b=2\nx=yes\nonly=1\nextension=both\nextension=apcu\n")], "8.2")
    found = difference(cgi, fpm)
    assert found.lines == (("a", "1", "c:1"),)
    assert found.extensions == (("extension", "gd", "c:4"),)
    assert found.only_fpm == ("only",)
    assert found.only_fpm_extensions == ("apcu",)


def test_debians_own_files_do_not_differ() -> None:
    text = "[PHP]\nerror_reporting = E_ALL & ~E_DEPRECATED & ~E_STRICT\nshort_open_tag = Off\n"
    assert difference(read([("c", text)], "8.2"), read([("f", text)], "8.2")).lines == ()


@given(st.binary(max_size=400))
def test_any_bytes_are_read(data: bytes) -> None:
    settings = read([("x", data.decode("utf-8", "replace")), ("y", data.decode("latin-1"))], "8.4")
    assert set(settings.sources) == set(settings.values)


@given(st.text(alphabet="E_ALNOTIC|&^~!() 019", max_size=300))
def test_any_expression_is_computed_or_left(text: str) -> None:
    assert isinstance(value(text, "8.2"), str)
