# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual hosts grouped to sites."""

from __future__ import annotations

import re

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_sites import (
    Group,
    chains,
    finding,
    group_vhosts,
    name_slugs,
    slug,
    suexec_identity,
)
from ansible_collections.phpops.webhost.tests.unit._core import apache_fixture as fixture
from hypothesis import given
from hypothesis import strategies as st


def test_two_addresses_are_one_site():
    groups = {group.name: group for group in group_vhosts(fixture.load("styles").vhosts)}
    assert [item.addresses for item in groups["both.example.test"].vhosts] == [("*:80",), ("*:443",)]
    assert groups["both.example.test"].vhosts[0].aliases == ("www.both.example.test", "b.example.test")
    assert len(groups) == 13


def test_same_name_with_another_document_root_is_another_site():
    (vhost, *_rest) = fixture.load("styles").vhosts
    groups = group_vhosts([vhost, type(vhost)(**{**vars(vhost), "document_root": "/other"})])
    name_slugs(groups)
    assert len({group.slug for group in groups}) == 2
    assert all(re.fullmatch(r"macro-example-test-[0-9a-f]{6}", group.slug) for group in groups)


def test_a_slug_does_not_depend_on_the_order():
    def slugs(groups: list[Group]) -> dict[str, str]:
        name_slugs(groups)
        return {group.vhosts[0].document_root: group.slug for group in groups}

    (vhost, *_rest) = fixture.load("styles").vhosts
    pair = [vhost, type(vhost)(**{**vars(vhost), "document_root": "/other"})]
    assert slugs(group_vhosts(pair)) == slugs(group_vhosts(pair[::-1]))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("wiki.example.org", "wiki-example-org"),
        ("WIKI_1.example", "wiki_1-example"),
        ("*.example", "example"),
        ("10.0.0.1", "10-0-0-1"),
        ("", "site"),
        ("...", "site"),
    ],
)
def test_slugs(name, expected):
    assert slug(name) == expected


@given(st.text(max_size=80))
def test_any_slug_is_a_site_name(name):
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,31}", slug(name))


def test_long_names_stay_apart():
    assert slug("a" * 40 + ".example") != slug("a" * 40 + ".example.org")


def test_identity():
    dump = fixture.load("virtualmin")
    user, group, directive = suexec_identity([], dump.vhosts[0])
    assert (user, group, directive.line) == ("#1026", "#1007", 2)
    assert suexec_identity([], fixture.load("crlf").vhosts[0]) is None


def test_a_finding_names_its_sections():
    config = fixture.load("three-sites-debian12").config
    above = chains(config)
    (found,) = [
        finding(item, above)
        for vhost in config
        for directory in vhost.children
        for files in directory.children
        for item in files.children
        if item.key == "sethandler" and item.words == ["fcgid-script"]
    ]
    assert found == {
        "directive": "SetHandler",
        "arguments": ["fcgid-script"],
        "file": "/etc/apache2/sites-enabled/docs.example.test.conf",
        "line": 29,
        "section": ["<VirtualHost *:80>", "<Directory /usr/share/dokuwiki>", '<FilesMatch "\\.php[345]?$">'],
    }


def test_the_main_server_alone():
    (vhost,) = fixture.load("main-only").vhosts
    assert (vhost.section, vhost.server_name, vhost.document_root) == (None, "host.example.test", "/srv/one")
