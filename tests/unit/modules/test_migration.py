# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules' own lines: what they hand over, and how they fail."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.filter.migration_state import FilterModule
from ansible_collections.phpops.webhost.plugins.modules import migration_plan_info, site_handlers


def run(module, arguments, capsys):
    """Return what a module printed."""
    with patch_module_args(arguments), pytest.raises(SystemExit):
        module.main()
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def supported(monkeypatch):
    """Let both modules take this host for a supported one."""
    monkeypatch.setattr(migration_plan_info, "refusal", lambda: None)
    monkeypatch.setattr(site_handlers, "refusal", lambda: None)


@pytest.mark.parametrize(("module", "arguments"), [(migration_plan_info, {"php_sites": {}}), (site_handlers, {})])
def test_another_system_is_refused(module, arguments, capsys, monkeypatch):
    monkeypatch.setattr(module, "refusal", lambda: "This host runs Plan 9.")
    assert run(module, arguments, capsys)["msg"] == "This host runs Plan 9."


def test_facts_that_are_not_there_are_an_error(capsys, supported):
    answer = run(migration_plan_info, {"php_sites": {"available": False, "reason": "No Apache."}}, capsys)
    assert answer["msg"] == "The facts of the PHP sites are not there: No Apache."


def test_a_host_without_sites_has_an_empty_plan(capsys, supported, monkeypatch):
    from ansible_collections.phpops.webhost.plugins.module_utils._host import migration_sources

    monkeypatch.setattr(migration_sources, "read_text", lambda _path: 'ID=debian\nVERSION_ID="12"\n')
    answer = run(migration_plan_info, {"php_sites": {"available": True, "sites": []}}, capsys)
    assert (answer["sites"], answer["specs"], answer["handlers"], answer["refused"]) == ([], [], [], [])


def test_a_bad_url_is_an_error(capsys, supported):
    answer = run(site_handlers, {"urls": [{"url": "/x"}]}, capsys)
    assert answer["msg"] == "The URL '/x' can't be used: write it with http:// or https:// and a host."


def test_the_names_and_times_are_handed_over(capsys, supported, monkeypatch):
    seen = {}

    def apply(state, sites, urls, apache, settings, check_mode):
        seen.update(
            state=state, sites=sites, root=apache.config_root, idle=settings.idle_timeout_seconds, check=check_mode
        )
        return {"changed": False, "sites": [], "leaving": [], "reload": {"warnings": ["W."]}, "diff": []}

    monkeypatch.setattr(site_handlers, "apply", apply)
    arguments = {
        "state": "absent",
        "names": ["a"],
        "idle_timeout_seconds": 3,
        "config_root": "/x",
        "_ansible_check_mode": True,
    }
    answer = run(site_handlers, arguments, capsys)
    assert seen == {"state": "absent", "sites": [{"site": "a"}], "root": "/x", "idle": 3.0, "check": True}
    assert answer["reload"]["warnings"] == ["W."]


def test_the_filter_wants_a_plan():
    from ansible.errors import AnsibleFilterError

    migration_state = FilterModule().filters()["migration_state"]
    plan = {"handlers": [], "sites": [], "specs": []}
    assert migration_state(plan)["report"] == []
    with pytest.raises(AnsibleFilterError, match="register it first"):
        migration_state({})
