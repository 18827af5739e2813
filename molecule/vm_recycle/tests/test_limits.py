# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""On a kernel of its own: the limits hold, and the service does its work with the few rights that it has."""

from __future__ import annotations

import json

HIGH, MOST = 150 * 2**20, 160 * 2**20
WAYS = ("slot", "www", "cgi")


def unit(host):
    return "phpops-fpm@app-" + host.check_output("basename $(readlink /var/lib/phpops/app/ptr/live)") + ".service"


def group(host, name):
    """Return the content of a file of the live slot's cgroup."""
    path = host.check_output(f"systemctl show --value -p ControlGroup {unit(host)}")
    return host.check_output(f"cat /sys/fs/cgroup{path}/{name}")


def test_the_kernel_has_the_limits(host):
    assert (group(host, "memory.high"), group(host, "memory.max")) == (str(HIGH), str(MOST))
    found = host.ansible("phpops.webhost.site_memory_limit", json.dumps({"state": "present"}), check=False)
    (site,) = found["sites"]
    assert (site["memory_high_bytes"], site["memory_max_bytes"], site["in_force"]) == (HIGH, MOST, True)
    assert 0 < site["used_bytes"] < MOST
    assert found["summary"][0].startswith("app: MemoryHigh 150 MiB, MemoryMax 160 MiB, in force")


def test_a_site_over_its_limit_loses_one_worker_and_nothing_else(app):
    host = app.host
    workers = "systemctl show --value -p MainPID {} | xargs pgrep -P"
    before = set(host.check_output(workers.format(unit(host))).split())
    page = "curl --silent --output /dev/null --max-time 90 --write-out '%{http_code}' 'localhost/slot/page.php?mib=400'"
    assert host.check_output(page) == "503"
    assert "oom_kill 1" in group(host, "memory.events").splitlines()
    assert host.service(unit(host)).is_running
    after = set(host.check_output(workers.format(unit(host))).split())
    assert len(before - after) == 1
    for way in WAYS:
        app.ask(way)


def test_no_request_fails_while_large_workers_go(app):
    app.host.run_expect([0], "truncate --size 0 /srv/app/posts.log")
    gone = set()
    with app.load("slot", clients=2, pause=0.1) as slot, app.load("cgi", clients=2, pause=0.1) as cgi:
        for _turn in range(4):
            gone |= {(told.group(3), pid) for pid, told in app.recycle().items() if told.group(1) == "recycled"}
    for load in (slot, cgi):
        print(json.dumps(load.result))
        assert load.result["sent"] > 10
        assert load.result["failed"] == 0, load.result
        assert (load.result["lost"], load.result["doubled"]) == ([], [])
    assert {kind for kind, _pid in gone} == {"php-fpm", "php-cgi"}


def test_the_service_has_few_rights(host):
    shown = host.check_output("systemd-analyze security --no-pager phpops-worker-recycle.service | tail -n 1")
    exposure = float(shown.rpartition(": ")[2].split()[0])
    assert exposure < 4
