# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""After an update of a library needrestart leaves the sites' masters alone; a roll brings them to it."""

from __future__ import annotations

import pytest
from killing import left_over


@pytest.fixture
def updated(app):
    """Put OPcache's package in again, as an update does: the master's file of it is a deleted one then."""
    app.host.run_expect([0], "dpkg --install /var/cache/phpops/php$(ls /etc/php | tail -1)-opcache_*.deb")
    pid = app.who()["master"]
    assert "opcache.so (deleted)" in app.host.check_output(f"cat /proc/{pid}/maps")
    return pid


def test_needrestart_leaves_the_masters_alone_and_would_not_without_the_snippet(app, updated):
    unit = f"phpops-fpm@app-{app.live()}.service"
    (snippet,) = app.host.check_output("ls /etc/needrestart/conf.d/*phpops*").split()
    with app.load(clients=2) as load:
        load.wait_for(10)
        # -r a: restart what has to be, and ask nobody.
        shown = app.host.run_expect([0], "needrestart -r a").stdout
        load.wait_for(10)
    assert f"restart {unit}" not in shown.split("deferred")[0], shown
    assert app.who()["master"] == updated
    assert load.bad() == {}, load.result
    app.host.run_expect([0], f"mv {snippet} /root/snippet")
    try:
        # Batch mode only tells: this one it would restart.
        assert f"NEEDRESTART-SVC: {unit}" in app.host.check_output("needrestart -b -r a")
        shown = app.host.run_expect([0], "needrestart -r a").stdout
    finally:
        app.host.run_expect([0], f"mv /root/snippet {snippet}")
    assert f"systemctl restart {unit}" in shown
    app.wait_on_host("curl --silent --fail --header 'Host: app.example.org' http://localhost/who.php >/dev/null")
    assert app.who()["master"] != updated


def test_a_roll_ends_what_needrestart_found(app, updated):
    with app.load(clients=2) as load:
        load.wait_for(10)
        run = app.roll()
        load.wait_for(10)
    assert run.rc == 0, run.output
    assert load.bad() == {}, load.result
    pid = app.who()["master"]
    assert pid != updated
    assert "(deleted)" not in app.host.check_output(f"grep -F opcache.so /proc/{pid}/maps")
    assert "phpops-fpm@" not in app.host.check_output("needrestart -b -r l")
    assert left_over(app, app.clean) == {}
