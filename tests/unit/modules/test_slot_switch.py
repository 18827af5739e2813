# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any, Callable

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.modules import slot_switch


@pytest.fixture
def calls(noted: Callable[..., list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    """What the module asks the host for."""
    return noted(slot_switch.slot_turn, "switch", "back")


def run(capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    with patch_module_args(options), pytest.raises(SystemExit):
        slot_switch.main()
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


@pytest.mark.parametrize(("check", "url"), [(True, "https://127.0.0.1:8443"), (False, None)])
def test_the_options_become_a_call(
    capsys: pytest.CaptureFixture[str],
    calls: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
    check: bool,
    url: str | None,
) -> None:
    monkeypatch.setattr(slot_switch, "refusal", lambda: None)
    entries = [{"path": "/a.php", "headers": {"X-A": 1}}]
    run(capsys, site="wiki", check=check, check_url="https://127.0.0.1:8443", entry_points=entries)
    ((name, site, deploy_id, asked, given, _run, settings),) = calls
    assert (name, site, deploy_id, asked, settings.drain_timeout_seconds) == ("switch", "wiki", None, url, 120.0)
    assert (given[0]["path"], given[0]["status"], given[0]["headers"]) == ("/a.php", 200, {"X-A": "1"})


def test_entry_points_that_are_left_out_are_the_slots_own(
    capsys: pytest.CaptureFixture[str], calls: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot_switch, "refusal", lambda: None)
    run(capsys, site="wiki")
    assert calls[0][4] is None


def test_the_way_back_needs_the_deploy(
    capsys: pytest.CaptureFixture[str], calls: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot_switch, "refusal", lambda: None)
    assert "deploy_id" in run(capsys, site="wiki", state="back")["msg"] and not calls
    run(capsys, site="wiki", state="back", deploy_id="d1")
    assert calls[0][:3] == ("back", "wiki", "d1")
