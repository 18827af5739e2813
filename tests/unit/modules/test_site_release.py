# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.modules import site_release


def run(capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    with patch_module_args(options), pytest.raises(SystemExit):
        site_release.main()
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_the_options_become_a_run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def played(*arguments: Any) -> dict[str, Any]:
        seen.extend(arguments)
        return {"changed": True, "warnings": ["Look out."], "msg": "Done."}

    warned: list[str] = []
    monkeypatch.setattr(site_release, "run", played)
    # Ansible keeps what it warned of for the whole process: the answer shows it to the first test only.
    monkeypatch.setattr(site_release.AnsibleModule, "warn", lambda _module, text, **_more: warned.append(text))
    source = {"kind": "archive", "path": "/x/a.tgz"}
    answer = run(capsys, site="wiki", path="/srv/www/wiki", source=source, _ansible_check_mode=True)
    options, check_mode = seen
    assert (check_mode, options["keep"], options["owner"], options["state"]) == (True, 5, "root", "present")
    rest = {"remote_src": True, "commit": None, "sha256": None, "strip_components": 0, "subdirectory": ""}
    assert options["source"] == {**source, **rest}
    assert (answer["changed"], answer["msg"]) == (True, "Done.")
    assert warned == ["Look out."]


def test_a_failure_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    answer = run(capsys, site="Wiki", path="/srv/www/wiki", _ansible_check_mode=True)
    assert answer["failed"] is True
    assert answer["msg"].startswith("Site name 'Wiki' can't be used")
