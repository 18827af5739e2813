# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The power fails in the first run; all roles are in force after the next one, and a tag chooses one of them."""

from __future__ import annotations

from resets import reset_round
from tuned import in_force, tune


def test_a_reset_in_the_first_run_leaves_a_host_that_boots_and_serves(host):
    """All roles are in force after the next one."""
    reset_round(host, 0)


def test_a_tag_chooses_one_role_and_a_dry_run_says_what_would_change(host):
    changed, lines = tune(host, "--check", "--diff", "--tags", "dentry_cache", dentry_cache_vfs_cache_pressure=300)
    assert changed == 1
    assert "dentry_cache: would change, asked for by its tag." in lines
    assert [line for line in lines if "its tag was not asked for" not in line] == [
        "dentry_cache: would change, asked for by its tag."
    ]
    assert in_force(host)["dentry_cache"] == "200"
