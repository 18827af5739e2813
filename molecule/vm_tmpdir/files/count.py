# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a URL of this host until 150,000 temporary files were made and removed; tells how long it took as JSON."""

from __future__ import annotations

import json
import sys
import time
import urllib.request

FILES, EACH = 150_000, 15_000


def main(url: str, host: str) -> None:
    """Print {seconds, folders}."""
    started, folders = time.monotonic(), set()
    for _turn in range(FILES // EACH):
        request = urllib.request.Request(f"{url}?n={EACH}", headers={"Host": host})
        with urllib.request.urlopen(request, timeout=300) as answer:
            folders.add(answer.read().decode())
    seconds = round(time.monotonic() - started, 1)
    print(json.dumps({"seconds": seconds, "folders": sorted(folders)}))


main(*sys.argv[1:])
