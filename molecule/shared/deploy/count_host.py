# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts on a site's host what a deploy could leave behind, and prints one JSON object: python3 count_host.py SITE"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

SITE = sys.argv[1]


def processes(name, unit=""):
    """Return the pids of the processes whose name begins so, in a unit whose name holds that text."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208
        with suppress(OSError):
            process = Path("/proc", pid)
            if (process / "comm").read_text().startswith(name) and unit in (process / "cgroup").read_text():
                found.append(int(pid))
    return found


def title(pid):
    """Return how a process calls itself, nothing when it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().strip(b"\0 ")
    return b""


def descriptors(pid):
    """Return how many descriptors a process has, connections apart: their number is that of the clients."""
    count = 0
    with suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                count += not str(link.readlink()).startswith("socket:")
    return count


PHP = processes("php-fpm", "phpops-fpm")
TITLES = {pid: title(pid) for pid in PHP}
MASTERS = [pid for pid, title in TITLES.items() if b"php-fpm: master" in title]
# Those of the status page come and go with each question.
WORKERS = [pid for pid, title in TITLES.items() if title == f"php-fpm: pool {SITE}".encode()]


def segments():
    """Return the bytes of the shared memory that PHP's processes map: forks of one master have it at one place."""
    found = {}
    for pid in PHP:
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
                words = line.split()
                if "s" in words[1] and "/dev/zero" in line:
                    begin, end = (int(edge, 16) for edge in words[0].split("-"))
                    found[words[4], begin] = end - begin
    return found


def lines(*command):
    return len(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines())


shared = segments()
print(
    json.dumps(
        {
            "masters": len(MASTERS),
            "workers": len(WORKERS),
            "descriptors of a master": max(map(descriptors, MASTERS), default=0),
            "descriptors of the web server": max(
                map(descriptors, processes("apache2") + processes("nginx")), default=0
            ),
            "descriptors of systemd": descriptors(1),
            "segments": len(shared),
            "segment bytes": sum(shared.values()),
            "other segments": lines("sh", "-c", "ipcs -m; ls /dev/shm"),
            "sockets": lines("find", "/run/phpops", "-type", "s"),
            "units": lines("systemctl", "list-units", "--all", "--no-legend", "phpops*"),
            "timers": lines("systemctl", "list-units", "--all", "--no-legend", "--type=timer"),
            "failed units": lines("systemctl", "list-units", "--no-legend", "--state=failed"),
            # A site's lock outlives the site: another process may be about to take it.
            "files": lines(
                *("find", "/var/lib/phpops", "/run/phpops", "/etc/phpops", "/etc/systemd/system"),
                *("-not", "-name", "*.lock"),
            ),
            "mounts": lines("cat", "/proc/1/mountinfo"),
            "releases": lines("find", f"/srv/www/{SITE}/releases", "-mindepth", "1", "-maxdepth", "1", "-type", "d"),
            "incoming": lines("find", f"/srv/www/{SITE}/incoming", "-type", "f")
            if Path(f"/srv/www/{SITE}/incoming").is_dir()
            else 0,
        }
    )
)
