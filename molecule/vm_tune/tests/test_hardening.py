# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines for a site's unit hold on a kernel of its own, and without any a site under /home sends mail."""

from __future__ import annotations

import json

from tuned import tried

TRIES = "write=/home/shop,/srv/data,/var/tmp&read=/srv/secret/file,/tmp/of-the-host&mail="
HARD = [
    "ProtectSystem=strict",
    # The strict file system leaves /home to this one.
    "ProtectHome=read-only",
    "ReadWritePaths=/srv/data",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "InaccessiblePaths=/srv/secret",
]


def flip(host, *hardening):
    """Give the site these lines; returns the module's result."""
    sites = [{"name": "shop", "hardening": list(hardening)}]
    return host.ansible("phpops.webhost.site_slot", json.dumps({"sites": sites}), check=False)


def queued(host):
    """Return how many mails wait in Postfix's queue."""
    return int(host.check_output("find /var/spool/postfix/maildrop /var/spool/postfix/incoming -type f | wc -l"))


def test_without_any_the_site_under_home_does_its_work_and_sends_mail(host):
    host.check_output("echo seen >/tmp/of-the-host")
    before, done = queued(host), tried(host, TRIES + "plain")
    assert done["writes"] == ["/home/shop", "/srv/data", "/var/tmp"]
    assert done["reads"] == ["/srv/secret/file", "/tmp/of-the-host"]
    assert (done["disk"], done["no_new_privileges"], done["mail"]) == (True, False, True)
    assert queued(host) == before + 1


def test_lines_that_hide_the_site_are_not_switched_to(host):
    refused = flip(host, "ProtectHome=yes")
    print(refused["msg"])
    assert [site["failed"] for site in refused["sites"]] == [True]
    assert tried(host, TRIES)["writes"] == ["/home/shop", "/srv/data", "/var/tmp"]


def test_the_lines_hold(host):
    done = flip(host, *HARD)
    assert [site["failed"] for site in done["sites"]] == [False], done["msg"]
    before, done = queued(host), tried(host, TRIES.replace("&mail=", ""))
    assert done["writes"] == ["/srv/data", "/var/tmp"]
    assert done["reads"] == []
    # PrivateDevices implies NoNewPrivileges, and postdrop is setgid: it waits for rights that it never gets.
    assert (done["disk"], done["no_new_privileges"]) == (False, True)
    assert done["temp"] == "/dev/shm/phpops-shop"
    assert host.run("curl --silent --max-time 5 -H 'Host: shop.test' 'http://127.0.0.1/try.php?mail=hard'").rc == 28
    host.check_output("pkill postdrop")
    assert queued(host) == before


def test_they_go_again(host):
    assert flip(host)["changed"]
    assert tried(host, TRIES + "again")["mail"] is True
