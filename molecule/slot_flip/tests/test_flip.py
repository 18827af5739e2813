# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No request is lost, doubled or mixed while a site moves from one slot to the other under load."""

from __future__ import annotations

import json
import threading

FLIPS = 3


def test_flips_between_releases_lose_nothing(app, server, record_property):
    with app.load(server, post="/post.php") as quiet:
        quiet.wait_for(300)
    with app.load(server, post="/post.php") as load:
        load.wait_for(100)
        for number in range(FLIPS):
            before = app.live()
            site = app.release(("R2", "R1")[number % 2])
            assert site["flipped"], site
            assert app.live() != before
            assert site["drain"]["finished"]
            assert site["workers"]["idle"] >= site["workers"]["live"] == 4
            load.wait_for(100)
    result = load.result
    print(server, "quiet", json.dumps(quiet.result), "flipping", json.dumps(result))
    record_property("load", json.dumps(result))
    assert [result[kind] for kind in ("failed", "cut", "hung", "mixed")] == [0, 0, 0, 0], result
    assert set(result["releases"]) == {"R1", "R2"}
    assert (result["lost"], result["doubled"], result["unacknowledged"]) == ([], [], [])
    assert len(app.active_units()) == 1


def test_a_request_in_flight_never_mixes_two_releases(app, server):
    requests = app.in_flight(server, count=2)
    before, sites = app.live(), []
    flip = threading.Thread(target=lambda: sites.append(app.release("R2")))
    flip.start()
    # Both are in flight when the pointer moves, and the old slot waits for them.
    app.wait_on_host(f'test "$(basename $(readlink /var/lib/phpops/app/ptr/live))" != {before}')
    assert app.curl("work.php", server) == "main=R2 late=R2"
    assert len(app.active_units()) == 2
    assert requests.end() == [(200, "main=R1 late=R1\n")] * 2
    flip.join()
    assert sites[0]["drain"]["finished"]
    assert len(app.active_units()) == 1


def test_a_page_that_the_new_release_lacks_is_served_when_it_was_queued_before(app):
    """Twelve clients on four workers: at the switch, eight requests wait in the old slot's queue."""
    with app.load(get="/dropped.php") as load:
        load.wait_for(40)
        app.release("R2")
        load.wait_for(40)
    # Served by the old slot to the last of them, then 404 from the new one. Never an error.
    assert set(load.result["statuses"]) == {"200", "404"}, load.result
    assert (load.result["cut"], load.result["hung"]) == (0, 0), load.result
    assert set(load.result["releases"]) == {"R1"}


def test_a_change_of_the_segment_is_real(app):
    old = json.loads(app.curl("who.php"))
    with app.load() as load:
        load.wait_for(50)
        result, site = app.flip({"opcache": {"opcache.memory_consumption": 24, "opcache.jit": "disable"}})
        load.wait_for(50)
    assert load.result["failed"] == 0, load.result
    assert result["changed"]
    assert site["reasons"] == ["opcache.memory_consumption 16 → 24"]
    assert site["segment_bytes"] == 24 * 1024 * 1024
    new = json.loads(app.curl("who.php"))
    assert new["master"] == site["master_pid"] != old["master"]
    # What the kernel shows of the master, and not what an ini value says.
    maps = app.host.check_output(f"grep -F '/dev/zero' /proc/{new['master']}/maps | awk '$2 ~ /s$/ {{print $1}}'")
    sizes = [int(end, 16) - int(start, 16) for start, end in (line.split("-") for line in maps.splitlines())]
    assert max(sizes) == 24 * 1024 * 1024
    app.flip({"opcache": {"opcache.memory_consumption": 16, "opcache.jit": "disable"}})


def test_an_unchanged_site_is_left_alone(app):
    before = json.loads(app.curl("who.php"))
    result, site = app.flip()
    assert not result["changed"]
    assert site["reasons"] == []
    assert json.loads(app.curl("who.php"))["master"] == before["master"]


def test_the_slot_was_primed_by_the_path_of_live_traffic(app):
    site = app.release("R2")
    assert site["prime"]["root"] == "/var/lib/phpops/app/ptr/live/docroot"
    who = json.loads(app.curl("who.php"))
    assert who["document_root"] == "/var/lib/phpops/app/ptr/live/docroot"
    before = who["keys"]
    app.curl("work.php")
    assert json.loads(app.curl("who.php"))["keys"] == before
