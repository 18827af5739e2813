# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.modules import site_slot


def run(capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    with patch_module_args(options), pytest.raises(SystemExit):
        site_slot.main()
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_another_system_is_refused_before_anything(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_slot, "refusal", lambda: "This host runs Plan 9.")
    monkeypatch.setattr(site_slot, "apply_sites", lambda *_arguments: pytest.fail("something was done"))
    answer = run(capsys, sites=[{"name": "wiki"}])
    assert (answer["failed"], answer["msg"]) == (True, "This host runs Plan 9.")


def test_the_options_become_a_run_on_each_site(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def apply_sites(*arguments: Any) -> dict[str, Any]:
        seen.extend(arguments)
        return {"sites": [], "changed": False, "failed": False, "diff": [], "msg": ""}

    monkeypatch.setattr(site_slot, "refusal", lambda: None)
    monkeypatch.setattr(site_slot, "apply_sites", apply_sites)
    site = {"name": "wiki", "opcache": {"opcache.memory_consumption": 64, "opcache.enable": True}, "umask": "027"}
    run(capsys, sites=[site], kill_stuck=True, on_error="continue", _ansible_check_mode=True)
    sites, state, _run, settings, stop_on_error = seen
    assert sites[0]["opcache"] == {"opcache.memory_consumption": "64", "opcache.enable": "1"}
    assert sites[0]["user"] is None
    assert (state, settings.kill_stuck, settings.check_mode, stop_on_error) == ("present", True, True, False)


def test_a_name_that_can_not_be_used_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_slot, "refusal", lambda: None)
    answer = run(capsys, sites=[{"name": "Wiki"}], _ansible_check_mode=True)
    assert answer["failed"] and "Site name 'Wiki' can't be used" in answer["msg"]
