# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.modules import unit_oom_policy
from ansible_collections.phpops.webhost.tests.unit._host.played_systemd import PlayedSystemd


def run(capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    with patch_module_args({"_ansible_check_mode": True, **options}), pytest.raises(SystemExit):
        unit_oom_policy.main()
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> PlayedSystemd:
    systemd = PlayedSystemd(tmp_path, nginx="[Service]\n")
    monkeypatch.setattr(unit_oom_policy, "refusal", lambda: None)
    monkeypatch.setattr(unit_oom_policy, "runner", lambda _run_command: systemd.run)
    monkeypatch.setattr(unit_oom_policy, "Paths", lambda: systemd.paths)
    return systemd


def test_it_says_what_it_would_do(capsys: pytest.CaptureFixture[str], host: PlayedSystemd) -> None:
    answer = run(capsys)
    assert (answer["changed"], answer["msg"], len(answer["units"])) == (True, "", 1)
    assert [item["name"] for item in answer["left_out"]] == ["apache2", "php*-fpm", "phpops-fpm@"]


def test_a_setting_of_somebody_else_is_a_failure_with_all_results(
    capsys: pytest.CaptureFixture[str], host: PlayedSystemd
) -> None:
    host.write("nginx.service.d/99.conf", "[Service]\nOOMPolicy=kill\n")
    host.reload()
    answer = run(capsys)
    assert (answer["failed"], len(answer["units"])) == (True, 1)
    assert "99.conf sets OOMPolicy=kill" in answer["msg"]


@pytest.mark.parametrize(
    ("options", "words"),
    [({"units": ["lighttpd"]}, "none of the units lighttpd"), ({"units": ["a.socket"]}, "'a.socket' is no service")],
)
def test_what_can_not_be_done_is_one_sentence(
    capsys: pytest.CaptureFixture[str], host: PlayedSystemd, options: dict[str, Any], words: str
) -> None:
    answer = run(capsys, **options)
    assert answer["failed"]
    assert words in answer["msg"]


def test_another_system_is_refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_oom_policy, "refusal", lambda: "This host runs Plan 9.")
    assert run(capsys)["msg"] == "This host runs Plan 9."
