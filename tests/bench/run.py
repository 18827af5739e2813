# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures what a user waits for: facts modules against ping, shm_facts among 500 processes, a second migration,
oom_facts on a log of 200 MB, the page of 500 hosts, and three ways to deploy under load.

Run it by `make bench`, a part by ONLY=modules, ONLY=oom, ONLY=report or ONLY=deploy. Ends with 1 when a bound is
not kept.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import deploy
import oom
import report
from host import IMAGE, ROOT, BenchHost

PING = "ansible.builtin.ping"
GOAL, BOUND = 1.3, 1.5
PROCESSES, PROCESSES_BOUND_SECONDS = 500, 2.0


def facts_modules() -> list[str]:
    """Return the names of the facts modules."""
    return sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*_facts.py"))


def _task(action: str, name: str, **arguments: Any) -> dict[str, Any]:
    return {"name": name, action: arguments}


def against_ping(host: BenchHost, rounds: int) -> list[tuple[str, float, float]]:
    """Return (module, its median, ping's median) in seconds: every round runs ping before each module, in one play.

    The two arms share the connection, the moment and the noise; the first round warms up and is left out.
    """
    names = facts_modules()
    tasks = []
    for turn in range(rounds + 1):
        for name in names:
            tasks.append(_task(PING, f"{turn} ping {name}"))
            tasks.append(_task(f"phpops.webhost.{name}", f"{turn} {name}"))
    took: dict[str, list[float]] = {}
    for timed in host.play(tasks):
        turn, _blank, name = timed.task.partition(" ")
        if turn != "0":
            took.setdefault(name, []).append(timed.seconds)
    return [(name, median(took[name]), median(took[f"ping {name}"])) for name in names]


def among_processes(host: BenchHost, what: str, rounds: int) -> tuple[float, float]:
    """Return the medians of shm_facts and of ping while 500 more processes run."""
    host.spawn(PROCESSES, what)
    try:
        tasks = []
        for turn in range(rounds + 1):
            tasks.append(_task(PING, f"{turn} ping"))
            tasks.append(_task("phpops.webhost.shm_facts", f"{turn} shm_facts"))
        timed = [one for one in host.play(tasks) if not one.task.startswith("0 ")]
    finally:
        host.end_spawned()
    modules = [one.seconds for one in timed if one.action != PING]
    return median(modules), median([one.seconds for one in timed if one.action == PING])


def second_migration(folder: Path, scenario: str = "fpm_migrate") -> tuple[float, int, int] | None:
    """Run the scenario's migration twice and return (seconds of the second, hosts, changed tasks); None without one."""
    if not (ROOT / "playbooks" / "migrate.yml").exists() or not (ROOT / "molecule" / scenario).is_dir():
        return None
    times = folder / "migrate.jsonl"
    environment = {
        **os.environ,
        "BENCH_TIMES": str(times),
        "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests" / "bench" / "callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "task_times",
    }
    molecule = ["molecule", "converge", "--scenario-name", scenario]
    try:
        for _turn in range(2):
            times.unlink(missing_ok=True)
            start = time.monotonic()
            subprocess.run(molecule, env=environment, check=True, stdout=subprocess.DEVNULL, timeout=1200)
            seconds = time.monotonic() - start
        rows = [json.loads(line) for line in times.read_text(encoding="utf-8").splitlines()]
    finally:
        subprocess.run(["molecule", "destroy", "--scenario-name", scenario], check=False, stdout=subprocess.DEVNULL)
    return seconds, len({row["host"] for row in rows}), sum(row["changed"] for row in rows)


def modules(folder: Path, rounds: int, skip_migrate: bool) -> bool:
    """Measure the modules and a second migration; print the table, and tell whether all bounds were kept."""
    failed = False

    def row(name: str, value: str, bound: str, kept: bool) -> None:
        nonlocal failed
        failed = failed or not kept
        print(f"{name:<44} {value:>34}  {bound:<26} {'ok' if kept else 'NOT KEPT'}", flush=True)

    with BenchHost("bench-debian12", folder) as host:
        print(
            f"Host: one container of {IMAGE} over SSH with pipelining. Times are from a task's start\n"
            f"to its result, as a user waits for it; medians of {rounds} rounds after one to warm up.\n"
            "ping runs before each module in the same play, so that both see the same load.\n"
        )
        for module, seconds, ping in against_ping(host, rounds):
            ratio = seconds / ping
            text = f"{seconds * 1000:.0f} ms / {ping * 1000:.0f} ms = {ratio:.2f}"
            row(f"{module} / ping", text, f"goal {GOAL}, at most {BOUND}", ratio <= BOUND)
        for what in ("sleepers", "php-cgi"):
            seconds, ping = among_processes(host, what, max(3, rounds // 3))
            text = f"{seconds:.2f} s (ping {ping:.2f} s)"
            bound = f"under {PROCESSES_BOUND_SECONDS:g} s"
            row(f"shm_facts, {PROCESSES} more processes ({what})", text, bound, seconds < PROCESSES_BOUND_SECONDS)
    if not skip_migrate:
        found = second_migration(folder)
        if found is None:
            row("second, unchanged migration", "there is no migrate playbook", "", False)
        else:
            seconds, hosts, changed = found
            text = f"{seconds / max(1, hosts):.1f} s a host, {changed} changed"
            row(f"second, unchanged migration ({hosts} hosts)", text, "nothing changed", changed == 0)
    return not failed


def main() -> int:
    """Run all, print the tables, and return 1 when a bound is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="measured rounds of each comparison")
    parser.add_argument("--deploy-rounds", type=int, default=3, help="measured rounds of each way to deploy")
    parser.add_argument("--only", choices=("modules", "oom", "report", "deploy"), help="one part of it")
    parser.add_argument("--skip-migrate", action="store_true", help="leave out the migration, which takes minutes")
    options = parser.parse_args()
    # Ended from outside, it still removes its container.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    kept = True
    with tempfile.TemporaryDirectory(prefix="phpops-bench-") as name:
        if options.only in (None, "modules"):
            kept = modules(Path(name), options.rounds, options.skip_migrate)
        if options.only in (None, "oom"):
            kept = oom.run(Path(name)) and kept
        if options.only in (None, "report"):
            kept = report.run(Path(name)) and kept
        if options.only in (None, "deploy"):
            deploy.run(Path(name), options.deploy_rounds)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
