# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploys under load in three ways, side by side on one host, and prints what its visitors and its operator saw."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from deploy_arms import OPCACHE, PLAYBOOKS, WORKERS, Arm, Ours, Took, Usual, Waiting
from deploy_numbers import Window, table, under_load
from deploy_releases import Releases
from host import BenchHost

HOST = "bench-deploy-debian12"
CLIENTS = 12
QUIET_SECONDS, AFTER_SECONDS = 4.0, 1.5
ASKED = 40


@dataclass(frozen=True)
class Workload:
    """An application and how it is kept busy."""

    name: str
    app: str
    get: str
    post: str
    pause_seconds: float = 0.0
    slow: bool = False


WORKLOADS = (
    Workload("A small script: 20 ms, always more clients than workers", "small", "/work.php", "/post.php"),
    Workload("The same, and a request of 4 s always in flight", "small", "/work.php", "/post.php", slow=True),
    Workload(
        "MediaWiki, its main page, half of the load by POST",
        "wiki",
        "/index.php?title=Main_Page",
        "/index.php?title=Main_Page",
        pause_seconds=0.6,
    ),
)
INTRODUCTION = (
    f"Deploys: Debian 12, Apache (event), PHP 8.2; {WORKERS} workers, {CLIENTS} keep-alive clients on the host,\n"
    "half of the requests POST; the same OPcache and workers for all arms. {rounds} rounds, interleaved: counts\n"
    "are sums, times medians unless they say otherwise. Ansible runs on the same machine."
)


class HostLoad:
    """The load client, run on the host itself."""

    def __init__(self, host: BenchHost, name: str, *options: str) -> None:
        self.host, self.name = host, name
        host.run(f"rm -f /run/{name}-*")
        words = ["podman", "exec", host.name, "python3", "/srv/client.py", "--url", "http://127.0.0.1/"]
        words += ["--until", f"/run/{name}-stop", "--events", f"/run/{name}-events", "--seconds", "300", *options]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)

    def stop(self) -> tuple[dict[str, Any], list[list[Any]]]:
        """End it and return its report and its events."""
        self.host.run(f"touch /run/{self.name}-stop")
        report = self.process.communicate(timeout=90)[0]
        rows = self.host.run(f"cat /run/{self.name}-events").splitlines()
        return json.loads(report), [json.loads(row) for row in rows]

    def __enter__(self) -> HostLoad:
        return self

    def __exit__(self, *_error: object) -> None:
        """End it where a deploy failed."""
        if self.process.poll() is None:
            self.process.kill()


class Experiment:
    """All rounds on one host."""

    def __init__(self, host: BenchHost, folder: Path, arms: tuple[type[Arm], ...]) -> None:
        self.host = host
        self.releases = Releases(host, folder)
        self.arms = [arm(host, self.releases, folder) for arm in arms]
        self.number: Counter[tuple[str, str]] = Counter()
        host.playbook(str(PLAYBOOKS / "host.yml"), folder / "setup.jsonl", bench_workers=WORKERS, bench_opcache=OPCACHE)

    def release(self, arm: Arm, app: str, step: int = 0) -> str:
        """Return the name of the arm's release that many after the last one."""
        self.number[app, arm.site] += step
        return f"R{self.number[app, arm.site]:04d}"

    def asked(self, arm: Arm, work: Workload) -> list[float]:
        """Ask for the page one by one on the host, and return the seconds of each answer."""
        url = f"-H 'Host: {work.app}-{arm.site}.example.test' 'http://127.0.0.1{work.get}'"
        one = f"curl -sS -o /dev/null -w '%{{http_code}} %{{time_total}}\\n' {url}"
        answers = [line.split() for line in self.host.run(f"for i in $(seq {ASKED}); do {one}; done").splitlines()]
        if {code for code, _seconds in answers} != {"200"}:
            raise RuntimeError(f"{arm.title}: {work.get} answered {Counter(code for code, _s in answers)}")
        return [float(seconds) for _code, seconds in answers]

    def one(self, arm: Arm, work: Workload) -> dict[str, float]:
        """Deploy and roll back under load, then deploy without load and ask for a page."""
        arm.prepare(work.app)
        if not self.number[work.app, arm.site]:
            arm.deploy(work.app, self.release(arm, work.app, 1))
        self.asked(arm, work)
        self.host.run("rm -f /srv/app/go; install -o app -g app /dev/null /srv/app/posts.log")
        options = ["--host", f"{work.app}-{arm.site}.example.test"]
        main = [*options, "--get", work.get, "--post", work.post, "--log", "/srv/app/posts.log"]
        main += ["--clients", str(CLIENTS), "--pause", str(work.pause_seconds)]
        with ExitStack() as running:
            loads = [running.enter_context(HostLoad(self.host, "load", *main))]
            if work.slow:
                slow = [*options, "--get", "/slow.php?seconds=4", "--clients", "1"]
                loads.append(running.enter_context(HostLoad(self.host, "slow", *slow)))
            time.sleep(1)
            quiet = Window(time.time(), time.time() + QUIET_SECONDS)
            time.sleep(QUIET_SECONDS)
            old = self.release(arm, work.app)
            deployed = arm.deploy(work.app, new := self.release(arm, work.app, 1))
            time.sleep(AFTER_SECONDS)
            back = arm.rollback(work.app, old)
            time.sleep(AFTER_SECONDS)
            report, events = loads[0].stop()
            slow_failed = [one.stop()[0]["failed"] for one in loads[1:]]
        windows = (quiet, Window(deployed.start, deployed.end, old), Window(back.start, back.end, new))
        numbers = under_load(events, *windows)
        numbers["unacknowledged"] = len(report["unacknowledged"])
        numbers["lost"] = len(report["lost"]) + len(report["doubled"])
        if work.slow:
            numbers["slow_failed"] = sum(slow_failed)
        numbers.update(self.without_load(arm, work), **switch_of(back))
        return numbers

    def without_load(self, arm: Arm, work: Workload) -> dict[str, float]:
        """Deploy while nobody asks, then ask."""
        deployed = arm.deploy(work.app, self.release(arm, work.app, 1))
        first, *others = self.asked(arm, work)
        numbers = {"first": first, "warm": median(others[len(others) // 2 :])}
        numbers["wall_deploy"] = deployed.end - deployed.start
        if isinstance(arm, Ours):
            numbers["drain"] = deployed.returned("slot_drain")
        return numbers


def switch_of(back: Took) -> dict[str, float]:
    """Return what the switching task of a rollback took; the usual way's are the link and the reload."""
    ours = back.of("slot_switch")
    return {"switch_task": ours or back.of(".file") + back.of("systemd_service")}


def run(folder: Path, rounds: int, arms: tuple[type[Arm], ...] = (Usual, Waiting, Ours)) -> None:
    """Run all workloads and print a table of each."""
    with BenchHost(HOST, folder) as host:
        experiment = Experiment(host, folder, arms)
        print(INTRODUCTION.format(rounds=rounds))
        for work in WORKLOADS:
            found: dict[str, list[dict[str, float]]] = {arm.title: [] for arm in experiment.arms}
            for turn in range(rounds):
                for arm in experiment.arms[turn % len(arms) :] + experiment.arms[: turn % len(arms)]:
                    found[arm.title].append(experiment.one(arm, work))
            print(f"\n{work.name}\n{table(found)}", flush=True)
