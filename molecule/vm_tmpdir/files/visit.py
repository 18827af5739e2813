# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a page of this host from four threads until a file is there; tells answers and failures as JSON."""

from __future__ import annotations

import json
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

LIMIT_SECONDS = 300


def main(stop: str, host: str) -> None:
    """Print {answered, failed, longest}: longest is the time in seconds without an answer."""
    answered: list[float] = []
    failed: list[str] = []
    end = time.monotonic() + LIMIT_SECONDS

    def visit() -> None:
        while not Path(stop).exists() and time.monotonic() < end:
            request = urllib.request.Request("http://127.0.0.1/where.php", headers={"Host": host})
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    answer.read()
                answered.append(time.monotonic())
            except (urllib.error.URLError, OSError) as error:
                failed.append(str(error))
                time.sleep(0.05)

    threads = [threading.Thread(target=visit) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = sorted(answered)
    longest = max((later - earlier for earlier, later in zip(times, times[1:])), default=0.0)
    print(json.dumps({"answered": len(answered), "failed": len(failed), "longest": round(longest, 2)}))


main(*sys.argv[1:])
