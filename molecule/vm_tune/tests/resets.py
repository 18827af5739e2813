# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The power fails while the playbook runs: what is asked for then, and what is in force after the next run."""

from __future__ import annotations

import os
import random
import subprocess
import time

from machine import Machine
from tuned import DONE, MIB, SCENARIO, STEP_COUNT, STEPS, command, in_force, left_over, serves, tune

SEED = int(os.environ.get("PHPOPS_SEED") or random.SystemRandom().randrange(1 << 32))
RESETS = int(os.environ.get("PHPOPS_RESETS") or (20 if SCENARIO.name.startswith("soak_") else 3))
# Seconds after the start of a task: some of them meet the task that follows.
LONGEST = 6.0
STATES = ("oom_policy", "swap", "dentry_cache", "fcgid_limits", "tmpdir", "worker_recycle")
# Each of them changes something of every role; (the variables, what is in force then).
ROUNDS = (
    ({"opcache_memory_consumption": 8}, DONE),
    (
        {
            "oom_policy_restart": "always",
            "swap_size_bytes": 160 * MIB,
            "dentry_cache_vfs_cache_pressure": 300,
            "fcgid_limits_server": {"FcgidMinProcessesPerClass": 0, "FcgidProcessLifeTime": 700},
            "tmpdir_size_bytes": 96 * MIB,
            "worker_recycle_threshold_bytes": 128 * MIB,
            "worker_recycle_memory_max_bytes": 320 * MIB,
            "opcache_memory_consumption": 16,
        },
        {
            "oom_policy": ["continue", "always"],
            "swap": 160 * MIB,
            "dentry_cache": "300",
            "fcgid_limits": "700",
            "tmpdir": ("/dev/shm/phpops-shop", 96 * MIB),
            "worker_recycle": ["active", str(320 * MIB)],
            "opcache": 16,
        },
    ),
    (
        {**{f"{role}_state": "absent" for role in STATES}, "opcache_memory_consumption": 12},
        {
            "oom_policy": ["stop", "no"],
            "swap": 0,
            "dentry_cache": "100",
            "fcgid_limits": "",
            "tmpdir": ("/tmp", None),
            "worker_recycle": ["inactive", "max"],
            "opcache": 12,
        },
    ),
)


def reset_within(machine, step, seconds, variables):
    """Run the playbook and reset the host so many seconds after its step; returns (the task, seconds of the boot)."""
    run = subprocess.Popen(command(machine.name, **variables), stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    seen, shown = 0, []
    for line in run.stdout:
        shown.append(line)
        seen += bool(STEPS.match(line))
        if seen == step:
            break
    else:
        raise AssertionError("".join(shown))
    time.sleep(seconds)
    took = machine.reset()
    try:
        run.communicate(timeout=60)
    finally:
        run.kill()
    return line.partition("[")[2].partition("]")[0], took


def reset_round(host, turn):
    """Reset the host in a run of this turn's variables; the next run completes. Returns the variables."""
    machine, chance = Machine(host.backend.get_hostname()), random.Random(f"{SEED} {turn}")
    variables, wanted = ROUNDS[turn % len(ROUNDS)]
    step, seconds = chance.randint(1, STEP_COUNT), chance.uniform(0, LONGEST)
    task, took = reset_within(machine, step, seconds, variables)
    print(f"{turn}: reset {seconds:.1f} s after the start of {task!r}, up again in {took:.0f} s (PHPOPS_SEED={SEED})")
    serves(host)
    changed, lines = tune(host, **variables)
    print(f"{turn}: the next run changed {changed} tasks")
    now = in_force(host)
    if wanted["tmpdir"][1] is None:
        now["tmpdir"] = (now["tmpdir"][0], None)
    assert now == wanted, lines
    assert left_over(host) == []
    serves(host)
    return variables
