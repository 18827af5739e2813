# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""fpm_migrate_state=absent gives the very bytes of before, and a move under load loses nothing afterwards."""

from __future__ import annotations

import json
import time

from client import Load


def test_absent_takes_one_site_back_then_all_byte_for_byte(moved, play):
    play(moved.name, fpm_migrate_state="absent", fpm_migrate_sites=["docs.example.test"])
    assert "phpops.webhost" not in moved.run("cat /etc/apache2/sites-available/docs.example.test.conf")
    assert moved.curl(moved.pages["docs"])[0] == 200
    assert moved.app("")["sapi"] == "fpm-fcgi"
    assert not moved.host.file("/var/lib/phpops/docs-example-test").exists

    assert moved.units()[1] != moved.units()[0]

    play(moved.name, fpm_migrate_state="absent")
    assert moved.units()[1] == moved.units()[0]
    assert not moved.host.file("/var/lib/phpops/distribution-masters.json").exists
    assert moved.host.run("diff -r --no-dereference /root/before/apache2 /etc/apache2").stdout == ""
    assert moved.app("")["sapi"] == "cgi-fcgi"
    assert moved.curl(moved.pages["double"])[1].rstrip() == moved.before("double")[1]
    assert moved.curl(moved.pages["wiki"])[0] == 200
    assert moved.run("systemctl list-units --plain --no-legend --state=active 'phpops-fpm@*'") == ""
    backups = moved.run("ls /var/lib/phpops/backup/apache/*/etc__apache2__sites-available__wiki.example.test.conf")
    assert backups != ""

    assert "changed=0" in play(moved.name, fpm_migrate_state="absent")


def test_idle_php_cgi_end_and_pages_still_answer(moved):
    for page in ("wiki", "docs", "broken"):
        assert moved.curl(moved.pages[page])[0] == 200
    before = {int(line.split()[0]) for line in moved.php_cgi()}
    planned = moved.host.ansible("phpops.webhost.php_cgi_idle", "count=2")
    assert {int(line.split()[0]) for line in moved.php_cgi()} == before
    assert (planned["changed"], len(planned["ended"]), planned["busy"], planned["short"]) == (True, 2, 0, 0)

    slow = "curl --silent --connect-to ::127.0.0.1: 'http://app.example.test/index.php?slow=6' --output /root/slow"
    moved.run(f"systemd-run --quiet --unit=slow {slow}")
    moved.run("timeout 20 sh -c 'until grep -q \" 03 .*fcgid/sock\" /proc/net/unix; do sleep 0.05; done'")
    before = {int(line.split()[0]) for line in moved.php_cgi()}
    ended = moved.host.ansible("phpops.webhost.php_cgi_idle", "count=2", check=False)
    after = {int(line.split()[0]) for line in moved.php_cgi()}
    assert (len(ended["ended"]), ended["busy"], ended["short"]) == (2, 1, 0)
    assert before - after == set(ended["ended"])
    for page in ("wiki", "docs", "broken"):
        assert moved.curl(moved.pages[page])[0] == 200
    moved.run("timeout 30 sh -c 'while systemctl is-active --quiet slow; do sleep 0.1; done'")
    assert json.loads(moved.run("cat /root/slow"))["sapi"] == "cgi-fcgi"


def test_the_move_under_load(moved, play):
    play(moved.name, fpm_migrate_state="absent")
    address = moved.run("hostname -I").split()[0]
    options = {"get": "/index.php?slow=0.05", "post": "/index.php", "clients": 6, "host": "app.example.test"}
    moved.run("install -o www-data -g www-data -m 644 /dev/null /var/www/app/log/ids.log")
    load = Load(f"http://{address}/", timeout_seconds=30.0, **options).start()
    load.wait_for(50)
    said = play(moved.name)
    time.sleep(1)
    during = load.stop()
    posts = during.posts(moved.run("cat /var/www/app/log/ids.log"))
    print(json.dumps({"host": moved.name, "during": during.as_dict(), "posts": {k: len(v) for k, v in posts.items()}}))
    print([line.strip() for line in said.splitlines() if "Apache was reloaded" in line or "php-cgi still" in line])
    # What mod_fcgid does to requests in flight can't be promised; that none is run twice or lost unseen can.
    assert posts["lost"] == []
    assert posts["doubled"] == []
    with Load(f"http://{address}/", timeout_seconds=30.0, **options) as load:
        load.wait_for(200)
    assert load.result.failed == 0
    assert load.result.statuses == {200: load.result.ok}
    assert moved.app("")["sapi"] == "fpm-fcgi"
    assert len(moved.run("systemctl list-units --plain --no-legend 'phpops-fpm@*'").splitlines()) == 3
