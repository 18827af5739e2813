# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.modules import oom_facts

SAMPLES = Path(__file__).resolve().parents[2] / "fixtures" / "samples" / "oom"


def run(capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    """Run the module's main() and return what it prints."""
    with patch_module_args(options), pytest.raises(SystemExit):
        oom_facts.main()
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def documented(contains: dict[str, Any]) -> dict[str, Any]:
    """Return the documented keys, nested; a leaf is {}."""
    return {key: documented(value.get("contains", {})) for key, value in contains.items()}


def keys(value: Any, shape: dict[str, Any]) -> None:
    """Compare the keys of a value with those that are documented."""
    for item in value if isinstance(value, list) else [value]:
        if shape and item is not None:
            assert set(item) == set(shape)
            for key, below in shape.items():
                keys(item[key], below)


@pytest.mark.parametrize("check", [False, True])
def test_a_file_gives_the_documented_facts(capsys: pytest.CaptureFixture[str], check: bool) -> None:
    path = SAMPLES / "07-rhel6-phpfpm-storm-2incidents.txt"
    answer = run(capsys, path=str(path), _ansible_check_mode=check)
    assert answer["changed"] is False
    facts = answer["ansible_facts"]["phpops_oom"]
    assert (facts["available"], facts["reason"], len(facts["events"])) == (True, None, 2)
    shape = documented(yaml.safe_load(oom_facts.RETURN)["ansible_facts"]["contains"])["phpops_oom"]
    by_command = shape["events"].pop("by_command")
    for event in facts["events"]:
        for total in event.pop("by_command").values():
            assert set(total) == set(by_command)
    keys(facts, shape)


def test_a_file_that_is_not_there_does_not_fail(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    answer = run(capsys, path=str(tmp_path / "none"), source="file")
    assert "failed" not in answer
    assert answer["ansible_facts"]["phpops_oom"]["reason"] == f"There is no file {tmp_path / 'none'} on this host."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "/x", "source": "journal"}, "path is /x and source is journal: leave one of them out."),
        ({"path": "/x", "since": "soon"}, "since is 'soon': give a time such as 2025-08-12, 2025-08-12 03:54, "),
    ],
)
def test_a_wrong_option_is_named(capsys: pytest.CaptureFixture[str], options: dict[str, Any], message: str) -> None:
    assert run(capsys, **options)["msg"].startswith(message)
