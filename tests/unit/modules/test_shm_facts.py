# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.modules import shm_facts


def run(capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    with patch_module_args(options), pytest.raises(SystemExit):
        shm_facts.main()
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_the_facts_of_this_host_have_the_documented_keys(capsys: pytest.CaptureFixture[str]) -> None:
    answer = run(capsys, top=3, _ansible_check_mode=True)
    facts = answer["ansible_facts"]["phpops_shm"]
    documented = yaml.safe_load(shm_facts.RETURN)["ansible_facts"]["contains"]["phpops_shm"]["contains"]
    assert (answer["changed"], facts["available"]) == (False, True)
    assert set(facts) == set(documented)
    assert set(facts["groups"][0]) == set(documented["groups"]["contains"])
    assert len(facts["segments"]) <= 3


def test_a_folder_that_is_no_proc_does_not_fail(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    answer = run(capsys, proc_path=str(tmp_path))
    assert "failed" not in answer
    assert answer["ansible_facts"]["phpops_shm"]["available"] is False
