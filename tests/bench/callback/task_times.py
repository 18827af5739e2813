# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes how long each task took on each host, one JSON object a line, to the file that BENCH_TIMES names."""

from __future__ import annotations

DOCUMENTATION = """
name: task_times
type: aggregate
short_description: Times tasks for the benchmark
description: Writes a JSON object a line with task, module, host, seconds, whether it changed something, some results.
"""

import json
import os
import time
from pathlib import Path

from ansible.plugins.callback import CallbackBase

# What a module itself measured.
KEPT = ("seconds", "entry_points", "first_request_seconds")


class CallbackModule(CallbackBase):
    """From the moment a host starts a task until its result is there: what a user waits for."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "task_times"

    def __init__(self):
        super().__init__()
        self.started = {}
        self.path = os.environ.get("BENCH_TIMES")

    def v2_runner_on_start(self, host, task):
        """Note the start."""
        self.started[host.get_name(), task._uuid] = time.monotonic()

    def _write(self, result, failed):
        start = self.started.pop((result._host.get_name(), result._task._uuid), None)
        if start is None or not self.path:
            return
        row = {
            "task": result._task.get_name(),
            "action": result._task.action,
            "host": result._host.get_name(),
            "seconds": time.monotonic() - start,
            "changed": result.is_changed(),
            "failed": failed,
            "returned": {key: result._result[key] for key in KEPT if key in result._result},
        }
        with Path(self.path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def v2_runner_on_ok(self, result):
        """Write a good result."""
        self._write(result, False)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        """Write a failure."""
        self._write(result, not ignore_errors)

    def v2_runner_on_unreachable(self, result):
        """Write a host that is gone."""
        self._write(result, True)
