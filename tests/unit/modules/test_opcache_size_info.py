# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.modules import opcache_size_info as module


def run(capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    with patch_module_args(options), pytest.raises(SystemExit):
        module.main()
    return json.loads(capsys.readouterr().out)


def test_a_given_size(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "index.php").write_text("<?php echo 1;")
    site = {"name": "wiki", "paths": [str(tmp_path)], "php_version": "8.2", "memory_consumption": 48, "size": "given"}
    found = run(capsys, sites=[site])
    assert (found["changed"], found["msg"]) == (False, "")
    assert found["slots"][0]["opcache"]["opcache.memory_consumption"] == "48"
    documented = yaml.safe_load(module.RETURN)
    assert set(found) - {"changed", "invocation"} == set(documented)


def test_a_site_that_is_not_there_is_one_clear_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    found = run(capsys, sites=[{"name": "nosuchsite"}])
    assert found["failed"]
    assert found["msg"] == ("Site nosuchsite has no slot on this host and no paths: name the folders of its code.")
