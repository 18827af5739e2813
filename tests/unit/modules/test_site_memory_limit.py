# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.module_utils._core.memory_limit import LimitError
from ansible_collections.phpops.webhost.plugins.modules import site_memory_limit

RESULT = {"changed": True, "failed": False, "msg": "", "diff": [], "sites": [], "unknown": [], "summary": []}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs the module and returns what it printed."""
    monkeypatch.setattr(site_memory_limit, "refusal", lambda: None)

    def start(**arguments: Any) -> Any:
        with patch_module_args(arguments), pytest.raises(SystemExit):
            site_memory_limit.main()
        return json.loads(capsys.readouterr().out)

    return start


def test_options_are_handed_on(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(site_memory_limit, "bring", lambda *given: asked.append(given[1:]) or RESULT)
    answer = run(memory_max_bytes=5, sites=[{"name": "wiki", "memory_high_bytes": 4}], _ansible_check_mode=True)
    ((state, everywhere, sites, settings, stop, _layout),) = asked
    assert (state, everywhere, stop) == ("present", {"memory_high_bytes": None, "memory_max_bytes": 5}, True)
    assert sites == [{"name": "wiki", "memory_high_bytes": 4, "memory_max_bytes": None}]
    assert (settings.check_mode, settings.drain_timeout_seconds) == (True, 120.0)
    assert answer["changed"]


def test_what_is_refused_is_said(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_given: Any) -> None:
        raise LimitError("Site a: memory_high_bytes 2 is above memory_max_bytes 1; give it less.")

    monkeypatch.setattr(site_memory_limit, "bring", refuse)
    assert "give it less" in run()["msg"]
    monkeypatch.setattr(site_memory_limit, "refusal", lambda: "This host runs Plan 9.")
    assert run()["msg"] == "This host runs Plan 9."
