# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits on the site's host until the lease shows a step of the next run, then says so, or kills who does the step.

    python3 watch_lease.py SITE STEP [--after SECONDS] [--kill] [--timeout SECONDS]

It prints one JSON object. steps: all steps that began until then. killed: the process (the module that held the site's
lock) that got SIGKILL, null when none did. gone: the run ended before the step was seen.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

POLL_SECONDS = 0.0005


class Watch:
    """The lease and the lock of one site."""

    def __init__(self, site: str) -> None:
        self.lease = Path(f"/run/phpops/lease/{site}.json")
        self.lock = Path(f"/run/phpops/.{site}.lock")
        # The lease of a run that crashed before is not the one that is waited for.
        self.old = self.record().get("deploy_id")

    def record(self) -> dict[str, object]:
        """Return the lease, {} when there is none."""
        with suppress(OSError, ValueError):
            return json.loads(self.lease.read_text(encoding="utf-8"))
        return {}

    def steps(self) -> list[str] | None:
        """Return the steps of the run that is watched, None when it has no lease."""
        record = self.record()
        return None if record.get("deploy_id") in (None, self.old) else list(record["steps"])

    def holder(self) -> int | None:
        """Return the process that holds the site's lock, from /proc/locks (proc_locks(5)); None when nobody does."""
        try:
            file = self.lock.stat()
        except OSError:
            return None
        # Another container's file may have the same number: of that one the process is 0 here.
        name = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}:{file.st_ino}"
        found = re.search(
            rf"^\d+: FLOCK +ADVISORY +WRITE +([1-9]\d*) +{name} ", Path("/proc/locks").read_text(), re.MULTILINE
        )
        return int(found.group(1)) if found else None

    def wait(self, step: str, deadline: float) -> tuple[list[str], bool]:
        """Return the steps once the step began, and whether the run ended before."""
        seen: list[str] = []
        while time.monotonic() < deadline:
            steps = self.steps()
            if steps is None and seen:
                return seen, True
            seen = steps or seen
            if step in seen:
                return seen, False
            time.sleep(POLL_SECONDS)
        return seen, True

    def kill(self, deadline: float) -> int | None:
        """Kill the module that runs for the site, or the next one when none does; None when no run is left."""
        while time.monotonic() < deadline:
            process = self.holder()
            if process is not None:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
                    return process
            if self.steps() is None:
                return None
            time.sleep(POLL_SECONDS)
        return None


def main() -> int:
    """Watch as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("site")
    parser.add_argument("step")
    parser.add_argument("--after", type=float, default=0.0, help="seconds to let pass once the step was seen")
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--timeout", type=float, default=60.0)
    given = parser.parse_args()
    deadline = time.monotonic() + given.timeout
    watch = Watch(given.site)
    print("watching", flush=True)
    # Before whatever else the two cores have to do.
    with suppress(OSError):
        os.nice(-20)
    steps, gone = watch.wait(given.step, deadline)
    time.sleep(given.after)
    killed = watch.kill(deadline) if given.kill and steps else None
    print(json.dumps({"steps": watch.steps() or steps, "gone": gone, "killed": killed}), flush=True)
    return 0 if steps else 1


if __name__ == "__main__":
    sys.exit(main())
