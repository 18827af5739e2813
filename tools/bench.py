# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures what the collection costs on the hosts of a scenario, and fails where it costs more than it may.

Each facts module's time over ansible.builtin.ping; shm_facts among 500 PHP processes; a second, unchanged migrate.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from paths import ROOT, VENV, environment

SCENARIO = "fpm_migrate"
ROUNDS = 11
# A facts module may take this many times as long as a ping.
MOST_OVER_PING = 1.5
PROCESSES = 500
MOST_SECONDS_AMONG_PROCESSES = 2.0
# One process with many children: each maps the segment, as under mod_fcgid with PHP_FCGI_CHILDREN.
START_PROCESSES = (
    f"PHP_FCGI_CHILDREN={PROCESSES} setsid php-cgi -d opcache.enable=1 -b /run/bench.sock </dev/null >/dev/null 2>&1 & "
    f"timeout 60 sh -c 'until [ $(pgrep -c php-cgi) -gt {PROCESSES} ]; do sleep 0.2; done'"
)


def settings() -> dict[str, str]:
    """Return the environment in which ansible-playbook reaches the scenario's hosts as molecule does."""
    return {
        **environment(),
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
        "ANSIBLE_HOST_KEY_CHECKING": "false",
        "ANSIBLE_PIPELINING": "true",
        "ANSIBLE_SSH_ARGS": f"-F {ROOT}/molecule/shared/ssh_config -o ControlMaster=auto -o ControlPersist=60s",
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
    }


def play(playbook: Path | str) -> dict[str, Any]:
    """Run a playbook on the scenario's hosts; return what the json callback says."""
    command = [str(VENV / "bin" / "ansible-playbook"), "--inventory", f"{ROOT}/molecule/{SCENARIO}/inventory/"]
    done = subprocess.run(
        [*command, str(playbook)],
        env=settings(),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{playbook} ended with {done.returncode}:\n{done.stdout.decode(errors='replace')[-4000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def seconds(results: dict[str, Any]) -> dict[str, float]:
    """Return how long each task took, by its name."""
    found = {}
    for task in (task for one in results["plays"] for task in one["tasks"]):
        start, end = (datetime.fromisoformat(task["task"]["duration"][key].rstrip("Z")) for key in ("start", "end"))
        found[task["task"]["name"]] = (end - start).total_seconds()
    return found


def timed_play(tasks: list[dict[str, Any]], hosts: str) -> dict[str, float]:
    """Run tasks on hosts as a playbook and return their times."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump([{"hosts": hosts, "gather_facts": False, "tasks": tasks}], file)
        file.flush()
        return seconds(play(file.name))


def measure_facts(host: str) -> bool:
    """Print the time of each facts module on a host; return whether all are fast enough."""
    modules = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*_facts.py"))
    names = ["ansible.builtin.ping", *(f"phpops.webhost.{name}" for name in modules)]
    # The first one opens the connection; its time is not taken. In turns, so that all meet the same noise.
    tasks: list[dict[str, Any]] = [{"name": "connect", "ansible.builtin.ping": {}}]
    tasks += [{"name": f"{name} {turn}", name: {}} for turn in range(ROUNDS) for name in names]
    taken = timed_play(tasks, host)
    medians = {name: median(taken[f"{name} {turn}"] for turn in range(ROUNDS)) for name in names}
    ratios = {name: middle / medians["ansible.builtin.ping"] for name, middle in medians.items()}
    for name, ratio in ratios.items():
        slow = "" if ratio <= MOST_OVER_PING else f"  TOO SLOW: at most {MOST_OVER_PING}"
        print(f"{host:<22} {name:<40} {medians[name] * 1000:7.0f} ms  {ratio:5.2f} x ping{slow}", flush=True)
    return all(ratio <= MOST_OVER_PING for ratio in ratios.values())


def measure_processes(host: str) -> bool:
    """Print how long shm_facts takes among many PHP processes; return whether that is fast enough."""
    name = "phpops.webhost.shm_facts"
    tasks: list[dict[str, Any]] = [
        {"name": "start", "ansible.builtin.shell": START_PROCESSES},
        {"name": name, name: {}},
        {"name": "stop", "ansible.builtin.shell": "pkill -x php-cgi; rm -f /run/bench.sock"},
    ]
    taken = timed_play(tasks, host)[name]
    slow = "" if taken <= MOST_SECONDS_AMONG_PROCESSES else f"  TOO SLOW: at most {MOST_SECONDS_AMONG_PROCESSES} s"
    print(f"{host:<22} {name} among {PROCESSES} php-cgi: {taken:.2f} s{slow}", flush=True)
    return not slow


def measure_unchanged(hosts: list[str]) -> bool:
    """Print how long a migrate takes where there is nothing to do; return whether it changed nothing."""
    started = time.monotonic()
    stats = play(ROOT / "molecule" / SCENARIO / "converge.yml")["stats"]
    taken = time.monotonic() - started
    changed: int = sum(stats[host]["changed"] for host in hosts)
    print(
        f"unchanged migrate of {len(hosts)} hosts: {taken:.1f} s, {taken / len(hosts):.1f} s a host, {changed} changed"
    )
    return changed == 0


def molecule(action: str) -> None:
    """Run an action of molecule on the scenario, and show it only when it fails."""
    command = [str(VENV / "bin" / "molecule"), action, "--scenario-name", SCENARIO]
    done = subprocess.run(
        command, env=environment(), cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(
            f"molecule {action} ended with {done.returncode}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
        )


def main() -> int:
    """Measure on hosts that are made for it."""
    print(f"load of this machine: {' '.join(f'{load:.1f}' for load in os.getloadavg())}; {os.cpu_count()} cores")
    print(f"bench: making the hosts of {SCENARIO}", flush=True)
    molecule("destroy")
    try:
        molecule("converge")
        inventory = [str(VENV / "bin" / "ansible-inventory"), "-i", f"{ROOT}/molecule/{SCENARIO}/inventory/", "--list"]
        listing = subprocess.run(inventory, env=environment(), stdout=subprocess.PIPE, check=True).stdout
        hosts = json.loads(listing)["php_hosts"]["hosts"]
        verdicts = [check(host) for check in (measure_facts, measure_processes) for host in hosts]
        verdicts.append(measure_unchanged(hosts))
    finally:
        molecule("destroy")
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:
        sys.exit(f"bench: {error}")
