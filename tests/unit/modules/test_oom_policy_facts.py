# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.modules import oom_policy_facts
from ansible_collections.phpops.webhost.tests.unit._host.played_systemd import PlayedSystemd


def run(capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    with patch_module_args(options), pytest.raises(SystemExit):
        oom_policy_facts.main()
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_the_facts_have_their_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    systemd = PlayedSystemd(tmp_path, nginx="[Service]\n")
    monkeypatch.setattr(oom_policy_facts, "runner", lambda _run_command: systemd.run)
    monkeypatch.setattr(oom_policy_facts, "Paths", lambda: systemd.paths)
    found = run(capsys)["ansible_facts"]["phpops_oom_policy"]
    assert [(unit["unit"], unit["oom_policy"]) for unit in found["units"]] == [("nginx.service", "stop")]
    assert "no service" in run(capsys, units=["a.timer"])["msg"]
