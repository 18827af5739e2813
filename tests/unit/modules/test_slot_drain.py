# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any, Callable

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.modules import slot_drain


@pytest.fixture
def calls(noted: Callable[..., list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    """What the module asks the host for."""
    return noted(slot_drain.slot_drain, "drain")


def run(capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    with patch_module_args(options), pytest.raises(SystemExit):
        slot_drain.main()
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_the_options_become_a_call(
    capsys: pytest.CaptureFixture[str], calls: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot_drain, "refusal", lambda: None)
    run(
        capsys,
        site="wiki",
        deploy_id="d1",
        timeout_seconds=9,
        kill_stuck=True,
        keep_warm_seconds=300,
        slice_seconds=3,
        carry={"seconds": 3.1},
    )
    ((*told, _run, settings),) = calls
    assert told == ["drain", "wiki", "d1", 300.0, 3.0, {"seconds": 3.1}]
    assert (settings.drain_timeout_seconds, settings.kill_stuck) == (9.0, True)


def test_another_system_is_refused(
    capsys: pytest.CaptureFixture[str], calls: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot_drain, "refusal", lambda: "This host runs Plan 9.")
    assert run(capsys, site="wiki")["msg"] == "This host runs Plan 9." and not calls
