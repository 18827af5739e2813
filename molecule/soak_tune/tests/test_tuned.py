# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbook says where the diagnosis finds nothing, as on a host that was just tuned."""

from __future__ import annotations

from tuned import DONE, tune


def test_a_diagnosis_that_finds_nothing_is_told(host):
    tune(host)
    changed, lines = tune(host, "--check", tune_roles="auto")
    print("\n".join(lines))
    assert changed == 0
    assert lines[0] == "The diagnosis found nothing that a role of this playbook cures."
    assert lines[1:-1] == [f"{role}: skipped, nothing was found that it cures." for role in DONE if role != "opcache"]
    assert lines[-1] == "opcache: unchanged, measured at each run."
