# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._core.deploy_steps import DEPLOY_STEPS


def test_the_steps_of_a_deploy_hold_those_of_a_flip_once_and_in_order() -> None:
    assert " ".join(DEPLOY_STEPS) == (
        "lease release retire stage budget check start ready prime workers switch boot verify drain stop prune unlock"
    )
