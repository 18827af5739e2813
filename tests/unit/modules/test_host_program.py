# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.modules import host_program


def run(capsys: pytest.CaptureFixture[str], **arguments: Any) -> Any:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        host_program.main()
    return json.loads(capsys.readouterr().out)


def test_check_mode_says_that_it_would_be_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path, content = str(tmp_path / "x.pyz"), base64.b64encode(b"12345").decode()
    answer = run(capsys, program="x", path=path, content=content, _ansible_check_mode=True, _ansible_diff=True)
    assert (answer["changed"], answer["path"], answer["bytes"]) == (True, path, 5)
    assert answer["diff"]["after"] == "5 bytes that are no packed program\n"
    assert list(tmp_path.iterdir()) == []


def test_without_its_action_it_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    assert "action" in run(capsys, program="x")["msg"]


def test_nothing_is_removed_where_nothing_is(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    answer = run(capsys, program="x", path=str(tmp_path / "x.pyz"), state="absent")
    assert (answer["changed"], answer["bytes"]) == (False, 0)
