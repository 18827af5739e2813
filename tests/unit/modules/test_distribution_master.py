# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.modules import distribution_master

FOUND: list[dict[str, Any]] = [{"unit": "php8.2-fpm.service", "active": True, "enabled": True, "used_by": []}]


@pytest.mark.parametrize(("state", "stopped"), [("stopped_if_unused", ["php8.2-fpm.service"]), ("reported", [])])
def test_what_is_not_used_would_be_stopped(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, state: str, stopped: list[str]
) -> None:
    monkeypatch.setattr(distribution_master, "refusal", lambda: None)
    monkeypatch.setattr(distribution_master, "masters", lambda run: FOUND)
    with patch_module_args({"state": state, "_ansible_check_mode": True}), pytest.raises(SystemExit):
        distribution_master.main()
    answer = json.loads(capsys.readouterr().out)
    assert (answer["changed"], answer["stopped"], answer["masters"]) == (bool(stopped), stopped, FOUND)


@pytest.mark.parametrize(("sites", "restored"), [([], ["php8.2-fpm.service"]), (["wiki"], [])])
def test_it_is_restored_when_no_site_is_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, sites: list[str], restored: list[str]
) -> None:
    monkeypatch.setattr(distribution_master, "refusal", lambda: None)
    monkeypatch.setattr(distribution_master, "masters", lambda run: FOUND)
    monkeypatch.setattr(distribution_master, "sites", lambda layout: sites)
    monkeypatch.setattr(distribution_master, "start_again", lambda run, check_mode: ["php8.2-fpm.service"])
    with patch_module_args({"state": "restored"}), pytest.raises(SystemExit):
        distribution_master.main()
    answer = json.loads(capsys.readouterr().out)
    assert (answer["changed"], answer["stopped"], answer["restored"]) == (bool(restored), [], restored)
