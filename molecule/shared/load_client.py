# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load client of tests/load on a test host, around what a test does there."""

from __future__ import annotations

import itertools
import json
import os
import threading

NUMBERS = itertools.count()


class LoadClient:
    """Runs from the start of a with-block to its end; then ``result`` is what the client counted."""

    def __init__(self, host, options):
        """Take the client's own options, without their dashes."""
        self.host, self.result = host, {}
        self.name = f"/srv/load-{os.getpid()}-{next(NUMBERS)}"
        whole = {**options, "until": f"{self.name}.stop", "progress": f"{self.name}.count"}
        self.command = "python3 /srv/client.py " + " ".join(f"--{name} '{value}'" for name, value in whole.items())
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        self.result = json.loads(self.host.run_expect([0, 1], self.command).stdout)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_error):
        self.host.run_expect([0], f"touch {self.name}.stop")
        self.thread.join()

    def wait_for(self, answers, seconds=30):
        """Wait so long at the most until so many more requests were answered."""
        count = f"$(cat {self.name}.count 2>/dev/null || echo 0)"
        look = f"test {count} -ge $((begun + {answers})) && exit 0; sleep 0.05"
        self.host.run_expect([0], f"begun={count}; for turn in $(seq {seconds * 20}); do {look}; done; exit 1")
