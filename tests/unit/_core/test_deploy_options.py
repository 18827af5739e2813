# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.deploy_options import (
    HOOKS,
    files_of,
    kind_of,
    problems,
    site_of,
)

GOOD: dict[str, Any] = {
    "site": {"name": "wiki"},
    "path": "/srv/www/wiki",
    "source": {"archive": "/a.tar"},
    "action": "deploy",
    "mode": "flip",
    "hooks": {},
    "max_fail_percentage": 0,
    "web_server": "none",
    "server_names": [],
    "batch": 3,
    "hosts": 3,
}
SUM = "a" * 64


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"source": {"url": "https://x.example/a.zip", "sha256": SUM.upper(), "headers": {"A": "b"}}},
        {"source": {"git": "git@x.example:a", "version": "v1", "key_file": "/k"}},
        {"source": {"directory": "/src", "exclude": [".git"], "subdirectory": "app"}},
        {"source": {}, "release_id": "abc"},
        {"source": {}, "action": "rollback"},
        {"source": {}, "action": "roll"},
        {"web_server": "nginx", "server_names": ["wiki.example.org"]},
        {"hooks": {name: f"/hooks/{name}.yml" for name in HOOKS if name not in ("leave", "rejoin")}},
        {"mode": "classic", "batch": 1, "hooks": {"leave": "/l.yml", "rejoin": "/r.yml"}},
        {"mode": "classic", "batch": 1, "hosts": 1},
        {"max_fail_percentage": 30.5},
        {"max_fail_percentage": "30"},
    ],
)
def test_what_can_be_used_has_no_problem(more: dict[str, Any]) -> None:
    assert problems({**GOOD, **more}) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"site": {"name": "../x"}}, "deploy_site.name '../x'"),
        ({"site": {}}, "deploy_site.name ''"),
        ({"site": {"name": "wiki", "document_root": "/srv"}}, "has a document_root"),
        ({"path": "srv"}, "deploy_path 'srv'"),
        ({"source": {}}, "deploy_source is empty"),
        ({"source": None}, "deploy_source is empty"),
        ({"source": {"archive": "/a", "git": "b"}}, "names archive and git"),
        ({"source": {"archive": "a.tar"}}, "deploy_source.archive 'a.tar' is relative"),
        ({"source": {"directory": "src"}}, "deploy_source.directory 'src' is relative"),
        ({"source": {"url": "https://x.example/a"}}, "sha256 is missing"),
        ({"source": {"url": "https://x.example/a", "sha256": "abc"}}, "sha256 is missing or no SHA-256"),
        ({"source": {"git": "g"}}, "deploy_source.version is missing"),
        ({"source": {"archive": "/a", "version": "v1"}}, "deploy_source.version goes with git, not with archive"),
        ({"source": {"git": "g", "version": "v", "sha256": SUM}}, "deploy_source.sha256 goes with url or archive"),
        ({"max_fail_percentage": 100}, "deploy_max_fail_percentage 100"),
        ({"max_fail_percentage": "10%"}, "deploy_max_fail_percentage '10%'"),
        ({"max_fail_percentage": "nan"}, "deploy_max_fail_percentage 'nan'"),
        ({"max_fail_percentage": None}, "deploy_max_fail_percentage None"),
        ({"max_fail_percentage": True}, "deploy_max_fail_percentage True"),
        ({"web_server": "apache"}, "deploy_server_names is empty"),
        ({"check_url": "nonsense"}, "The check URL 'nonsense' can't be used"),
        ({"hooks": {"on_switch": "/x.yml"}}, "deploy_hooks.on_switch is no hook"),
        ({"hooks": {"after_switch": "x.yml"}}, "deploy_hooks.after_switch 'x.yml'"),
        ({"hooks": {"after_switch": None}}, "deploy_hooks.after_switch None"),
        ({"hooks": {"leave": "/x.yml"}}, "deploy_hooks.leave goes with deploy_mode classic"),
        ({"mode": "classic"}, "take all 3 hosts out of service at once"),
    ],
)
def test_what_cannot_be_used_is_named(more: dict[str, Any], said: str) -> None:
    found = problems({**GOOD, **more})
    assert len(found) == 1
    assert said in found[0]
    assert found[0].endswith(".")


def test_all_problems_are_told_at_once() -> None:
    assert len(problems({**GOOD, "path": "", "source": {}, "hooks": {"x": "/y"}})) == 3


def test_the_kind_of_a_source_is_the_one_that_is_named() -> None:
    assert kind_of({"directory": "/src", "archive": ""}) == "directory"
    assert kind_of({"directory": "/src", "archive": "/a"}) == ""
    assert kind_of({}) == ""


def test_the_files_of_hooks_are_those_that_are_hooks() -> None:
    assert files_of({"before_switch": "/a.yml", "other": "/b.yml"}) == ["/a.yml"]


@pytest.mark.parametrize(
    ("more", "hosts"),
    [
        ({}, ["wiki.example.org", "old.example.org"]),
        ({"server_names": []}, ["", "old.example.org"]),
        ({"check_url": "https://127.0.0.1:8443"}, ["wiki.example.org", "old.example.org"]),
        ({"check_url": "https://front.example.org"}, ["front.example.org", "old.example.org"]),
        ({"check_url": "nonsense"}, ["wiki.example.org", "old.example.org"]),
    ],
)
def test_an_entry_point_without_host_is_asked_for_by_the_name_that_is_served(more: Any, hosts: list[str]) -> None:
    points = [{"path": "/"}, {"path": "/x", "host": "old.example.org"}]
    site = {"name": "wiki", "user": "wiki", "entry_points": points}
    found = site_of({"site": site, "server_names": ["wiki.example.org", "www.example.org"], **more})
    assert [point.get("host", "") for point in found["entry_points"]] == hosts
    assert {**found, "entry_points": points} == site
    assert points[0] == {"path": "/"}


def test_a_site_without_entry_points_keeps_those_that_it_has() -> None:
    assert site_of({"site": {"name": "wiki"}, "server_names": ["a.example.org"]}) == {"name": "wiki"}
