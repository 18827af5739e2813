# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reader of .htaccess files."""

from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.htaccess import findings, parse_htaccess, relevant
from hypothesis import given
from hypothesis import strategies as st

MODULES = ["fcgid", "mime", "core"]
CASES = [
    ("AddHandler fcgid-script .php", [("AddHandler", ["fcgid-script", ".php"], [], 1)]),
    ("# AddHandler x .y\n\n\tsethandler none", [("sethandler", ["none"], [], 3)]),
    ("AddHandler x \\\n .php\nRemoveHandler .php",
     [("AddHandler", ["x", ".php"], [], 1), ("RemoveHandler", [".php"], [], 3)]),
    ("AddHandler\tx .php\r\n", [("AddHandler", ["x", ".php"], [], 1)]),
    ("<IfModule mod_php.c>\nphp_value a 1\n</IfModule>", []),
    ("<IfModule !mod_php.c>\nSetHandler none\n</IfModule>", [("SetHandler", ["none"], [], 2)]),
    ("<IfModule mod_fcgid.c>\nAddHandler x .php\n</IfModule>", [("AddHandler", ["x", ".php"], [], 2)]),
    ("<ifmodule fcgid_module>\nAddHandler x .php\n</ifmodule>", [("AddHandler", ["x", ".php"], [], 2)]),
    ("<IfModule mod_a.c>\n<IfModule mod_fcgid.c>\nSetHandler x\n</IfModule>\n</IfModule>", []),
    ("<IfModule mod_fcgid.c>\n<IfModule mod_a.c>\nSetHandler x\n</IfModule>\nSetHandler y\n</IfModule>",
     [("SetHandler", ["y"], [], 5)]),
    ('<FilesMatch "\\.php$">\nSetHandler x\n</FilesMatch>', [("SetHandler", ["x"], ['<FilesMatch "\\.php$">'], 2)]),
    ("<If \"true\">\nphp_value a 1\n</If>", [("php_value", ["a", "1"], ['<If "true">'], 2)]),
    ("<Files x>\nSetHandler y", [("SetHandler", ["y"], ["<Files x>"], 2)]),
    ("<IfDefine X>\nSetHandler y", [("SetHandler", ["y"], [], 2)]),
    ("</Files>\nRewriteEngine On\nOrder deny,allow", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_lines(text, expected):
    directives = parse_htaccess(text, "/srv/.htaccess", MODULES)
    found = findings(directives)
    assert [(item["directive"], item["arguments"], item["section"], item["line"]) for item in found] == expected
    assert {item["file"] for item in found} <= {"/srv/.htaccess"}
    assert relevant(directives) is bool(expected)


@given(st.one_of(st.text(), st.text(alphabet='<>/IfModule SetHandler\n\\"!x', max_size=300)))
def test_any_text(text):
    findings(parse_htaccess(text, "/f", MODULES))
