# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of sysctl.d: what they remember, and which one has the last word."""

from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.sysctl import (
    last_setting,
    parse_before,
    parse_settings,
    render,
)
from hypothesis import given
from hypothesis import strategies as st

KEY = "vm.swappiness"


def test_the_file_says_whose_it_is_and_what_was_before():
    text = render("swap", {KEY: "10", "vm.page-cluster": "0"}, {KEY: "60"})
    assert text == (
        "# Ansible managed: phpops.webhost, role swap\n"
        "vm.page-cluster = 0\n# before: vm.swappiness = 60\nvm.swappiness = 10\n"
    )
    assert parse_before(text) == {KEY: "60"}
    assert parse_settings(text) == [("vm.page-cluster", "0"), (KEY, "10")]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("vm/swappiness=1", [(KEY, "1")]),
        (" -vm.swappiness =  1 ", [(KEY, "1")]),
        ("net/ipv4/conf/eth0.100/rp_filter = 2", [("net.ipv4.conf.eth0/100.rp_filter", "2")]),
        ("; vm.swappiness = 1", []),
        ("# vm.swappiness = 1", []),
        ("-vm.swappiness", []),
    ],
)
def test_settings_of_one_line(line, found):
    assert parse_settings(line) == found


OURS = ("/etc/sysctl.d/60-phpops-swap.conf", f"{KEY} = 10")


@pytest.mark.parametrize(
    ("others", "winner"),
    [
        ([], OURS[0]),
        ([("/usr/lib/sysctl.d/50-default.conf", f"{KEY} = 1")], OURS[0]),
        ([("/etc/sysctl.d/99-sysctl.conf", f"{KEY} = 1")], "/etc/sysctl.d/99-sysctl.conf"),
        ([("/etc/sysctl.d/99-sysctl.conf", "vm.swappines = 1")], OURS[0]),
        # The file of the same name in a folder that counts less is not read at all.
        ([("/etc/sysctl.d/70-x.conf", ""), ("/usr/lib/sysctl.d/70-x.conf", f"{KEY} = 1")], OURS[0]),
        ([("/etc/sysctl.d/70-x.conf", "vm.* = 1")], OURS[0]),
    ],
)
def test_the_last_word(others, winner):
    last = last_setting([OURS, *others], KEY)
    assert last is not None
    assert last[0] == winner


def test_nobody_sets_it():
    assert last_setting([("/etc/sysctl.d/a.conf", "")], KEY) is None


@given(st.text(max_size=300))
def test_any_text_is_read(text):
    parse_before(text)
    last_setting([("/etc/sysctl.d/a.conf", text)], KEY)
