# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has PHP and then a CGI program make and remove 150,000 temporary files each; tells how long each took."""

from __future__ import annotations

import json
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


# One after the other: two processors that are emulated spend their time on the folder's lock where others want theirs.
for name in PAGES:
    count(name)
print(json.dumps(FOUND))
