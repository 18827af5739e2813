# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release whose source is not on the host: on the controller, or not fetched yet in a dry run."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.tests.unit._host.release_fixture import Host, tar


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def _source(host: Host, content: str = "<?php", **more: Any) -> dict[str, Any]:
    path = tar(host.folder / "app.tgz", ("index.php", content))
    return {"kind": "archive", "path": path, "sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest(), **more}


@pytest.mark.parametrize("check_mode", [False, True])
def test_an_archive_of_the_controller_is_needed_until_it_was_built(host: Host, check_mode: bool) -> None:
    elsewhere = _source(host, remote_src=False)
    asked = host.run(check_mode=check_mode, source=elsewhere)
    assert (asked["needs_archive"], asked["release"], asked.get("failed")) == (True, None, None)
    built = host.run(source={**elsewhere, "remote_src": True})
    Path(elsewhere["path"]).unlink()
    again = host.run(check_mode=check_mode, source=elsewhere)
    assert (again["needs_archive"], again["reused"], again["changed"]) == (False, True, False)
    assert again["release"]["id"] == built["release"]["id"]


def test_an_archive_of_the_controller_is_known_by_its_sum(host: Host) -> None:
    said = host.run(source=_source(host, remote_src=False, sha256=""))
    assert said["failed"] is True
    assert "remote_src" in said["msg"]


def test_a_dry_run_does_not_judge_the_archive_of_an_earlier_deploy(host: Host) -> None:
    old = _source(host)
    built = host.run(source=old)
    new = {**old, "sha256": "a" * 64}
    unknown = host.run(check_mode=True, source=new)
    assert (unknown["changed"], unknown["release"]) == (True, None)
    assert "another one yet" in unknown["msg"]
    assert host.run(source=new)["failed"] is True
    _source(host, "<?php // overwritten")
    known = host.run(check_mode=True, source=old)
    assert (known["changed"], known["release"]["id"]) == (False, built["release"]["id"])


def test_a_dry_run_does_not_know_a_commit_that_was_not_fetched(host: Host) -> None:
    repository = host.folder / "repository"
    subprocess.run(["git", "init", "-q", "--bare", str(repository)], check=True, env={**os.environ, "HOME": "/"})
    source = {"kind": "git", "path": str(repository), "commit": "a" * 40}
    unknown = host.run(check_mode=True, source=source)
    assert (unknown["changed"], unknown["release"]) == (True, None)
    assert "was not fetched to this host yet" in unknown["msg"]
    assert host.run(source=source)["failed"] is True
