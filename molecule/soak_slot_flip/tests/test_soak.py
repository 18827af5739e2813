# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many slot flips under load: no request fails, and neither the web servers nor systemd nor the site's folders grow."""

from __future__ import annotations

import json
import os

FLIPS = int(os.environ.get("PHPOPS_SOAK_FLIPS") or 50)
WARM_UP = 4
# A web server's process touches more of its memory with each request, up to a mark; a leak would pass this soon.
MEMORY_SLACK_BYTES = 4 * 1024 * 1024

COUNT = r"""
import json, os, subprocess
from pathlib import Path

def name_of(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""

def most(name, measure):
    return max(measure(pid) for pid in os.listdir("/proc") if pid.isdigit() and name_of(pid).startswith(name))

def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))

def resident(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096

def lines(*command):
    return len(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines())

print(json.dumps({
    "count": {
        "descriptors of apache2": most("apache2", descriptors),
        "descriptors of nginx": most("nginx", descriptors),
        "descriptors of systemd": descriptors(1),
        "processes": sum(pid.isdigit() for pid in os.listdir("/proc") if name_of(pid).startswith("php-fpm")),
        "units": lines("systemctl", "list-units", "--all", "--no-legend", "phpops*"),
        "files": lines("find", "/var/lib/phpops", "/run/phpops", "/etc/phpops", "/etc/systemd/system"),
        "mounts": lines("cat", "/proc/1/mountinfo"),
        "segments": lines("sh", "-c", "ipcs -m; ls /dev/shm"),
    },
    "memory": {name: most(name, resident) for name in ("apache2", "nginx", "systemd", "php-fpm")},
}))
"""


def counted(app):
    return json.loads(app.host.check_output("python3 -c %s", COUNT))


def flips(app, server, number):
    """Flip so many times under load; returns what the load saw."""
    with app.load(server, post="/post.php", seconds=7200) as load:
        load.wait_for(100)
        for turn in range(number):
            site = app.release(("R2", "R1")[turn % 2])
            assert site["flipped"] and site["drain"]["finished"], site
        load.wait_for(100)
    return load.result


def test_many_flips_fail_nothing_and_leave_nothing(app, server):
    flips(app, server, WARM_UP)
    before = counted(app)
    result = flips(app, server, FLIPS + FLIPS % 2)
    after = counted(app)
    print(app.host.backend.get_hostname(), server, json.dumps({"load": result, "before": before, "after": after}))
    assert [result[kind] for kind in ("failed", "cut", "hung", "mixed")] == [0, 0, 0, 0], result
    assert (result["lost"], result["doubled"], result["unacknowledged"]) == ([], [], [])
    assert len(app.active_units()) == 1
    grown = {name: (before["count"][name], now) for name, now in after["count"].items() if now > before["count"][name]}
    assert grown == {}
    for name, now in after["memory"].items():
        assert now <= before["memory"][name] + MEMORY_SLACK_BYTES, (name, before["memory"], after["memory"])
