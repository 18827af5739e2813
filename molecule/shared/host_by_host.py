# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests the hosts of a scenario at the same time, each by a worker of its own (numprocesses in its molecule.yml)."""

from __future__ import annotations

import re

from xdist.scheduler import LoadScopeScheduling

_HOST = re.compile(r"ansible://([\w-]+debian\d+)")


class HostByHost(LoadScopeScheduling):
    """Give each worker all tests of one host, in their order; the first host's does those that concern several."""

    def _split_scope(self, nodeid):
        hosts = _HOST.findall(nodeid) or _HOST.findall(" ".join(self.collection))
        return min(hosts)
