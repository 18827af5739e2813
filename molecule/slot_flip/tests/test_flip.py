# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No request is lost, doubled or mixed while a site moves from one slot to the other under load."""

from __future__ import annotations

import json
import threading
import urllib.request

FLIPS = 4
# The workers of the old and the new slot share two cores during a flip.
LATENCY_FACTOR = 3


def test_flips_between_releases_lose_nothing(app, server, record_property):
    app.host.check_output("rm -f /srv/app/posts.log")
    with app.load(server, post="/post.php") as load:
        load.wait_for(200)
        for number in range(FLIPS):
            before = app.live()
            site = app.release(("R2", "R1")[number % 2])
            assert site["flipped"], site
            assert app.live() != before
            assert site["drain"]["finished"]
            assert site["workers"]["idle"] >= site["workers"]["live"] == 4
            load.wait_for(100)
    result = load.result
    posts = result.posts(app.posts())
    print(server, json.dumps(result.as_dict()))
    record_property("load", json.dumps(result.as_dict()))
    assert result.failed == result.cut == result.hung == result.mixed == 0, result.as_dict()
    assert set(result.releases) == {"R1", "R2"}
    assert posts == {"lost": [], "doubled": [], "unacknowledged": []}
    assert len(app.active_units()) == 1


def test_the_latency_stays_near_its_quiet_one(app):
    with app.load() as quiet:
        quiet.wait_for(400)
    with app.load() as flipping:
        flipping.wait_for(100)
        app.release("R2")
        app.release("R1")
        flipping.wait_for(100)
    assert flipping.result.failed == 0, flipping.result.as_dict()
    assert flipping.result.percentile(0.99) <= LATENCY_FACTOR * quiet.result.percentile(0.99)


def test_a_request_in_flight_never_mixes_two_releases(app, server):
    answers = []

    def ask():
        with urllib.request.urlopen(f"{app.url[server]}slow.php?seconds=4", timeout=60) as answer:
            answers.append(answer.read().decode())

    threads = [threading.Thread(target=ask) for _number in range(2)]
    for thread in threads:
        thread.start()
    # Both are in flight when the releases change; the flip waits for them.
    app.host.run_expect([0], "sleep 0.7")
    site = app.release("R2")
    for thread in threads:
        thread.join()
    assert answers == ["main=R1 late=R1\n"] * 2
    assert site["drain"]["seconds"] > 1
    assert app.curl("work.php", server) == "main=R2 late=R2"


def test_a_page_that_the_new_release_lacks_is_served_when_it_was_queued_before(app):
    """Twelve clients on four workers: at the switch, eight requests wait in the old slot's queue."""
    stop = threading.Event()
    statuses = []

    def ask():
        while not stop.is_set():
            try:
                with urllib.request.urlopen(f"{app.url['apache']}dropped.php", timeout=30) as answer:
                    statuses.append((answer.status, answer.read().decode().strip()))
            except urllib.error.HTTPError as error:
                statuses.append((error.code, ""))
                return

    threads = [threading.Thread(target=ask) for _number in range(12)]
    for thread in threads:
        thread.start()
    app.host.run_expect([0], "sleep 0.5")
    app.release("R2")
    stop.set()
    for thread in threads:
        thread.join()
    found = [status for status, _body in statuses]
    # Each client's requests: served until its first one that the new release answers, with 404. Never an error.
    assert set(found) == {200, 404}
    assert all(body == "main=R1 late=R1" for status, body in statuses if status == 200)


def test_a_change_of_the_segment_is_real(app):
    old = json.loads(app.curl("who.php"))
    with app.load() as load:
        load.wait_for(50)
        result, site = app.flip({"opcache": {"opcache.memory_consumption": 24, "opcache.jit": "disable"}})
        load.wait_for(50)
    assert load.result.failed == 0, load.result.as_dict()
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
