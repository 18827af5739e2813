# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any, Callable

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.modules import slot_prepare


@pytest.fixture
def calls(noted: Callable[..., list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    """What the module asks the host for."""
    return noted(slot_prepare.slot_phases, "prepare", "discard")


def run(capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    with patch_module_args(options), pytest.raises(SystemExit):
        slot_prepare.main()
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_the_options_become_a_call(
    capsys: pytest.CaptureFixture[str], calls: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot_prepare, "refusal", lambda version: None)
    site = {"name": "wiki", "opcache": {"opcache.memory_consumption": 64}}
    release = {"id": "r1", "path": "/srv/r1"}
    run(
        capsys, site=site, release=release, mode="classic", web_server="nginx", deploy_id="d1", _ansible_check_mode=True
    )
    ((name, given, asked, action, deploy_id, _run, settings),) = calls
    assert (name, given["opcache"], action, deploy_id) == (
        "prepare",
        {"opcache.memory_consumption": "64"},
        "deploy",
        "d1",
    )
    assert asked == {"id": "r1", "path": "/srv/r1", "public": ""}
    assert (settings.classic, settings.web_server, settings.force, settings.check_mode) == (True, "nginx", False, True)


def test_a_roll_always_gives_a_new_master(
    capsys: pytest.CaptureFixture[str], calls: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot_prepare, "refusal", lambda version: None)
    run(capsys, site={"name": "wiki"}, action="roll")
    assert calls[0][-1].force is True


def test_discarded_is_another_call(
    capsys: pytest.CaptureFixture[str], calls: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot_prepare, "refusal", lambda version: None)
    run(capsys, site={"name": "wiki"}, state="discarded", deploy_id="d1")
    assert calls[0][:3] == ("discard", "wiki", "d1")


def test_a_version_of_php_that_is_not_supported_is_refused(
    capsys: pytest.CaptureFixture[str], calls: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot_prepare, "refusal", lambda version: f"PHP {version} is none of 8.2, 8.4.")
    answer = run(capsys, site={"name": "wiki", "php_version": "8.3"})
    assert (answer["failed"], answer["msg"], calls) == (True, "PHP 8.3 is none of 8.2, 8.4.", [])
