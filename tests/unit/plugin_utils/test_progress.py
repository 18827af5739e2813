# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.action.opcache_prime import ActionModule
from ansible_collections.phpops.webhost.plugins.plugin_utils import progress

PENDING = [
    {"pending": True, "progress": "wiki: priming 3 s", "carry": {"round": 1}},
    {"pending": True, "progress": "wiki: priming 6 s", "carry": {"round": 2}},
    {"pending": False, "progress": "", "carry": {}, "seconds": 7},
]


class Played(ActionModule):
    """The action with a module that gives one answer after the other."""

    def __init__(self, answers: list[dict[str, Any]], args: dict[str, Any], **task: Any) -> None:
        values = {"action": "phpops.webhost.opcache_prime", "async_val": 0, "no_log": False, "check_mode": False}
        self._task: Any = SimpleNamespace(args=args, **{**values, **task})
        self._play_context: Any = SimpleNamespace(remote_addr="192.0.2.1")
        self._connection: Any = SimpleNamespace(has_native_async=False, _shell=SimpleNamespace(tmpdir=None))
        self.answers, self.calls = list(answers), []

    def _execute_module(self, **call: Any) -> dict[str, Any]:
        self.calls.append({**call["module_args"], "wrap_async": call["wrap_async"], "name": call["module_name"]})
        return self.answers.pop(0)


@pytest.fixture(name="said")
def _said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(progress.ActionBase, "run", lambda self, tmp, variables: {})
    monkeypatch.setattr(progress.ActionBase, "_remove_tmp_path", lambda self, path: None)
    monkeypatch.setattr(progress.display, "display", lambda line, stderr: said.append(line) if stderr else None)
    return said


def test_it_goes_on_where_the_call_before_ended_and_says_so(said: list[str]) -> None:
    action = Played(PENDING, {"site": "wiki"})
    assert action.run(None, {"inventory_hostname": "web1"}) == PENDING[2]
    assert [call.get("carry") for call in action.calls] == [None, {"round": 1}, {"round": 2}]
    assert {call["slice_seconds"] for call in action.calls} == {progress.SLICE_SECONDS}
    assert said == [
        "[web1] wiki: priming begins, waiting for the slot's stored entry points",
        "[web1] wiki: priming 3 s",
        "[web1] wiki: priming 6 s",
    ]


def test_many_entry_points_are_named_shortly(said: list[str]) -> None:
    entries = [{"path": f"/{number}.php"} for number in range(7)] + [{}]
    Played(PENDING[2:], {"socket": "/s", "entry_points": entries}).run(None, {})
    assert said == ["[192.0.2.1] /s: priming begins, waiting for /0.php, /1.php, /2.php, /3.php, /4.php and 3 more"]


@pytest.mark.parametrize("task", [{"no_log": True}, {"check_mode": True}])
def test_nothing_is_said_that_should_not_be(said: list[str], task: dict[str, bool]) -> None:
    Played(PENDING[2:], {"site": "wiki"}, **task).run(None, {})
    assert said == []


def test_no_log_hides_what_is_waited_for(said: list[str]) -> None:
    assert Played(PENDING, {"site": "wiki"}, no_log=True).run(None, {}) == PENDING[2]
    assert said == []


def test_a_failure_ends_it_and_ones_own_slice_is_kept(said: list[str]) -> None:
    action = Played([{"failed": True, "msg": "x", "pending": True}], {"site": "wiki", "slice_seconds": 9})
    assert action.run(None, {})["msg"] == "x"
    assert [call["slice_seconds"] for call in action.calls] == [9]


def test_in_the_background_it_is_one_call(said: list[str]) -> None:
    action = Played([{"started": 1}], {"site": "wiki"}, async_val=60)
    assert action.run(None, {}) == {"started": 1}
    assert action.calls == [{"site": "wiki", "wrap_async": True, "name": "phpops.webhost.opcache_prime"}]
    assert said == []
