# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hooks run in their order, and a host that is out of the balancer needs no second slot."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
import yaml

LOG = "/srv/hooks.log"
AROUND = ("release", "prime", "switch", "drain")
NAMES = [f"{when}_{what}" for what in AROUND for when in ("before", "after")]


@pytest.fixture
def hooks(app, tmp_path):
    """Return deploy_hooks: each notes its name, the live release, and how many masters of the site run."""
    app.host.run_expect([0], f"rm -f {LOG}")
    units = "$(systemctl list-units --plain --no-legend --state=active 'phpops-fpm@app-*' | wc -l)"
    live = "$(cat /var/lib/phpops/app/ptr/live/release/RELEASE)"
    files = {}
    for name in (*NAMES, "leave", "rejoin"):
        command = f"echo {name} {live} {units} {{{{ deploy_site.name }}}} >>{LOG}"
        task = {"name": f"Note that {name} ran", "ansible.builtin.shell": command, "changed_when": True}
        path = tmp_path / f"{name}.yml"
        path.write_text(yaml.safe_dump([task]), encoding="utf-8")
        files[name] = str(path)
    return files


def of_a_flip(hooks):
    return {name: hooks[name] for name in NAMES}


def noted(app):
    """Return what the hooks noted: [name, live release, masters, site]."""
    return [line.split() for line in app.host.check_output(f"cat {LOG}").splitlines()]


def test_hooks_of_a_flip_run_around_their_steps(app, hooks):
    old, new = app.release(), app.next()
    with app.load() as load:
        run = app.deploy(new, deploy_hooks=of_a_flip(hooks), deploy_keep_warm=0)
        load.switched()
    assert run.rc == 0, run.output
    assert load.bad() == {}
    lines = noted(app)
    assert [line[0] for line in lines] == NAMES
    switched = [line[0] for line in lines].index("after_switch")
    assert {line[1] for line in lines[:switched]} == {old}
    assert {line[1] for line in lines[switched:]} == {new}
    masters = {line[0]: int(line[2]) for line in lines}
    assert (masters["before_prime"], masters["before_drain"], masters["after_drain"]) == (2, 2, 1)
    assert {line[3] for line in lines} == {"app"}


def test_a_hook_that_fails_stops_the_deploy(app, hooks, tmp_path):
    live, release = app.live(), app.release()
    broken = tmp_path / "broken.yml"
    tasks = [
        {"ansible.builtin.command": f"cp /run/phpops/lease/app.json {LOG}.lease"},
        {"ansible.builtin.fail": {"msg": "the migration of the database failed"}},
    ]
    broken.write_text(yaml.safe_dump(tasks), encoding="utf-8")
    with app.load() as load:
        run = app.deploy(
            app.next(), deploy_hooks={**of_a_flip(hooks), "before_switch": str(broken)}, deploy_hook_seconds=600
        )
        load.switched()
    assert run.rc != 0
    # While the hook ran nobody else could take the site over for ten minutes.
    lease = json.loads(app.host.check_output(f"cat {LOG}.lease && rm {LOG}.lease"))
    assert (lease["step"], round(lease["expires"] - lease["renewed"])) == ("hook before_switch", 600)
    assert load.bad() == {}
    assert any("the migration of the database failed" in reason for _host, reason in run.reasons), run.reasons
    assert (app.live(), app.release(), app.idle_files(), app.lease()) == (live, release, "", None)


def test_a_host_that_left_halfway_is_taken_back_in(app, hooks, tmp_path):
    live, release = app.live(), app.release()
    noted_first = yaml.safe_load(Path(hooks["leave"]).read_text(encoding="utf-8"))
    halfway = tmp_path / "halfway.yml"
    fails = {"ansible.builtin.fail": {"msg": "the balancer did not answer"}}
    halfway.write_text(yaml.safe_dump([*noted_first, fails]), encoding="utf-8")
    given = {"leave": str(halfway), "rejoin": hooks["rejoin"]}
    run = app.deploy(app.next(), deploy_mode="classic", deploy_hooks=given)
    assert run.rc != 0
    assert any("the balancer did not answer" in reason for _host, reason in run.reasons), run.reasons
    assert [line[:2] for line in noted(app)] == [["leave", release], ["rejoin", release]]
    assert (app.live(), app.release(), app.lease()) == (live, release, None)


def test_classic_mode_never_has_two_masters_and_ends_what_is_in_flight(app, hooks):
    new = app.next()
    answers = []
    old = app.release()
    request = threading.Thread(target=lambda: answers.append(app.curl("slow.php?seconds=3")))
    # The slot that a deploy before kept warm is no part of this.
    app.host.run_expect([0], f"systemctl stop phpops-fpm@app-{app.idle()} || true")
    request.start()
    app.host.run_expect([0], "sleep 0.3")
    run = app.deploy(new, deploy_mode="classic", deploy_hooks=hooks)
    request.join()
    assert run.rc == 0, run.output
    assert answers == [f"main={old} late={old}"]
    lines = noted(app)
    names = [line[0] for line in lines]
    # The old slot is drained and stopped as soon as the host has left the balancer.
    steps = ("leave", "before_prime", "after_prime", "before_switch", "after_switch", "rejoin")
    assert [name for name in names if name in steps] == list(steps)
    assert max(int(line[2]) for line in lines) == 1
    assert lines[-1][1] == new
    assert app.curl("work.php") == f"main={new} late={new}"
    assert len(app.active_units()) == 1
    assert app.lease() is None
