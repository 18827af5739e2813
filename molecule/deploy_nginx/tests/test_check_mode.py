# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dry run on an existing install says what would happen, and touches nothing."""

from __future__ import annotations

import pytest

DRY = ["--check", "--diff"]


@pytest.mark.parametrize("action", ["deploy", "rollback", "roll"])
def test_a_dry_run_changes_nothing(app, action):
    state, pid = app.state(), app.who()["master"]
    run = app.deploy(app.next(), extra=DRY) if action == "deploy" else getattr(app, action)(extra=DRY)
    assert run.rc == 0, run.output
    assert run.changed[app.name] > 0, run.output
    assert (app.state(), app.who()["master"]) == (state, pid)
    assert app.lease() is None


def test_a_dry_run_of_what_is_live_would_change_nothing(app):
    run = app.deploy(app.release(), extra=DRY)
    assert run.changed[app.name] == 0, run.output
