# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures oom_facts on logs of 200 MB: one of a busy host with an event now and then, one of reports and nothing else.

Run it by ``make bench ONLY=oom``. It needs no container: the module runs in a process of its own here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterator

from host import ROOT

MIB = 2**20
LOG_MIB, BOUND_SECONDS, BOUND_MIB = 200, 20.0, 200
SAMPLE = ROOT / "tests" / "fixtures" / "samples" / "oom" / "08-rhel6-phpfpm-trigger-mysqld-victim.txt"
# What all uptimes of the sample begin with.
UPTIME = b"[151802"
RUN = """
import resource, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.modules import oom_facts
with patch_module_args({"path": sys.argv[1]}):
    try:
        oom_facts.main()
    finally:
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def _ordinary(lines: int) -> bytes:
    """Return lines of a web host's syslog; some hold words that OOM reports have, too."""
    said = (
        "nginx[812]: 192.0.2.{0} GET /index.php?page={1} 200 {2}",
        "kernel: [15180000.{1:06}] [UFW BLOCK] IN=eth0 SRC=192.0.2.{0} LEN={2} PROTO=TCP SPT={1} DPT=22 WINDOW=1024",
        "php-fpm[4373]: [pool www] child {1} exited with code 0 after {2} seconds, {0} MB of memory",
        "systemd[1]: Started Session {1} of user web{0}.",
        "CRON[{1}]: (www-data) CMD (php /srv/site{0}/cron.php --process {2})",
    )
    rows = [
        f"Jun 20 12:{n // 60 % 60:02}:{n % 60:02} web1 {said[n % 5].format(n % 250, n % 32768, n * 7 % 1500)}\n"
        for n in range(lines)
    ]
    return "".join(rows).encode()


def busy() -> Iterator[bytes]:
    """Yield a log with a report in every 10 MiB."""
    between, report, number = _ordinary(20_000), SAMPLE.read_bytes(), 0
    while True:
        for _turn in range(10 * MIB // len(between)):
            yield between
        number += 1
        yield report.replace(UPTIME, b"[%06d" % (100_000 + number))


def storm() -> Iterator[bytes]:
    """Yield reports, one after the other, each with a table of 793 processes."""
    report, number = SAMPLE.read_bytes(), 0
    while True:
        number += 1
        yield report.replace(UPTIME, b"[%06d" % (100_000 + number))


def write(path: Path, pieces: Iterator[bytes]) -> None:
    """Write the pieces until the log is large enough."""
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
            if file.tell() >= LOG_MIB * MIB:
                return


def measure(path: Path) -> tuple[float, float, int]:
    """Return the module's seconds, its largest resident set in MiB, and how many events it returned."""
    environment = {**os.environ, "PYTHONPATH": os.environ["PHPOPS_TREE"]}
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(path)], env=environment, capture_output=True, text=True, check=True, timeout=600
    )
    seconds = time.monotonic() - start
    facts = json.loads(done.stdout)["ansible_facts"]["phpops_oom"]
    return seconds, int(done.stderr.split()[-1]) / 1024, len(facts["events"])


def run(folder: Path) -> bool:
    """Measure both logs, print a line for each, and tell whether the bounds were kept."""
    kept = True
    for name, pieces in (("a busy host's", busy()), ("nothing but reports", storm())):
        path = folder / "messages"
        write(path, pieces)
        seconds, mebibytes, events = measure(path)
        path.unlink()
        good = seconds < BOUND_SECONDS and mebibytes < BOUND_MIB and events > 0
        kept = kept and good
        what = f"oom_facts, log of {LOG_MIB} MiB ({name})"
        bound = f"under {BOUND_SECONDS:g} s and {BOUND_MIB} MiB"
        text = f"{seconds:.1f} s, {mebibytes:.0f} MiB, {events} events"
        print(f"{what:<54} {text:>30}  {bound:<26} {'ok' if good else 'NOT KEPT'}", flush=True)
    return kept
