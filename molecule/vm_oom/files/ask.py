# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks pages of this host in turn until a file appears; prints how often each answered and how often it did not.

python3 ask.py STOP-FILE HOST...
"""

import http.client
import json
import sys
import time
from pathlib import Path

stop, hosts = Path(sys.argv[1]), sys.argv[2:]
counts = {host: {"answered": 0, "failed": 0, "slowest_seconds": 0.0, "errors": []} for host in hosts}
while not stop.exists():
    for host in hosts:
        begun = time.monotonic()
        try:
            connection = http.client.HTTPConnection("127.0.0.1", timeout=30)
            connection.request("GET", "/page.php", headers={"Host": host})
            answer = connection.getresponse()
            problem = "" if answer.status == 200 and b"fcgi" in answer.read() else f"status {answer.status}"
            connection.close()
        except (OSError, http.client.HTTPException) as error:
            problem = repr(error)
        count = counts[host]
        count["failed" if problem else "answered"] += 1
        count["errors"] += [problem] if problem else []
        count["slowest_seconds"] = max(count["slowest_seconds"], round(time.monotonic() - begun, 3))
    time.sleep(0.05)
print(json.dumps(counts))
