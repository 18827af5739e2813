# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's own lines: what it hands over, and how it fails."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.module_utils._host import migration_sources
from ansible_collections.phpops.webhost.plugins.modules import migration_plan_info


@pytest.fixture
def run(capsys, monkeypatch):
    """Return a function that runs the module on a supported host and returns what it printed."""
    monkeypatch.setattr(migration_plan_info, "refusal", lambda: None)
    monkeypatch.setattr(migration_sources, "read_text", lambda _path: 'ID=debian\nVERSION_ID="12"\n')

    def start(arguments):
        with patch_module_args(arguments), pytest.raises(SystemExit):
            migration_plan_info.main()
        return json.loads(capsys.readouterr().out)

    return start


def test_another_system_is_refused(run, monkeypatch):
    monkeypatch.setattr(migration_plan_info, "refusal", lambda: "This host runs Plan 9.")
    answer = run({"php_sites": {}})
    assert answer["msg"] == "This host runs Plan 9."
    # The task is hidden by no_log, so its failure would be hidden too: the role shows msg.
    assert "failed" not in answer
    assert (answer["changed"], answer["specs"], answer["handlers"], answer["migrated"]) == (False, [], [], [])


def test_facts_that_are_not_there_are_an_error(run):
    answer = run({"php_sites": {"available": False, "reason": "No Apache."}})
    assert answer["msg"] == "The facts of the PHP sites are not there: No Apache."


def test_a_host_without_sites_has_an_empty_plan(run):
    answer = run({"php_sites": {"available": True, "sites": []}})
    assert (answer["sites"], answer["specs"], answer["handlers"], answer["refused"]) == ([], [], [], [])
    assert answer["msg"] == ""


def test_a_site_that_does_not_exist_is_an_error(run):
    answer = run({"php_sites": {"available": True, "sites": []}, "sites": ["x.example"]})
    assert answer["msg"] == "There is no site 'x.example' in this host's Apache; it has: none."


def test_every_answer_has_the_same_keys(run):
    bad = run({"php_sites": {"available": False, "reason": "No Apache."}})
    good = run({"php_sites": {"available": True, "sites": []}})
    assert set(bad) == set(good)
    assert "failed" not in bad
