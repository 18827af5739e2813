# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several hosts in one deploy: all switch, or none."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from deploy_app import source

ENTRY = {"host": "app.example.org"}


def broken_on(name):
    """Return the changes of a release whose page fails on one host."""
    text = f"<?php if (gethostname() === '{name}') {{ http_response_code(500); }} echo 'main=R0';\n"
    return {"public/only.php": text}


@pytest.fixture
def together(both):
    """Both hosts, serving the same release; returns (first, second, what they serve)."""
    first, second = both
    name = first.release()
    if name != second.release():
        name = f"R{max(int(app.next()[1:]) for app in both)}"
        run = first.deploy(name)
        assert run.rc == 0, run.output
    assert [app.release() for app in both] == [name, name]
    return first, second, name


def deploy_under_load(apps, **variables):
    """Deploy to both; returns the run and the loads that both had."""
    with ExitStack() as stack:
        loads = [stack.enter_context(app.load(clients=6)) for app in apps]
        for load in loads:
            load.wait_for(20)
        run = apps[0].deploy(**variables)
        for load in loads:
            load.switched()
            load.wait_for(20)
    return run, loads


def test_one_host_that_is_not_ready_stops_all(together):
    first, second, old = together
    name = first.next()
    site = first.site(entry_points=[{"path": "/only.php", **ENTRY}])
    before = [(app.live(), app.who()["master"]) for app in (first, second)]
    variables = {"deploy_source": source(name, broken_on(second.name)), "deploy_site": site}
    run, loads = deploy_under_load((first, second), **variables)
    assert run.rc != 0, run.output
    assert [load.bad() for load in loads] == [{}, {}]
    assert [set(load.result["releases"]) for load in loads] == [{old}, {old}]
    assert [(app.live(), app.who()["master"]) for app in (first, second)] == before
    assert [app.idle_files() for app in (first, second)] == ["", ""]
    assert [app.lease() for app in (first, second)] == [None, None]
    reasons = dict(run.reasons)
    assert "/only.php answered 500" in reasons[second.name]
    # The other one says whose fault it was.
    assert second.name in reasons[first.name]


def test_a_check_that_fails_on_one_host_switches_all_back(together):
    first, second, old = together
    page = f"denied-on-{second.name}.php"
    site = first.site(entry_points=[{"path": f"/{page}", **ENTRY}])
    changes = {f"public/{page}": "<?php echo 'main=', require __DIR__ . '/release.php';\n"}
    variables = {"deploy_source": source(first.next(), changes), "deploy_site": site}
    run, loads = deploy_under_load((first, second), **variables)
    assert run.rc != 0, run.output
    assert [load.bad() for load in loads] == [{}, {}]
    assert [app.release() for app in (first, second)] == [old, old]
    assert [len(app.active_units()) for app in (first, second)] == [1, 1]
    assert [app.idle_files() for app in (first, second)] == ["", ""]
    assert [app.lease() for app in (first, second)] == [None, None]
    reasons = dict(run.reasons)
    assert f"/{page} of app.example.org answered 403" in reasons[second.name]
    assert second.name in reasons[first.name]


def test_with_serial_the_hosts_after_a_failed_one_are_left_alone(together):
    first, second, old = together
    site = first.site(entry_points=[{"path": "/only.php", **ENTRY}])
    variables = {"deploy_source": source(first.next(), broken_on(first.name)), "deploy_site": site, "deploy_serial": 1}
    before = second.state()
    run = first.deploy(**variables)
    assert run.rc != 0, run.output
    assert [app.release() for app in (first, second)] == [old, old]
    assert second.state() == before


def test_a_share_of_failures_that_is_allowed_lets_the_others_go_live(together):
    first, second, old = together
    name = first.next()
    site = first.site(entry_points=[{"path": "/only.php", **ENTRY}])
    changes = broken_on(second.name)
    variables = {"deploy_source": source(name, changes), "deploy_site": site, "deploy_max_fail_percentage": 50}
    run = first.deploy(**variables)
    assert run.rc != 0, run.output
    assert [app.release() for app in (first, second)] == [name, old]
    assert second.idle_files() == ""
