# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills the module (SIGKILL) at random moments after it took its lock, and lets the next run finish what is left.

kills.py SEED COUNT PRESENT ABSENT: the last two are the module with its options, as Ansible brought it here.
Prints one line of JSON: the moments with what was left, and what the runs afterwards said.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

LOCK = Path("/run/lock/phpops-swap")
FOLDER = Path("/var/lib/phpops-swap")
SHOWN = ("/proc/swaps", "/etc/fstab")


def begin(program: str) -> tuple[subprocess.Popen[str], float]:
    """Start the module and wait until it has its lock; returns it and the time."""
    LOCK.write_text("", encoding="ascii")
    process = subprocess.Popen(["python3", program], stdout=subprocess.PIPE, text=True)
    while process.poll() is None and LOCK.read_text(encoding="ascii") != str(process.pid):
        time.sleep(0.002)
    return process, time.monotonic()


def whole(program: str) -> tuple[dict, float]:
    """Run it to its end; returns what it said, and the seconds since it took its lock."""
    process, started = begin(program)
    said = json.loads(process.communicate(timeout=120)[0])
    return said, time.monotonic() - started


def left() -> list:
    """Return what is there: our files with mode and size, our areas that are on with theirs, and our lines of fstab."""
    files = []
    for path in sorted(FOLDER.glob("*")):
        with suppress(FileNotFoundError):
            files.append([path.name, oct(path.stat().st_mode & 0o7777), path.stat().st_size])
    ours = [[line.split() for line in Path(name).read_text().splitlines() if "phpops-" in line] for name in SHOWN]
    return [files, [[fields[0], fields[2]] for fields in ours[0]], [" ".join(fields) for fields in ours[1]]]


def main() -> None:
    """Kill each of the two so often, in turns."""
    chance, count = random.Random(int(sys.argv[1])), int(sys.argv[2])
    present, absent = sys.argv[3:]
    _said, to_present = whole(present)
    end = left()
    _said, to_absent = whole(absent)
    none = left()
    kills, wrong = [], []
    for _turn in range(count):
        for program, seconds, expected in ((present, to_present, end), (absent, to_absent, none)):
            process, _started = begin(program)
            moment = chance.uniform(0, seconds)
            with suppress(subprocess.TimeoutExpired):
                process.wait(moment)
            process.kill()
            process.wait()
            found = left()
            verify = subprocess.run(["findmnt", "--verify"], capture_output=True, text=True, check=False)
            kills.append({"moment": round(moment, 3), "of": round(seconds, 3), "left": found})
            said, _seconds = whole(program)
            then = left()
            again, _seconds = whole(program)
            if "[E]" in verify.stdout or said.get("failed") or then != expected or again.get("changed") is not False:
                wrong.append({"kill": kills[-1], "verify": verify.stdout, "said": said, "then": then, "again": again})
    print(json.dumps({"kills": kills, "wrong": wrong, "end": end, "none": none}))


main()
