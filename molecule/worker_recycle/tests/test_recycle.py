# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which workers go, which stay, and that no request notices."""

from __future__ import annotations

import json

import pytest

WAYS = ("slot", "www", "cgi", "family")
# How many of each are to go under load.
LEAST = {"slot": 4, "www": 4, "cgi": 1}
# Above each threshold of the scenario, and below it.
LARGE, SMALL = 70, 4


def test_the_timer_waits_for_its_next_run(host):
    timer = host.service("phpops-worker-recycle.timer")
    assert timer.is_running
    assert timer.is_enabled
    assert "NEXT" in host.check_output("systemctl list-timers phpops-worker-recycle.timer")


def test_systemd_has_nothing_against_the_units(host):
    units = " ".join(f"/etc/systemd/system/phpops-worker-recycle.{kind}" for kind in ("service", "timer"))
    found = host.run(f"systemd-analyze verify --man=no --recursive-errors=no {units}")
    assert (found.rc, found.stderr) == (0, "")


@pytest.mark.parametrize("way", WAYS)
def test_a_large_idle_worker_goes_and_is_told(app, way):
    pid = app.pid(app.ask(way, mib=LARGE))
    told = app.recycle()[pid]
    assert told.group(1) == "recycled"
    assert told.group(4) == {"slot": "app", "www": "www"}.get(way, "www-data")
    numbers = dict(word.split("=") for word in told.group(6).split())
    assert LARGE * 2**20 * 0.8 < int(numbers["private_peak_bytes"]) < LARGE * 2**20 * 1.5
    assert int(numbers["threshold_bytes"]) == (48 if way == "www" else 32) * 2**20
    assert not app.alive(pid)
    assert app.pid(app.ask(way)) != pid


@pytest.mark.parametrize("way", WAYS)
def test_a_small_worker_stays(app, way):
    pid = app.pid(app.ask(way, mib=SMALL))
    assert pid not in app.recycle()
    assert app.alive(pid)


@pytest.mark.parametrize("way", WAYS)
def test_a_busy_worker_is_left_alone_until_its_request_has_ended(app, way):
    app.clear()
    held = app.hold(way, mib=LARGE)
    busy = [pid for pid, told in app.recycle().items() if told.group(1).startswith("left alone")]
    assert len(busy) == 1
    assert app.alive(busy[0])
    assert held.end() == busy
    assert app.recycle()[busy[0]].group(1) == "recycled"
    assert not app.alive(busy[0])


def test_no_more_than_the_share_of_a_pool_goes_at_once(app):
    app.clear()
    pids = app.hold("slot", count=6, mib=LARGE).end()
    assert len(set(pids)) == 6
    first = set(app.recycle())
    assert len(first) == 3
    assert first < set(pids)
    assert len([pid for pid in pids if app.alive(pid)]) == 3
    assert set(app.recycle()) == set(pids) - first


def test_a_dry_run_shows_all_and_signals_none(app):
    pid = app.pid(app.ask("slot", mib=LARGE))
    shown = app.host.check_output("/usr/local/lib/phpops/worker-recycle.pyz --dry-run")
    assert any(line.split()[0] == str(pid) and " above " in line for line in shown.splitlines())
    going = next(line for line in shown.splitlines() if line.startswith('pool "app of'))
    assert str(pid) in going.rpartition(": ")[2]
    assert app.alive(pid)


def test_no_request_fails_under_load(app):
    """Four clients on each way; every second request is a POST, every other one makes its worker too large."""
    app.host.run_expect([0], "truncate --size 0 /srv/app/posts.log")
    gone = {way: set() for way in WAYS}
    pools = {"app of phpops-fpm@": "slot", "www of php": "www", "www-data: /usr/bin/php-cgi": "cgi"}
    with app.load("slot") as slot, app.load("www") as www, app.load("cgi", pause=0.1) as cgi:
        # On a busy machine all of a pool serve a request whenever they are looked at, and are left alone.
        for _turn in range(20):
            for load in (slot, www, cgi):
                load.wait_for(6, seconds=60)
            for pid, told in app.recycle().items():
                way = next((way for pool, way in pools.items() if told.group(5).startswith(pool)), "family")
                if told.group(1) == "recycled":
                    gone[way].add(pid)
            if all(len(gone[way]) >= least for way, least in LEAST.items()):
                break
    for load in (slot, www, cgi):
        print(json.dumps(load.result))
    print({way: len(pids) for way, pids in gone.items()})
    for load in (slot, www, cgi):
        assert load.result["sent"] > 40
        assert load.result["failed"] == 0, load.result
        assert (load.result["lost"], load.result["doubled"]) == ([], [])
    assert {way for way, least in LEAST.items() if len(gone[way]) < least} == set()


def test_nothing_is_left_of_hidden_sockets(app):
    assert app.host.run("ls /var/lib/apache2/fcgid/sock | grep phpops").rc == 1
