# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deploy that is killed (SIGKILL) anywhere: the site serves on, and the next deploy does the whole with no help."""

from __future__ import annotations

import os
import random
import time

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.deploy_steps import DEPLOY_STEPS
from killing import CONTROLLER, MODULE, kill_after, kill_at, left_over

SEED = int(os.environ.get("PHPOPS_SEED") or time.time())
# Of both hosts together.
MOMENTS = int(os.environ.get("PHPOPS_KILLS") or 5)
LIGHT = {"clients": 2, "pause": 0.02}


def finish(app, load, release):
    """Do the deploy again that was killed, and look at what it leaves."""
    load.wait_for(10)
    app.deploy(release)
    load.wait_for(10)


def check(app, load, release):
    assert load.bad() == {}, load.result
    assert app.release() == release
    assert left_over(app, app.clean) == {}


@pytest.mark.parametrize("step", DEPLOY_STEPS)
def test_a_deploy_killed_at_a_step_is_taken_up_by_the_next(app, killed_by, step):
    before, release = app.release(), app.next()
    with app.load(**LIGHT) as load:
        load.wait_for(10)
        steps, run = kill_at(app, step, killed_by, release)
        print(f"{step}: {killed_by} killed after {', '.join(steps)}; live: {app.release()}")
        assert step in steps, run.output
        if killed_by == MODULE and "drain" not in steps:
            # Its controller lives: it undoes what the module may have done, and fails.
            assert run.rc != 0
            assert (app.release(), len(app.active_units())) == (before, 1), run.output
        finish(app, load, release)
    check(app, load, release)


def test_a_deploy_killed_at_any_moment_is_taken_up_by_the_next(app, killed_by):
    print(f"PHPOPS_SEED={SEED}")
    chance = random.Random(SEED)
    with app.load(**LIGHT) as load:
        whole = app.deploy(app.next()).seconds
        for _turn in range((MOMENTS + (killed_by == CONTROLLER)) // 2):
            release = app.next()
            # Ansible itself takes the first second; a module is killed later than the lease was taken.
            seconds = chance.uniform(1.0, whole) if killed_by == CONTROLLER else chance.uniform(0.0, whole - 1.5)
            steps, _run = kill_after(app, seconds, killed_by, release)
            print(f"{killed_by} killed after {seconds:.2f} s of {whole:.2f} s: {', '.join(steps)}")
            finish(app, load, release)
    check(app, load, release)
