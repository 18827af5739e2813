# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apache's dumps: every saved one, the words of a directive, and any text at all."""

from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_config import walk
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import (
    parse_config_dump,
    parse_modules,
    parse_run_configuration,
    parse_version,
    parse_vhosts,
    split_arguments,
    version_in_program,
)
from ansible_collections.phpops.webhost.tests.unit._core import apache_fixture as fixture
from hypothesis import given
from hypothesis import strategies as st

NAMES = sorted(path.name.split(".")[0] for path in fixture.DUMPS.glob("*.config.txt"))
# How many virtual hosts Apache lists.
COUNTS = {
    "apachelounge": 1,
    "crlf": 1,
    "debian-howto": 1,
    "ispconfig": 1,
    "main-only": 0,
    "modphp": 2,
    "omd": 1,
    "styles": 14,
    "tekstove": 1,
    "three-sites-debian12": 4,
    "three-sites-debian13": 4,
    "virtualmin": 1,
    "virtualmin-modphp": 1,
}


def test_every_dump_is_known():
    assert sorted(COUNTS) == NAMES


@pytest.mark.parametrize(("name", "vhosts"), COUNTS.items())
def test_real_dumps(name, vhosts):
    dump = fixture.load(name)
    text = (fixture.DUMPS / f"{name}.config.txt").read_text()
    numbered = [line for line in text.split("\n") if line.strip().startswith("#") and line.endswith(":")]
    assert len(list(walk(dump.config))) == len(numbered) > 100
    assert sum(item.key == "virtualhost" for item in dump.config) == vhosts == len(dump.listed)
    assert dump.run["server_root"] == "/etc/apache2"
    assert (dump.run["user"], dump.run["group"]) == ("www-data", "www-data")
    assert {"core", "fcgid", "so"} < set(dump.modules)
    # Every file and line is one of the configuration.
    assert {item.file.split('"')[-2] if item.macro else item.file for item in walk(dump.config)} == {
        item.file.split('"')[-2] if item.macro else item.file
        for item in walk(dump.config)
        if "/etc/apache2" in item.file
    }


def test_an_empty_section_has_no_children_and_ends():
    sections = [item for item in walk(fixture.load("styles").config) if item.key == "location"]
    (blog,) = [item for item in sections if item.arguments == "/blog"]
    assert (blog.section, blog.children) == (True, [])
    (parts,) = [
        item
        for item in fixture.load("styles").config
        if any(child.key == "servername" and child.words == ["parts.example.test"] for child in item.children)
    ]
    assert [child.name for child in parts.children][-3:] == ["Directory", "Directory", "Location"]


def test_a_macro_names_itself_and_its_use():
    (first, *_rest) = fixture.load("styles").vhosts
    assert (first.server_name, first.section.macro) == ("macro.example.test", "site")
    assert (first.file, first.line) == ("/etc/apache2/sites-enabled/styles.conf", 14)


def test_old_directive_names_keep_their_case():
    names = [item.name for item in walk(fixture.load("ispconfig").config)]
    assert "FCGIWrapper" in names
    assert "php_admin_flag" not in names


def test_virtualmin_loaded_unchanged():
    (vhost,) = fixture.load("virtualmin").vhosts
    assert vhost.server_name == "domain.tld"
    assert vhost.aliases == ("www.domain.tld", "webmail.domain.tld", "admin.domain.tld")
    assert vhost.addresses == ("88.99.111.77:80",)
    assert vhost.document_root == "/home/domain.tld/public_html"


WORDS = [
    ("", []),
    ("a b", ["a", "b"]),
    ("  a\tb  ", ["a", "b"]),
    ('"a b" c', ["a b", "c"]),
    ("'a b' c", ["a b", "c"]),
    ('"a \\"b\\" c"', ['a "b" c']),
    ('"a \\\\ b"', ["a \\ b"]),
    ("a\\\\b", ["a\\b"]),
    ("\\.php$", ["\\.php$"]),
    ('"\\.php$"', ["\\.php$"]),
    ('a"b c"', ['a"b', 'c"']),
    ('"unclosed word', ["unclosed word"]),
    ('"a"b', ["a", "b"]),
    ('""', [""]),
    ("'it\"s'", ['it"s']),
]


@pytest.mark.parametrize(("text", "words"), WORDS)
def test_words(text, words):
    assert split_arguments(text) == words


def test_version():
    assert parse_version("Server version: Apache/2.4.71 (Debian)\nServer built: x\n") == "2.4.71"
    assert parse_version("nothing") is None


def test_foreign_lines_are_passed_over():
    text = "Syntax OK\n# In file: /a\nstray\n#   7:\n<Directory /x>\n  # 10:\n  Require all granted\n</Directory>\nend"
    (section,) = parse_config_dump(text)
    assert (section.name, section.arguments, section.line, section.file) == ("Directory", "/x", 7, "/a")
    assert [(item.name, item.words, item.line) for item in section.children] == [("Require", ["all", "granted"], 10)]


@given(st.one_of(st.text(), st.text(alphabet='# 1:\n<>/x"\\ InfileDirectory', max_size=300)))
def test_any_text(text):
    list(walk(parse_config_dump(text)))
    parse_vhosts(text)
    parse_modules(text)
    parse_run_configuration(text)
    parse_version(text)
    split_arguments(text)


@pytest.mark.parametrize(
    ("program", "version"),
    [
        # As the strings stand in Debian 12's /usr/sbin/apache2.
        (b"\x00Apache\x00Apache/2\x00Apache/2.4\x00Apache/2.4.71\x00Apache/2.4.71 (Debian)\x00", "2.4.71"),
        (b"\x00Apache/2.4\x00", None),
        (b"", None),
    ],
)
def test_the_version_that_a_program_holds(program, version):
    assert version_in_program(program) == version
