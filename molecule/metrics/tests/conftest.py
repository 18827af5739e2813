# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both hosts are tested at the same time."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "shared"))

from host_by_host import HostByHost


def pytest_xdist_make_scheduler(config, log):
    return HostByHost(config, log)
