# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users are kept apart, a reboot brings the live slot back, and a site can be taken away."""

from __future__ import annotations

import json
import subprocess
import time

CONNECT = "import socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/phpops/{}/php.sock'); print('in')"


def connects(host, user, slot):
    return host.run(f'runuser -u {user} -- python3 -c "{CONNECT.format(slot)}"').stdout.strip() == "in"


def test_only_the_site_and_the_web_server_reach_a_socket(app):
    slot = f"app-{app.live()}"
    assert connects(app.host, "app", slot)
    assert connects(app.host, "www-data", slot)
    assert not connects(app.host, "neighbour", slot)
    assert not connects(app.host, "nobody", slot)
    folder = app.host.file(f"/run/phpops/{slot}")
    assert (folder.user, folder.group, folder.mode) == ("app", "www-data", 0o2710)


def test_the_master_and_its_workers_run_as_the_site_user(app):
    who = json.loads(app.curl("who.php"))
    assert who["user"] == "app"
    assert app.host.check_output(f"ps -o user= -p {who['master']}") == "app"


def test_the_neighbour_can_not_read_the_configuration(app):
    path = f"/etc/phpops/app/{app.live()}/fpm.conf"
    assert app.host.run(f"runuser -u neighbour -- cat {path}").rc != 0
    assert app.host.run(f"runuser -u app -- cat {path}").rc == 0
    assert app.host.run(f"runuser -u app -- sh -c 'echo >>{path}'").rc != 0


def test_the_masters_of_the_distribution_are_off(host):
    units = host.check_output("systemctl list-units --plain --no-legend --state=active 'php*-fpm.service'")
    assert units == ""


def test_the_facts_say_what_is_there(app):
    facts = app.host.ansible("phpops.webhost.slot_facts", check=False)["ansible_facts"]["phpops_slot"]
    site = next(item for item in facts["sites"] if item["name"] == "app")
    slot = site["slots"][app.live()]
    assert slot["active"] and slot["segment_bytes"] == 16 * 1024 * 1024
    assert slot["document_root"] == "/srv/app/R1"
    assert site["spec"]["user"] == "app"


def test_a_dry_run_says_why_and_changes_nothing(app):
    before = app.host.check_output("find /etc/phpops /var/lib/phpops /etc/systemd/system -printf '%p %T@ %l\n'")
    options = {"sites": [{"name": "app", "umask": "027"}]}
    result = app.host.ansible("phpops.webhost.site_slot", json.dumps(options), check=True)
    assert result["changed"] and result["sites"][0]["reasons"] == ["umask 022 → 027"]
    assert app.host.check_output("find /etc/phpops /var/lib/phpops /etc/systemd/system -printf '%p %T@ %l\n'") == before


def test_a_site_that_a_web_server_names_is_not_removed(app):
    _result, site = app.flip(state="absent")
    assert site["failed"] and "/etc/apache2/sites-" in site["msg"], site["msg"]
    assert app.curl("work.php") == "main=R1 late=R1"


def test_a_site_that_nothing_names_goes_whole_and_comes_back(app):
    host = app.host
    stored = json.loads(host.check_output("cat /etc/phpops/neighbour/site.json"))
    gone = {"sites": [{"name": "neighbour"}], "state": "absent"}
    assert host.ansible("phpops.webhost.site_slot", json.dumps(gone), check=False)["changed"]
    left = host.check_output("find /etc/phpops /var/lib/phpops /run/phpops /etc/systemd/system -path '*neighbour*'")
    assert left in ("", "/run/phpops/.neighbour.lock")
    assert host.run("systemctl list-units --no-legend --all 'phpops*neighbour*'").stdout.strip() == ""
    assert not host.ansible("phpops.webhost.site_slot", json.dumps(gone), check=False)["changed"]
    back = {"sites": [stored]}
    assert host.ansible("phpops.webhost.site_slot", json.dumps(back), check=False)["changed"]


def test_a_reboot_brings_the_live_slot_back(app):
    app.release("R2")
    live = app.live()
    subprocess.run(["podman", "restart", "--time", "20", app.host.backend.get_hostname()], check=True, timeout=90)
    deadline = time.monotonic() + 60
    asked = ["podman", "exec", app.host.backend.get_hostname(), "systemctl", "is-system-running"]
    while subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() != "running":
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert app.live() == live
    assert app.active_units() == [f"phpops-fpm@app-{live}.service"]
    assert app.curl("work.php") == "main=R2 late=R2"
    assert app.curl("work.php", "nginx") == "main=R2 late=R2"
    assert app.flip()[0]["changed"] is False


def test_a_master_that_the_site_itself_signals_comes_back(app):
    pid = json.loads(app.curl("who.php"))["master"]
    app.host.run_expect([0], f"runuser -u app -- kill -TERM {pid}")
    deadline = time.monotonic() + 20
    while app.host.run("curl --silent --fail http://localhost/who.php").rc != 0:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert json.loads(app.curl("who.php"))["master"] != pid
