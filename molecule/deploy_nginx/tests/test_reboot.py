# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reboot at a bad moment: what was live comes up and serves, and the next deploy does the whole."""

from __future__ import annotations

import subprocess
import time

import pytest
from killing import BOTH, kill_at, left_over


def reboot(app):
    subprocess.run(["podman", "restart", "--time", "20", app.name], check=True, timeout=90)
    deadline = time.monotonic() + 60
    asked = ["podman", "exec", app.name, "systemctl", "is-system-running"]
    while subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() != "running":
        assert time.monotonic() < deadline
        time.sleep(0.5)


def serves(app, slot, release):
    """What the reboot left: this slot, this release, one master, no lease and no timer."""
    assert (app.live(), app.release()) == (slot, release)
    assert app.active_units() == [f"phpops-fpm@app-{slot}.service"]
    assert app.curl("work.php") == f"main={release} late={release}"
    assert app.timers() == []
    assert app.lease() is None


def test_a_reboot_after_a_deploy(app):
    release = app.next()
    # The old slot is kept warm: it is not what comes up.
    app.deploy(release, deploy_keep_warm=300)
    live = app.live()
    reboot(app)
    serves(app, live, release)
    assert app.deploy(release).changed[app.name] == 0
    assert left_over(app, app.clean) == {}


@pytest.mark.parametrize("step", ["prime", "boot"])
def test_a_reboot_in_the_middle_of_a_deploy(app, step):
    """prime: between release and switch. boot: the step that follows the rename of the pointer."""
    before, now, idle, release = app.live(), app.release(), app.idle(), app.next()
    steps, run = kill_at(app, step, BOTH, release)
    assert step in steps, run.output
    moved = app.live() == idle
    assert moved == (step == "boot"), steps
    reboot(app)
    serves(app, *((idle, release) if moved else (before, now)))
    app.deploy(release)
    assert app.release() == release
    assert left_over(app, app.clean) == {}
