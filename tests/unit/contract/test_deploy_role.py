# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tasks of the role deploy take for granted of each other."""

from __future__ import annotations

import re
from typing import Any, Iterator

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.phpops.webhost.tests.unit.contract.tree import ROOT, load

TASKS = ROOT / "roles" / "deploy" / "tasks"
VARIABLES = load(ROOT / "roles" / "deploy" / "vars" / "main.yml")


def tasks(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield all tasks of a list, those of its blocks too."""
    for task in found:
        yield task
        for part in ("block", "rescue", "always"):
            yield from tasks(task.get(part, []))


def task_of(file: str, module: str) -> dict[str, Any]:
    """Return the one task of a file that calls a module."""
    (task,) = [task for task in tasks(load(TASKS / f"{file}.yml")) if module in task]
    return task


def conditions(task: dict[str, Any]) -> list[str]:
    found = task.get("when", [])
    return found if isinstance(found, list) else [found]


def test_nothing_that_an_earlier_deploy_of_the_play_said_is_left() -> None:
    registered = set()
    for path in TASKS.glob("*.yml"):
        registered |= set(re.findall(r"^ +register: (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    (sheet,) = [task for task in load(TASKS / "validate.yml") if task["name"].endswith("clean sheet")]
    assert registered - set(sheet["ansible.builtin.set_fact"]) == set()


@pytest.mark.parametrize(
    ("release", "live", "warm"),
    [({"id": "r2"}, "r1", 300), ({"id": "r1"}, "r1", 0), ({"id": "r1"}, None, 300), (None, None, 0)],
)
def test_an_old_slot_of_the_same_code_is_not_kept_warm(
    release: dict[str, str] | None, live: str | None, warm: int
) -> None:
    """A roll of a site without releases has none either."""
    known = {"__deploy_prepare": {"release": release, "live_release": live}, "deploy_keep_warm": 300}
    templar = Templar(DataLoader(), variables=known)
    assert templar.template(trust_as_template(VARIABLES["__deploy_warm_seconds"])) == warm


def test_the_folder_of_a_site_without_releases_is_left_alone() -> None:
    """It may be the site's own, which site_release refuses."""
    pruning = task_of("drain", "phpops.webhost.site_release")
    assert conditions(pruning) == ["__deploy_prepare.release is not none"]


@pytest.mark.parametrize("file", ["before", "drain", "settle", "stop", "switch"])
def test_no_hook_that_fails_ends_the_play_of_its_host(file: str) -> None:
    """Until the last task the barrier alone decides, and the lease is still to be given back.

    The files that ready includes have none of this: it catches what fails in them.
    """
    assert all("rescue" in task for task in load(TASKS / f"{file}.yml") if "hook.yml" in str(task))


def test_a_host_that_did_not_stop_lets_other_runs_in() -> None:
    assert "not __deploy_stopped" in conditions(task_of("finish", "phpops.webhost.site_lease"))


def test_a_dry_run_fetches_no_archive() -> None:
    """get_url fails in check mode as long as there is no folder to fetch to."""
    assert "not ansible_check_mode" in conditions(task_of("source_url", "ansible.builtin.get_url"))


def test_what_fails_while_a_deploy_is_undone_is_no_failure_of_its_hook() -> None:
    first = load(TASKS / "stop.yml")[0]
    assert first["ansible.builtin.set_fact"]["__deploy_hook"] == ""


def test_old_assets_are_those_of_the_releases_that_are_kept() -> None:
    kept = {
        task_of(file, "phpops.webhost.site_release")["phpops.webhost.site_release"]["keep"]
        for file in ("release", "drain")
    }
    assert kept == {"{{ deploy_releases_keep }}"}


def test_a_hook_for_the_end_of_the_drain_waits_for_it() -> None:
    (hook,) = [task for task in tasks(load(TASKS / "drain.yml")) if task["name"].endswith("hook after the drain")]
    assert "__deploy_drain.finished" in conditions(hook)
