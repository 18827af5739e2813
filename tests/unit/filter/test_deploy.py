# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.phpops.webhost.plugins.filter import (
    deploy_barrier,
    deploy_failure,
    deploy_options,
    deploy_summary,
)


def _filter(module: Any, name: str) -> Any:
    return module.FilterModule().filters()[name]


barrier = _filter(deploy_barrier, "deploy_barrier")
failure = _filter(deploy_failure, "deploy_failure")
options = _filter(deploy_options, "deploy_options")
summary = _filter(deploy_summary, "deploy_summary")


def _said(run: str = "d1", why: str = "", release: str = "r1") -> dict[str, Any]:
    return {"__deploy_run": {"id": run}, "__deploy_failure": why, "__deploy_release": {"release": {"id": release}}}


def test_the_barrier_reads_what_each_host_said() -> None:
    hosts = ["web1", "web2"]
    assert barrier({host: _said() for host in hosts}, hosts, hosts, 0, "d1")["go"] is True
    verdict = barrier({"web1": _said(), "web2": _said(why="it broke")}, hosts, hosts, 0, "d1")
    assert (verdict["go"], verdict["stopped"]["web2"]) == (False, "It broke.")
    assert "different releases" in barrier({"web1": _said(), "web2": _said(release="r2")}, hosts, hosts, 0, "d1")["msg"]


def test_what_a_host_said_in_another_deploy_does_not_count() -> None:
    hosts = ["web1", "web2"]
    assert barrier({"web1": _said(), "web2": _said("d0")}, hosts, hosts, 0, "d1")["go"] is False
    assert barrier({"web1": _said()}, hosts, hosts, 0, "d1")["go"] is False


def test_a_hook_that_is_not_there_is_named(tmp_path: Path) -> None:
    hook = tmp_path / "switch.yml"
    given = {"site": {"name": "wiki"}, "path": "/srv", "action": "roll", "max_fail_percentage": 0}
    assert f"{hook} is not on the controller" in options({**given, "hooks": {"after_switch": str(hook)}})["problems"][0]
    hook.touch()
    assert options({**given, "hooks": {"after_switch": str(hook)}}) == {
        "problems": [],
        "kind": "",
        "site": given["site"],
    }


def test_the_summary_and_the_failure_are_texts() -> None:
    assert summary({"site": "wiki"})[0].startswith("wiki: ")
    assert failure({"msg": "It broke."}, "Migrate", "before_switch").endswith("'Migrate': It broke.")
    assert failure("broke") == "broke."


@pytest.mark.parametrize("found", [None, "text", ["text"]])
def test_something_else_is_an_error(found: Any) -> None:
    for call in (options, summary, lambda given: barrier(given, [], [])):
        with pytest.raises(AnsibleFilterError, match="deploy_"):
            call(found)
