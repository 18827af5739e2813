# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.modules import beancounters_facts

SAMPLES = Path(__file__).resolve().parents[2] / "fixtures" / "samples" / "beancounters"
REPORTED = str(SAMPLES / "16-geofftech-shmpages12-numproc96.txt")


def run(capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    with patch_module_args(options), pytest.raises(SystemExit):
        beancounters_facts.main()
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_the_facts_of_a_dump(capsys: pytest.CaptureFixture[str]) -> None:
    answer = run(capsys, path=REPORTED, page_size=4096)
    found = answer["ansible_facts"]["phpops_beancounters"]
    assert (answer["changed"], found["available"], found["version"], found["page_size"]) == (False, True, "2.5", 4096)
    container = found["containers"]["27692"]
    assert container["resources"]["shmpages"] == {
        "held": 19457,
        "maxheld": 19473,
        "barrier": 21504,
        "limit": 21504,
        "failcnt": 12,
        "failcnt_delta": None,
        "reset": False,
        "unit": "pages",
        "held_bytes": 19457 * 4096,
        "maxheld_bytes": 19473 * 4096,
        "barrier_bytes": 21504 * 4096,
        "limit_bytes": 21504 * 4096,
        "ceiling": "limit",
        "used_ratio": 0.9048,
    }
    assert [item["resource"] for item in container["at_risk"]] == ["numproc", "shmpages"]


def test_another_page_size_and_mark(capsys: pytest.CaptureFixture[str]) -> None:
    found = run(capsys, path=REPORTED, page_size=16384, near_limit=0.2)["ansible_facts"]["phpops_beancounters"]
    container = found["containers"]["27692"]
    assert container["resources"]["shmpages"]["held_bytes"] == 19457 * 16384
    assert [item["resource"] for item in container["at_risk"]] == ["numproc", "shmpages", "privvmpages"]


def test_a_host_without_beancounters_does_not_fail(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    answer = run(capsys, path=str(tmp_path / "none"))
    assert "failed" not in answer
    assert answer["ansible_facts"]["phpops_beancounters"]["reason"].startswith("There is no file")


def test_check_mode_writes_no_state(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    assert run(capsys, path=REPORTED, state_path=str(state), _ansible_check_mode=True)["changed"] is False
    assert not state.exists()
    assert run(capsys, path=REPORTED, state_path=str(state))["changed"] is False
    assert state.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"near_limit": 90}, "near_limit is 90.0: give a share greater than 0 and at most 1, such as 0.9."),
        ({"near_limit": 0}, "near_limit is 0.0: give a share"),
        ({"page_size": 4}, "page_size is 4: give the bytes of one page, such as 4096."),
        ({"page_size": 2**40}, "page_size is 1099511627776: give the bytes of one page"),
    ],
)
def test_a_wrong_option_is_named(capsys: pytest.CaptureFixture[str], options: dict[str, Any], message: str) -> None:
    assert run(capsys, path=REPORTED, **options)["msg"].startswith(message)
