# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both hosts are tested at the same time."""

from __future__ import annotations

import re

from xdist.scheduler import LoadScopeScheduling


class HostByHost(LoadScopeScheduling):
    """Give each worker all tests of one host, in their order."""

    def _split_scope(self, nodeid):
        return re.search(r"ansible://([\w-]+debian\d+)", nodeid).group(1)


def pytest_xdist_make_scheduler(config, log):
    return HostByHost(config, log)
