# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.playbook.task import Task
from ansible_collections.phpops.webhost.plugins.action.host_program import ActionModule
from ansible_collections.phpops.webhost.plugins.plugin_utils.program_archive import pack


def run(monkeypatch: pytest.MonkeyPatch, **args: Any) -> dict[str, Any]:
    """Return what the module was called with."""
    shell = SimpleNamespace(tmpdir=None)
    task = Task()
    task.args, task.async_val, task.action = args, 0, "phpops.webhost.host_program"
    plugin = ActionModule(task, SimpleNamespace(_shell=shell), SimpleNamespace(check_mode=False), None, None, None)
    called: dict[str, Any] = {}

    def call(module_name: str, module_args: dict[str, Any], task_vars: Any) -> dict[str, Any]:
        called.update(module_args)
        return {"changed": True}

    monkeypatch.setattr(plugin, "_execute_module", call)
    assert plugin.run(task_vars={})["changed"]
    return called


def test_the_module_gets_the_packed_program(monkeypatch: pytest.MonkeyPatch) -> None:
    called = run(monkeypatch, program="worker_recycle", path="/x.pyz")
    assert called["path"] == "/x.pyz"
    assert base64.b64decode(called["content"]) == pack("worker_recycle")


def test_what_is_to_go_is_not_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, program="worker_recycle", state="absent") == {
        "program": "worker_recycle",
        "state": "absent",
    }


def test_a_program_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AnsibleError, match="worker_recycle"):
        run(monkeypatch, program="other")
