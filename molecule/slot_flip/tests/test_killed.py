# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed (SIGKILL) at any step: the site serves on, and the next run finishes or undoes it."""

from __future__ import annotations

import json
import threading

import pytest

# When the run is killed: a condition on the host, with IDLE as the slot that comes.
MOMENTS = {
    "stage": "test -e /etc/phpops/app/IDLE/fpm.conf",
    "start": "systemctl is-active --quiet phpops-fpm@app-IDLE",
    "prime": "systemctl is-active --quiet phpops-fpm@app-IDLE && sleep 0.5",
    "switch": 'test "$(basename $(readlink /var/lib/phpops/app/ptr/live))" = IDLE',
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_run_is_taken_up_by_the_next(site, moment):
    app, host, live = site, site.host, site.live()
    now = host.check_output("basename $(readlink -f /var/lib/phpops/app/ptr/live/docroot)")
    other = {"R1": "R2", "R2": "R1"}[now]
    idle = "green" if live == "blue" else "blue"
    # The old slot's files go first in a run: the condition must see those of the new one.
    host.run_expect([0], f"rm -f /etc/phpops/app/{idle}/fpm.conf /run/phpops/.app.lock /srv/app/go")
    # A slow entry point and a slow request hold the steps prime and drain open.
    options = {"document_root": f"/srv/app/{other}", "entry_points": [{"path": "/slow.php", "query": "seconds=1"}]}
    arguments = json.dumps({"sites": [{"name": "app", **options}]})
    condition = MOMENTS[moment].replace("IDLE", idle)
    killer = (
        f"for i in $(seq 1500); do if {condition}; then kill -9 $(cat /run/phpops/.app.lock) && exit 0; fi;"
        " sleep 0.01; done; exit 1"
    )
    with app.load() as load:
        load.wait_for(30)
        runs = []
        run = threading.Thread(
            target=lambda: runs.append(host.ansible("phpops.webhost.site_slot", arguments, check=False))
        )
        run.start()
        host.run_expect([0], f"timeout 30 sh -c '{killer}'")
        run.join()
        load.wait_for(30)
        assert "sites" not in runs[0]
        assert app.live() == (idle if moment == "switch" else live)
        _result, done = app.flip({"document_root": f"/srv/app/{other}", "entry_points": [{"path": "/work.php"}]})
        load.wait_for(30)
    assert not done["failed"], done["msg"]
    assert load.result["failed"] == 0, load.result
    assert done["live_slot"] == app.live() == idle
    assert app.active_units() == [f"phpops-fpm@app-{idle}.service"]
    assert app.curl("work.php") == f"main={other} late={other}"
    assert app.flip()[0]["changed"] is False
