# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures how long the page of a large fleet takes, from the JSON files of its hosts to the HTML file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

HOSTS, BOUND_SECONDS = 500, 10.0
ROUNDS = 3
# A process of its own, as the module's action is: Python, Ansible's imports and the templates are in its time.
_RENDER = """
import sys
from pathlib import Path
from ansible_collections.phpops.webhost.plugins.plugin_utils.report_files import write_page
write_page(Path(sys.argv[1]), before=Path(sys.argv[2]))
"""


def run(folder: Path) -> bool:
    """Print the arm's table and return whether the bound is kept."""
    sys.path.insert(0, os.environ["PHPOPS_TREE"])
    from ansible_collections.phpops.webhost.plugins.plugin_utils.report_files import write_record
    from ansible_collections.phpops.webhost.tests.unit.report import fleet

    now, before = folder / "now", folder / "before"
    for record in fleet.large(HOSTS):
        write_record(now, record)
        write_record(before, record)
    took = []
    for _round in range(ROUNDS):
        started = time.monotonic()
        environment = {**os.environ, "PYTHONPATH": os.environ["PHPOPS_TREE"]}
        command = [sys.executable, "-c", _RENDER, str(now), str(before)]
        subprocess.run(command, env=environment, check=True, timeout=300)
        took.append(time.monotonic() - started)
    read = sum(path.stat().st_size for path in folder.glob("*/hosts/*.json"))
    written = (now / "report.html").stat().st_size
    kept = median(took) < BOUND_SECONDS
    print(f"page of {HOSTS} hosts, before and after: {read / 2**20:.1f} MiB of JSON, {written / 2**20:.1f} MiB of HTML")
    print(f"  median {median(took):.2f} s of {ROUNDS}, bound {BOUND_SECONDS:.0f} s: {'kept' if kept else 'NOT KEPT'}")
    return kept
