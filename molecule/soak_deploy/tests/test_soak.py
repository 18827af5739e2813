# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many deploys under load, and many killed ones: no request fails, and nothing grows."""

from __future__ import annotations

import json
import os
import random
import time

from killing import CONTROLLER, MODULE, kill_after, left_over

DEPLOYS = int(os.environ.get("PHPOPS_SOAK_DEPLOYS") or 100)
KILLS = int(os.environ.get("PHPOPS_SOAK_KILLS") or 50)
SEED = int(os.environ.get("PHPOPS_SEED") or time.time())
WARM_UP = 3
# A web server's process touches more of its memory with each request, up to a mark; a leak would pass this soon.
MEMORY_SLACK_BYTES = 4 * 1024 * 1024


def resident(app):
    """Return the resident bytes of the largest process of each of these names."""
    lines = app.host.check_output("ps -C apache2,nginx,systemd -o comm=,rss=").splitlines()
    found: dict[str, int] = {}
    for name, kib in map(str.split, lines):
        found[name] = max(found.get(name, 0), 1024 * int(kib))
    return found


def deploys(app, number, load):
    took = []
    for _turn in range(number):
        run = app.deploy(app.next())
        took.append(round(run.seconds, 1))
        load.switched()
        load.wait_for(20)
    return took


def test_many_deploys_fail_nothing_and_leave_nothing(app):
    with app.load(seconds=7200) as load, app.slow(8) as slow:
        deploys(app, WARM_UP, load)
        before, memory = app.counted(), resident(app)
        took = deploys(app, DEPLOYS, load)
        after, now = app.counted(), resident(app)
    print(app.name, json.dumps({"load": load.result, "seconds": took, "before": before, "after": after, "memory": now}))
    assert (load.bad(), slow.bad()) == ({}, {})
    # FPM forks a worker when its status is asked for, and ends it later.
    del after["workers"]
    assert {name: (before[name], size) for name, size in after.items() if size > before[name]} == {}
    assert {name: (memory[name], size) for name, size in now.items() if size > memory[name] + MEMORY_SLACK_BYTES} == {}
    assert left_over(app, app.clean) == {}


def test_many_killed_deploys_fail_nothing_and_leave_nothing(app):
    print(f"{app.name} PHPOPS_SEED={SEED}")
    chance = random.Random(SEED)
    with app.load(seconds=7200, clients=2, pause=0.02) as load:
        whole = app.deploy(app.next()).seconds
        for turn in range(KILLS):
            release, by = app.next(), chance.choice((CONTROLLER, MODULE))
            seconds = chance.uniform(1.0, whole) if by == CONTROLLER else chance.uniform(0.0, whole - 1.5)
            steps, _run = kill_after(app, seconds, by, release)
            print(f"{app.name} {turn}: {by} killed after {seconds:.2f} s of {whole:.2f} s: {', '.join(steps)}")
            load.wait_for(10)
            app.deploy(release)
            assert app.release() == release
            assert left_over(app, app.clean) == {}
        load.wait_for(10)
    assert load.bad() == {}, load.result
