# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The power fails while the playbook changes what an earlier run set, and while it takes it away."""

from __future__ import annotations

from resets import RESETS, reset_round
from tuned import tune


def test_resets_in_the_middle_leave_a_host_that_boots_and_serves(host):
    variables = {}
    # The first one was in test_first_run.py.
    for turn in range(1, RESETS):
        variables = reset_round(host, turn)
    changed, _lines = tune(host, "--check", **variables)
    assert changed == 0
