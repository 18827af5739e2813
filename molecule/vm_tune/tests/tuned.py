# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tuned host: the playbook on it, and what its sites and its kernel say."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

SCENARIO = Path(__file__).absolute().parents[1]
MIB = 1 << 20
# What changes something, one of each role at least.
STEPS = re.compile(
    r"TASK \[phpops\.webhost\.(oom_policy : units \| Write|swap : apply \| Give|dentry_cache : apply \| Set"
    r"|fcgid_limits : limits \| Set|tmpdir : (present|absent) \||worker_recycle : (program|timer|limits) \|"
    r"|opcache : apply \| Flip)"
)
STEP_COUNT = 11
# What is in force with the variables of the inventory alone.
DONE = {
    "oom_policy": ["continue", "no"],
    "swap": 128 * MIB,
    "dentry_cache": "200",
    "fcgid_limits": "600",
    "tmpdir": ("/dev/shm/phpops-shop", 64 * MIB),
    "worker_recycle": ["active", str(256 * MIB)],
    "opcache": 8,
}


def command(name, *words, **variables):
    """Return the command that runs the playbook on this host, as its user would."""
    given = ["-e", json.dumps(variables)] if variables else []
    return ["ansible-playbook", "-i", str(SCENARIO / "inventory"), "-l", name, *words, *given, "phpops.webhost.tune"]


def tune(host, *words, **variables):
    """Run the playbook to its end; returns (how many tasks changed something, the lines of its summary)."""
    done = subprocess.run(
        command(host.backend.get_hostname(), *words, **variables),
        capture_output=True,
        text=True,
        timeout=900,
        env=dict(os.environ),
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.search(r"report \| Tell what each role did\].*?\"msg\": (\[.*?\n    \])", done.stdout, re.DOTALL)
    assert told, done.stdout
    return int(re.search(r"changed=(\d+)", done.stdout).group(1)), json.loads(told.group(1))


def ask(host, page="page.php", site="shop"):
    """Return what a page says through Apache."""
    return host.check_output(
        f"curl --silent --show-error --fail --max-time 60 -H 'Host: {site}.test' 'http://127.0.0.1/{page}'"
    )


def tried(host, query=""):
    """Return what the site could do."""
    return json.loads(ask(host, f"try.php?{query}"))


def serves(host):
    """Both sites answer, each from its PHP."""
    assert (ask(host), ask(host, site="old")) == ("fpm-fcgi", "cgi-fcgi")


def unit(host, name, *properties):
    """Return properties of a unit as systemd has them."""
    shown = host.check_output(f"systemctl show --property={','.join(properties)} {name}").splitlines()
    found = dict(line.split("=", 1) for line in shown)
    return [found[name] for name in properties]


def in_force(host):
    """Return what the roles set, read from the kernel, from systemd and from a site."""
    live = host.check_output("basename $(readlink /var/lib/phpops/shop/ptr/live)")
    (group,) = unit(host, f"phpops-fpm@shop-{live}", "ControlGroup")
    site = tried(host)
    swaps = host.check_output(
        "sed -n 's/^.var.lib.phpops-swap.[^ ]* *file[[:space:]]*\\([0-9]*\\).*/\\1/p' /proc/swaps"
    )
    fcgid = host.check_output(
        "grep -Rhis '^ *FcgidProcessLifeTime' /etc/apache2/conf-enabled /etc/apache2/mods-enabled | tail -1"
    )
    return {
        "oom_policy": unit(host, "php8.2-fpm", "OOMPolicy", "Restart"),
        "swap": sum(int(kib) << 10 for kib in swaps.split()),
        "dentry_cache": host.check_output("cat /proc/sys/vm/vfs_cache_pressure"),
        "fcgid_limits": fcgid.split()[-1] if fcgid else "",
        "tmpdir": (site["temp"], int(host.check_output("df --block-size=1 --output=size /dev/shm | tail -1"))),
        "worker_recycle": [
            host.run("systemctl is-active phpops-worker-recycle.timer").stdout.strip(),
            host.check_output(f"cat '/sys/fs/cgroup{group}/memory.max'"),
        ],
        "opcache": site["opcache"],
    }


def left_over(host):
    """Return what no run may leave: new files before their rename, swap files that are off, units that failed."""
    found = host.check_output("find /etc /usr/local /var/lib /run/systemd/system -xdev -name '.*.tmp'").split()
    on = host.check_output("sed -n 's/ .*file.*//p' /proc/swaps").split()
    there = host.run("find /var/lib/phpops-swap -type f").stdout.split()
    failed = host.check_output("systemctl --failed --no-legend --plain").splitlines()
    return found + sorted(set(there) ^ set(on)) + failed
