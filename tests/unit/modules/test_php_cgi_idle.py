# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.module_utils._host.php_cgi import Process
from ansible_collections.phpops.webhost.plugins.module_utils._host.php_cgi_idle import Idle
from ansible_collections.phpops.webhost.plugins.modules import php_cgi_idle

FOUND = Idle([Process(7, 1, 33, 10), Process(5, 1, 33, 20)], [Process(6, 1, 33, 30)])


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs the module and returns what it printed."""
    monkeypatch.setattr(php_cgi_idle, "refusal", lambda: None)
    monkeypatch.setattr(php_cgi_idle, "look", lambda folder: FOUND)

    def start(arguments: dict[str, Any]) -> Any:
        with patch_module_args(arguments), pytest.raises(SystemExit):
            php_cgi_idle.main()
        return json.loads(capsys.readouterr().out)

    return start


def test_check_mode_names_them_and_ends_none(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(php_cgi_idle, "end_idle", lambda *_arguments: pytest.fail("it ended something"))
    answer = run({"count": 1, "_ansible_check_mode": True})
    assert (answer["changed"], answer["ended"], answer["idle"], answer["busy"]) == (True, [7], 2, 1)
    assert answer["short"] == 0


def test_what_ended_is_told(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(php_cgi_idle, "end_idle", lambda count, _seconds, see: see().idle[:count])
    answer = run({"count": 3})
    assert (answer["changed"], answer["ended"], answer["short"]) == (True, [7, 5], 1)
    assert run({"count": 0})["changed"] is False


def test_another_system_is_refused(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(php_cgi_idle, "refusal", lambda: "This host runs Plan 9.")
    assert run({"count": 1})["msg"] == "This host runs Plan 9."
