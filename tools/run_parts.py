# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs parts of the tests, all of them even when one fails, and ends with a table and "N passed, N failed"."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TextIO

from parts import Part, soak_parts, test_parts
from paths import CACHE, ROOT, environment

STARTED = time.monotonic()
TAIL_LINES = 80
# The process groups of the parts that run now.
RUNNING: set[int] = set()


@dataclass(frozen=True)
class Outcome:
    """How a part ended: problem is "" when it passed."""

    name: str
    problem: str
    seconds: float
    log: Path | None


def say(text: str) -> None:
    """Print a line with the time since the start."""
    print(f"[{time.monotonic() - STARTED:5.0f} s] {text}", flush=True)


def stop(number: int, _frame: object) -> NoReturn:
    """End what runs when we are told to end: the parts have process groups of their own."""
    for group in RUNNING.copy():
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGTERM)
    print(f"ended by {signal.Signals(number).name}", flush=True)
    os._exit(128 + number)


def wait(part: Part, output: TextIO | None) -> str:
    """Run one part to its end or its time limit; return what went wrong, or ""."""
    try:
        process = subprocess.Popen(
            part.command,
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            start_new_session=True,
        )
    except OSError as error:
        return f"could not start: {error}"
    RUNNING.add(process.pid)
    try:
        status = process.wait(timeout=part.limit_seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return f"not done after {part.limit_seconds} s"
    finally:
        RUNNING.discard(process.pid)
    return f"exit status {status}" if status else ""


def execute(part: Part, log: Path | None) -> Outcome:
    """Run one part; its output goes to the log, or to the terminal."""
    say(f"{part.name}: {' '.join((Path(part.command[0]).name, *part.command[1:]))[:100]}")
    started = time.monotonic()
    if log:
        with log.open("w", encoding="utf-8") as output:
            problem = wait(part, output)
    else:
        problem = wait(part, None)
    return Outcome(part.name, problem, time.monotonic() - started, log)


def report(outcome: Outcome) -> None:
    """Say how a part ended; a failed one shows the end of what it printed."""
    say(f"{outcome.name}: {'FAILED, ' + outcome.problem if outcome.problem else 'passed'} ({outcome.seconds:.0f} s)")
    if outcome.problem and outcome.log:
        lines = outcome.log.read_text(encoding="utf-8", errors="replace").splitlines()
        print("\n".join(f"    {line}" for line in lines[-TAIL_LINES:]))
        print(f"    (all of it: {outcome.log})", flush=True)


def choose(wanted: list[str]) -> list[Part]:
    """Return the parts with these names or in these groups; those of the soak by name only."""
    if wanted == ["soak"]:
        return soak_parts()
    parts = test_parts()
    if not wanted:
        return parts
    groups = [part for part in parts if part.group in wanted]
    parts += [part for part in soak_parts() if part not in parts]
    for name in wanted:
        if not any(name in (part.name, part.group) for part in parts):
            raise SystemExit(f"no part is called {name}; there are: {', '.join(part.name for part in parts)}")
    return groups + [part for part in parts if part.name in wanted and part not in groups]


def run_all(parts: list[Part], jobs: int) -> list[Outcome]:
    """Run the parts; the output of each goes to a log, or to the terminal when there is one part only."""
    logs = CACHE / "logs"
    logs.mkdir(parents=True, exist_ok=True)

    def work(part: Part) -> Outcome:
        outcome = execute(part, None if len(parts) == 1 else logs / f"{part.name.replace(':', '-')}.log")
        report(outcome)
        return outcome

    # The images keep all cores busy, and others need them.
    outcomes = {part: work(part) for part in parts if part.name == "images"}
    pending = [part for part in parts if part not in outcomes]
    ready = threading.Condition()
    busy: set[str] = set()

    def work_off() -> None:
        """Run the first part that may run now, until none is left."""
        while True:
            with ready:
                ready.wait_for(lambda: not pending or any(part.alone not in busy for part in pending))
                if not pending:
                    return
                part = next(part for part in pending if part.alone not in busy)
                pending.remove(part)
                busy.update(filter(None, [part.alone]))
            try:
                outcomes[part] = work(part)
            finally:
                with ready:
                    busy.discard(part.alone)
                    ready.notify_all()

    with ThreadPoolExecutor(jobs) as pool:
        for worker in [pool.submit(work_off) for _number in range(jobs)]:
            worker.result()
    return [outcomes[part] for part in parts]


def main() -> int:
    """Run what was asked for and sum it up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help="names or groups of parts, or soak; default: all")
    parser.add_argument("--jobs", type=int, default=1, help="how many parts run at the same time")
    arguments = parser.parse_args()
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    outcomes = run_all(choose(arguments.parts), max(1, arguments.jobs))
    width = max(len(outcome.name) for outcome in outcomes)
    print(f"\n{'part':<{width}}  result  seconds")
    for outcome in outcomes:
        print(f"{outcome.name:<{width}}  {'FAILED' if outcome.problem else 'passed'}  {outcome.seconds:7.1f}")
    failed = sum(bool(outcome.problem) for outcome in outcomes)
    print(f"all in {time.monotonic() - STARTED:.0f} s\n\n{len(outcomes) - failed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
