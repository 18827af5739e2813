# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Back to the release before: while its slot is warm by the switch alone."""

from __future__ import annotations

import json
import time

from killing import left_over

LIGHT = {"clients": 4}


def main_pid(app, slot):
    return int(app.host.check_output(f"systemctl show --property MainPID --value phpops-fpm@app-{slot}"))


def test_a_warm_rollback_is_the_switch_alone(app, record_property):
    before, release = app.release(), app.next()
    with app.load(**LIGHT) as load:
        load.wait_for(20)
        app.deploy(release, deploy_keep_warm=120)
        warm, pid = app.idle(), main_pid(app, app.idle())
        assert pid > 0 and len(app.active_units()) == 2
        assert any(f"app-{warm}" in name for name in app.timers())
        started = time.time()
        run = app.rollback()
        switched = app.switched_at()
        load.wait_for(20)
    assert load.bad() == {}, load.result
    assert (app.live(), app.release()) == (warm, before)
    assert main_pid(app, warm) == pid == app.who()["master"]
    seconds = {"play to switch": round(switched - started, 2), "play": round(run.seconds, 2)}
    print(app.name, "warm rollback", json.dumps(seconds))
    print(run.summary)
    record_property("seconds", json.dumps(seconds))
    # The deploys of the tests that follow are not to find it warm.
    app.deploy(app.next())
    assert left_over(app, app.clean) == {}


def test_a_warm_slot_is_stopped_when_its_time_is_over(app):
    app.deploy(app.next(), deploy_keep_warm=3)
    idle = app.idle()
    app.wait_on_host(f"! systemctl is-active --quiet phpops-fpm@app-{idle}", 20)
    app.wait_on_host("! systemctl list-units --all --no-legend 'phpops-retire-*' | grep -q .", 10)
    assert app.active_units() == [f"phpops-fpm@app-{app.live()}.service"]
