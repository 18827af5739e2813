# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills a deploy (SIGKILL) at a step or at any moment: the controller, or the module on the host."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from ansible_collections.phpops.webhost.plugins.module_utils._core.deploy_steps import DEPLOY_STEPS

# BOTH: as when the power fails.
CONTROLLER, MODULE, BOTH = "controller", "module", "both"
# What must not be more than before, once the next deploy is through (names of count_host.py).
SAME = ("masters", "segments", "sockets", "units", "timers", "failed units", "files", "mounts")


class Watcher:
    """watch_lease.py on a site's host: it watches from the moment this is made."""

    def __init__(self, app, step, *words, site="app"):
        command = ["podman", "exec", app.name, "python3", "/srv/watch_lease.py", site, step, *map(str, words)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "watching\n"

    def result(self, seconds=120):
        """Wait until the step is seen (or the module killed); returns {steps, gone, killed}."""
        out, _err = self.process.communicate(timeout=seconds)
        return json.loads(out)


def kill_all_of(process):
    """Kill a process and all that descend from it, at once: Ansible's workers are no part of its process group."""
    tree = [process]
    for parent in tree:
        # Stopped, so that it starts nothing more while we look.
        with suppress(ProcessLookupError):
            os.kill(parent, signal.SIGSTOP)
        tree += [child for child in children(parent) if child not in tree]
    for one in tree:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


def children(process):
    """Return the processes whose parent this is (field 4 of /proc/PID/stat)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if stat.read_text().rpartition(")")[2].split()[1] == str(process):
                found.append(int(stat.parent.name))
    return found


def kill_at(app, step, by, release, **variables):
    """Deploy a release and kill it when it begins a step; returns (its steps until then, its Run)."""
    watch = Watcher(app, step, *([] if by == CONTROLLER else ["--kill"]))
    run = app.start(release, **variables)
    try:
        seen = watch.result()
    finally:
        if by != MODULE:
            kill_all_of(run.process.pid)
        ended = run.wait()
    steps = seen["steps"]
    if seen["gone"] and step == DEPLOY_STEPS[-1] and DEPLOY_STEPS[-2] in steps:
        # This step removes the lease: it is hardly ever read in it.
        steps.append(step)
    return steps, ended


def kill_after(app, seconds, by, release, **variables):
    """Deploy a release and kill it so many seconds after its start (by MODULE: after it took the lease)."""
    if by == MODULE:
        watch = Watcher(app, "lease", "--after", f"{seconds:.3f}", "--kill")
        run = app.start(release, **variables)
        seen = watch.result()
        return seen["steps"], run.wait()
    run = app.start(release, **variables)
    time.sleep(seconds)
    kill_all_of(run.process.pid)
    return (app.lease() or {}).get("steps", []), run.wait()


def left_over(app, before):
    """Return what a killed deploy left once the next one is through, by name: (before, now); {} when nothing."""
    now = app.counted()
    found = {name: (before[name], now[name]) for name in SAME if now[name] > before[name]}
    if app.active_units() != [f"phpops-fpm@app-{app.live()}.service"]:
        found["active units"] = app.active_units()
    if now["incoming"] > 1:
        # One archive stays, so that the next run of the same URL need not fetch it again.
        found["incoming"] = now["incoming"]
    if app.lease() is not None:
        found["lease"] = app.lease()
    names = app.host.check_output("ls -A /srv/www/app/releases").split()
    odd = [name for name in names if not re.fullmatch(r"[0-9a-f]{12}(\.json)?", name)]
    if odd or len(names) % 2:
        found["releases"] = names
    return found
