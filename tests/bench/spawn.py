# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on the test host: NUMBER sleepers with a shared segment each, or as many php-cgi; ends them when it is ended."""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
import time


def sleeper() -> int:
    """Fork a process that maps and touches a shared segment and 300 private areas, about as many as php-cgi has."""
    pid = os.fork()
    if pid == 0:
        area = mmap.mmap(-1, 8 * 1024 * 1024)
        area[: 64 * 1024] = b"x" * 65536
        # Every second one read-only, or the kernel would merge neighbours into one.
        private = [mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, 1 + 2 * (n % 2)) for n in range(300)]
        while private:
            signal.pause()
    return pid


def php_cgi(number: int) -> int:
    """Start a php-cgi as mod_fcgid would run it, listening on a socket of its own."""
    command = ["php-cgi", "-d", "opcache.memory_consumption=8", "-b", f"/run/bench-{number}.sock"]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid


def main() -> None:
    """Start them, say that they are there, and wait."""
    number, what = int(sys.argv[1]), sys.argv[2]
    pids = [php_cgi(n) if what == "php-cgi" else sleeper() for n in range(number)]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    time.sleep(2)
    with open("/run/bench-ready", "w", encoding="ascii") as ready:  # noqa: PTH123 - runs on the test host
        ready.write(f"{len(pids)} {os.getpid()}")
    try:
        signal.pause()
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
