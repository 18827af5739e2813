# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a reboot every site is back, on PHP-FPM."""

from __future__ import annotations

import subprocess
import time


def test_a_reboot_brings_everything_back(host, moved):
    subprocess.run(
        ["podman", "restart", "--time", "30", host.backend.get_hostname()], check=True, capture_output=True, timeout=120
    )
    deadline = time.monotonic() + 60
    while True:
        asked = ["podman", "exec", moved.name, "systemctl", "is-system-running"]
        state = subprocess.run(asked, check=False, capture_output=True, text=True, timeout=30).stdout.strip()
        if state in ("running", "degraded") or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    assert state == "running"
    for page in ("wiki", "docs"):
        assert moved.curl(moved.pages[page])[0] == 200
    assert moved.app("")["sapi"] == "fpm-fcgi"
    assert moved.php_cgi() == []
