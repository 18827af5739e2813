# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.module_utils.testing import patch_module_args
from ansible.playbook.task import Task
from ansible_collections.phpops.webhost.plugins.action.directory_archive import ActionModule
from ansible_collections.phpops.webhost.plugins.modules import directory_archive


def _run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **args: Any) -> Any:
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    task = Task()
    task.args, task.async_val, task.action = args, 0, "phpops.webhost.directory_archive"
    shell = SimpleNamespace(tmpdir=None)
    connection = SimpleNamespace(_shell=shell)
    play: Any = SimpleNamespace(check_mode=False)
    return ActionModule(task, connection, play, None, None, None).run(task_vars={})


def test_the_folder_is_packed_on_the_controller(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.php").write_text("<?php")
    (tmp_path / "code" / "b.log").touch()
    result = _run(monkeypatch, tmp_path, path=f"{tmp_path}/code", exclude=["*.log"])
    assert (result["changed"], result["files"], result["bytes"], len(result["sha256"])) == (False, 1, 5, 64)
    assert Path(result["path"]).is_relative_to(tmp_path)
    with tarfile.open(result["path"]) as tar:
        assert tar.getnames() == ["a.php"]


def test_a_folder_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(AnsibleActionFail, match="is no folder on the controller"):
        _run(monkeypatch, tmp_path, path=f"{tmp_path}/none")


def test_the_module_itself_says_that_it_is_for_the_controller(capsys: pytest.CaptureFixture[str]) -> None:
    with patch_module_args({"path": "/"}), pytest.raises(SystemExit):
        directory_archive.main()
    assert "runs on the controller only" in json.loads(capsys.readouterr().out)["msg"]
