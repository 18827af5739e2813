# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two deploys at once: of one site, and of two sites on a host whose memory holds one more master."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.deploy_steps import DEPLOY_STEPS
from deploy_app import playbook, source
from killing import Watcher, left_over

# One host is enough: nothing of it is the release's, and both have much to do.
ONLY_ON = "debian12"
MIB = 1024 * 1024
HOLD = Path(__file__).parents[1] / "files" / "hold.yml"
NEIGHBOUR = "neighbour.example.org"
# So much that what else the host's memory is used for makes no difference.
SEGMENT = 256
OPCACHE = {"opcache.memory_consumption": str(SEGMENT), "opcache.jit": "disable"}


def test_of_two_deploys_of_a_site_one_wins_and_the_other_names_it(app):
    first, second = app.next(), f"R{int(app.next()[1:]) + 1}"
    with app.load(clients=4) as load, app.slow(8) as slow:
        load.wait_for(20)
        watch = Watcher(app, "release")
        # A lease as users have it: its holder is alive, and nothing is to be waited for.
        winner = app.start(first, deploy_lease_seconds=60)
        assert "release" in watch.result()["steps"]
        holder = app.lease()
        loser = app.start(second, deploy_lease_seconds=60).wait()
        won = winner.wait()
        load.wait_for(20)
    assert (load.bad(), slow.bad()) == ({}, {}), (load.result, slow.result)
    assert won.rc == 0, won.output
    assert loser.rc != 0
    print(loser.reasons)
    (_host, said), *_more = loser.reasons
    assert holder["holder"] in said and holder["deploy_id"] in said, said
    step = re.search(r"\bstep (\w+)\b", said).group(1)
    assert step in DEPLOY_STEPS, said
    assert app.release() == first
    assert left_over(app, app.clean) == {}


@pytest.fixture
def neighbour(app):
    """How the second site is deployed; it is deployed once, and goes at the end."""
    options = {
        "deploy_site": app.site(
            name="neighbour",
            user="neighbour",
            opcache=OPCACHE,
            ini={"open_basedir": "/srv/www/neighbour/:/var/lib/phpops/neighbour/"},
            entry_points=[{"path": "/work.php", "host": NEIGHBOUR, "contains": "main=R"}],
        ),
        "deploy_server_names": [NEIGHBOUR],
        "deploy_shared_files": [],
        "deploy_keep_warm": 0,
        "deploy_lease_seconds": 4,
    }
    run = playbook("deploy", [app.name], {**options, "deploy_source": source("R1")})
    assert run.rc == 0, run.output
    yield options
    limit(app, 64 * 1024 * MIB)
    app.host.run_expect([0], "rm /etc/nginx/sites-enabled/phpops-neighbour.conf && systemctl reload nginx")
    gone = json.dumps({"sites": [{"name": "neighbour"}], "state": "absent"})
    result = app.host.ansible("phpops.webhost.site_slot", gone, check=False)
    assert [site["failed"] for site in result["sites"]] == [False], result
    # A site keeps what it was given: the tests that follow want it as it was.
    app.deploy(app.next(), deploy_site=app.site(opcache={}))


def limit(app, size_bytes):
    """Give the container so much memory: the limit that binds on this host."""
    command = ["podman", "update", "--memory", f"{size_bytes}b", app.name]
    subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL)


def test_two_sites_at_once_where_memory_holds_one_more_master(app, neighbour):
    large = {"deploy_site": app.site(opcache=OPCACHE)}
    app.deploy(app.next(), **large)
    release = app.next()
    app.host.run_expect([0], "rm -f /srv/go")
    with app.load(clients=4) as load:
        load.wait_for(20)
        limit(app, one_more(app))
        watch = Watcher(app, "prime")
        first = app.start(release, deploy_hooks={"after_prime": str(HOLD)}, **large)
        steps = watch.result()["steps"]
        assert "prime" in steps, first.wait().output
        # Both masters of the first are up: the second finds no room, and says the sum.
        second = playbook("deploy", [app.name], {**neighbour, "deploy_source": source("R2")})
        app.host.run_expect([0], "touch /srv/go")
        done = first.wait()
        load.wait_for(20)
        # Then there is room again.
        third = playbook("deploy", [app.name], {**neighbour, "deploy_source": source("R2")})
        load.wait_for(20)
    assert load.bad() == {}, load.result
    assert done.rc == 0, done.output
    assert second.rc != 0
    print(second.reasons)
    (_host, said), *_more = second.reasons
    assert "short" in said and "memory_cgroup" in said, said
    assert third.rc == 0, third.output
    assert app.release() == release
    assert app.host.check_output("cat /var/lib/phpops/neighbour/ptr/live/release/RELEASE") == "R2"


def one_more(app):
    """Return a limit that holds what runs and one more master of a site, not two."""
    planned = {"name": "app", "segment_bytes": SEGMENT * MIB, "max_children": 6}
    limit(app, 4096 * MIB)
    answer = app.host.ansible("phpops.webhost.memory_budget_info", json.dumps({"sites": [planned]}), check=False)
    (bound,) = [one for one in answer["limits"] if one["name"].startswith("memory_cgroup")]
    return bound["peak_bytes"] + SEGMENT // 2 * MIB
