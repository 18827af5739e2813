# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.module_utils._host.host_timer import Placed
from ansible_collections.phpops.webhost.plugins.modules import worker_recycle

EFFECT = {"timer": "t.timer", "active": True, "enabled": True, "last_result": "success", "last_run": "today"}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs the module and returns (what it printed, what it asked for)."""
    asked: list[Any] = []

    def change(_run: Any, timer: Any, files: dict[str, str], check_mode: bool) -> Placed:
        asked.append((timer, files, check_mode))
        return Placed(True, [{"before": "", "after": "x"}], EFFECT)

    monkeypatch.setattr(worker_recycle, "refusal", lambda: None)
    monkeypatch.setattr(worker_recycle, "present", change)

    def start(**arguments: Any) -> Any:
        with patch_module_args(arguments), pytest.raises(SystemExit):
            worker_recycle.main()
        return json.loads(capsys.readouterr().out), asked

    return start


def test_options_become_settings_and_a_timer(run: Any) -> None:
    answer, asked = run(sites=[{"name": "wiki", "threshold_bytes": 5}], interval_seconds=30, _ansible_check_mode=True)
    ((timer, files, check_mode),) = asked
    assert (timer.interval_seconds, check_mode) == (30, True)
    stored = json.loads(files["/etc/phpops/worker-recycle.json"])
    assert (stored["threshold_bytes"], stored["share"], stored["sites"]) == (268435456, 0.25, {"wiki": 5})
    assert stored["ansible_managed"] == "phpops.webhost, role worker_recycle"
    assert (answer["changed"], answer["effect"]) == (True, EFFECT)
    assert answer["summary"] == ["t.timer is active and enabled; its last run, today, ended with success."]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"share": 2}, "share is 2.0; give a number from 0 to 1"),
        ({"threshold_bytes": -1}, "threshold_bytes is -1"),
        ({"interval_seconds": 4}, "interval_seconds is 4; give at least 5"),
        ({"sites": [{"name": "a", "threshold_bytes": 1}] * 2}, "sites names a twice"),
        ({"sites": [{"name": "a", "threshold_bytes": 0}]}, "sites.a is 0"),
    ],
)
def test_options_that_can_not_be_used_are_refused(run: Any, arguments: dict[str, Any], said: str) -> None:
    answer, asked = run(**arguments)
    assert said in answer["msg"]
    assert asked == []


def test_another_system_is_refused(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_recycle, "refusal", lambda: "This host runs Plan 9.")
    assert run()[0]["msg"] == "This host runs Plan 9."
