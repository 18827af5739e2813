# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action behind diagnose_report: the files that it leaves on the controller."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.playbook.task import Task
from ansible_collections.phpops.webhost.plugins.action.diagnose_report import _OPTIONS, ActionModule
from ansible_collections.phpops.webhost.plugins.modules import diagnose_report
from ansible_collections.phpops.webhost.plugins.plugin_utils.report_files import record_path
from ansible_collections.phpops.webhost.tests.unit.report import fleet


def run(host: str = "web1", check: bool = False, **args: Any) -> dict[str, Any]:
    task = Task()
    task.args, task.async_val, task.action = args, 0, "phpops.webhost.diagnose_report"
    task.check_mode = check
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
    plugin = ActionModule(task, connection, SimpleNamespace(check_mode=check), None, None, None)
    return plugin.run(task_vars={"inventory_hostname": host})


def left(folder: Path, host: str = "web1") -> dict[str, Any]:
    return dict(json.loads(record_path(folder, host).read_text(encoding="utf-8")))


def test_the_documentation_has_the_options_of_the_action() -> None:
    documented = yaml.safe_load(diagnose_report.DOCUMENTATION)["options"]
    for option in documented.values():
        del option["description"]
    assert documented == _OPTIONS


def test_a_record_and_a_page_are_their_owners_alone(tmp_path: Path) -> None:
    facts, verdicts = fleet.fleet()[1]["facts"], fleet.fleet()[1]["verdicts"]
    run(step="begin", output_dir=str(tmp_path))
    assert left(tmp_path)["state"] == "failed"
    done = run(step="record", output_dir=str(tmp_path), facts=facts, verdicts=verdicts)
    assert left(tmp_path)["verdicts"] == verdicts
    assert left(tmp_path)["facts"] == json.loads(json.dumps(facts))
    page = run(step="render", output_dir=str(tmp_path), hosts=["web1", "web2"])["path"]
    assert page == str(tmp_path / "report.html")
    for path in (done["path"], page):
        assert Path(path).stat().st_mode & 0o777 == 0o600
    assert "web2" in Path(page).read_text(encoding="utf-8")


def test_facts_of_an_earlier_run_keep_their_time(tmp_path: Path) -> None:
    run(step="record", output_dir=str(tmp_path), facts={}, time="2026-11-20T08:00:00Z")
    assert left(tmp_path)["time"] == "2026-11-20T08:00:00Z"
    run(step="record", output_dir=str(tmp_path), facts={})
    assert left(tmp_path)["time"] > "2026-11-20T08:00:00Z"


def test_a_host_that_ends_early_does_not_show_its_last_record(tmp_path: Path) -> None:
    run(step="record", output_dir=str(tmp_path), verdicts=[], facts={})
    run(step="begin", output_dir=str(tmp_path))
    text = Path(run(step="render", output_dir=str(tmp_path))["path"]).read_text(encoding="utf-8")
    assert "The run ended before the facts of this host were read." in text


def test_an_unreachable_host_has_its_reason(tmp_path: Path) -> None:
    run(step="record", output_dir=str(tmp_path), state="unreachable", reason="no route")
    assert (left(tmp_path)["state"], left(tmp_path)["reason"]) == ("unreachable", "no route")


def test_the_page_compares_with_an_earlier_folder(tmp_path: Path) -> None:
    for folder, migrated in (("old", False), ("new", True)):
        record = fleet.vps("web1", migrated)
        run(step="record", output_dir=str(tmp_path / folder), facts=record["facts"], verdicts=record["verdicts"])
    page = run(step="render", output_dir=str(tmp_path / "new"), before_dir=str(tmp_path / "old"))["path"]
    assert 'data-key="change-failed">\N{MINUS SIGN}10,067<' in Path(page).read_text(encoding="utf-8")


@pytest.mark.parametrize("host", ["a/../../b", "..", "a b", "é" * 20])
def test_no_name_leaves_the_folder(tmp_path: Path, host: str) -> None:
    path = Path(run(host, step="begin", output_dir=str(tmp_path))["path"])
    assert path.resolve().parent == tmp_path / "hosts"
    assert left(tmp_path, host)["host"] == host


def test_nothing_is_written_in_check_mode(tmp_path: Path) -> None:
    for step in ("begin", "record", "render"):
        assert run(check=True, step=step, output_dir=str(tmp_path / "x"))["changed"] is False
    assert list(tmp_path.iterdir()) == []


def test_a_broken_record_is_listed(tmp_path: Path) -> None:
    record_path(tmp_path, "web1").parent.mkdir()
    record_path(tmp_path, "web1").write_text("{", encoding="utf-8")
    page = run(step="render", output_dir=str(tmp_path), hosts=["web1"])["path"]
    assert "is not JSON" in Path(page).read_text(encoding="utf-8")
    with pytest.raises(AnsibleError, match="remove it or diagnose again"):
        run(step="render", output_dir=str(tmp_path))


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"step": "render"}, "There is no host to report on"),
        ({"step": "begin", "before_dir": "@"}, "is both this run's folder and the earlier one's"),
        ({"step": "begin", "before_dir": "/nonexistent"}, "holds no record of an earlier run"),
        ({"step": "render", "before_dir": "/nonexistent"}, "holds no record of an earlier run"),
        ({"step": "record", "time": "yesterday"}, "time is yesterday: give UTC as 20"),
        ({"step": "no"}, "value of step must be one of"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, args: dict[str, Any], words: str) -> None:
    given = {name: str(tmp_path) if value == "@" else value for name, value in args.items()}
    with pytest.raises(AnsibleError, match=words):
        run(output_dir=str(tmp_path), **given)


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(AnsibleError, match="file"):
        run(step="begin", output_dir=str(tmp_path / "file"))
