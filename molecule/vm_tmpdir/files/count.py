# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has PHP and a CGI program make and remove 150,000 temporary files each, both at once; tells how long each took."""

from __future__ import annotations

import json
import threading
import time
import urllib.request

FILES, EACH = 150_000, 15_000
HOST = "shop.example.test"
PAGES = {"php": "many.php", "cgi": "cgi-bin/many.py"}
FOUND: dict[str, dict[str, object]] = {}


def count(name: str) -> None:
    """Ask one of them again and again; note {seconds, folders}."""
    started, folders = time.monotonic(), set()
    for _turn in range(FILES // EACH):
        request = urllib.request.Request(f"http://127.0.0.1/{PAGES[name]}?n={EACH}", headers={"Host": HOST})
        with urllib.request.urlopen(request, timeout=300) as answer:
            folders.add(answer.read().decode())
    FOUND[name] = {"seconds": round(time.monotonic() - started, 1), "folders": sorted(folders)}


threads = [threading.Thread(target=count, args=[name]) for name in PAGES]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps(FOUND))
