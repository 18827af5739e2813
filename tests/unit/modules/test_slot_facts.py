# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.modules import slot_facts


def test_a_host_without_sites_is_no_failure(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    options = {"state_path": str(tmp_path / "none"), "_ansible_check_mode": True}
    with patch_module_args(options), pytest.raises(SystemExit):
        slot_facts.main()
    answer = json.loads(capsys.readouterr().out)
    assert answer["ansible_facts"]["phpops_slot"] == {
        "available": False,
        "reason": f"There is no folder {tmp_path}/none on this host.",
        "sites": [],
    }
