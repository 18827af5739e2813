# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's own lines: what it hands over, and how it fails."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.module_utils._host.site_handlers import HandlersError
from ansible_collections.phpops.webhost.plugins.modules import site_handlers


@pytest.fixture
def run(capsys, monkeypatch):
    """Return a function that runs the module on a supported host and returns what it printed."""
    monkeypatch.setattr(site_handlers, "refusal", lambda: None)

    def start(arguments):
        with patch_module_args(arguments), pytest.raises(SystemExit):
            site_handlers.main()
        return json.loads(capsys.readouterr().out)

    return start


def test_another_system_is_refused(run, monkeypatch):
    monkeypatch.setattr(site_handlers, "refusal", lambda: "This host runs Plan 9.")
    assert run({})["msg"] == "This host runs Plan 9."


def test_a_bad_url_is_an_error(run):
    answer = run({"urls": [{"url": "/x"}]})
    assert answer["msg"] == "The URL '/x' can't be used: write it with http:// or https:// and a host."


def test_what_could_not_be_done_is_an_error(run, monkeypatch):
    def apply(*_arguments):
        raise HandlersError("Nothing was changed.")

    monkeypatch.setattr(site_handlers, "apply", apply)
    assert run({})["msg"] == "Nothing was changed."


def test_the_names_and_times_are_handed_over(run, monkeypatch):
    seen = {}

    def apply(state, sites, urls, apache, settings, check_mode):
        seen.update(state=state, sites=sites, root=apache.config_root, idle=settings.idle_timeout_seconds)
        seen["check"] = check_mode
        return {"changed": False, "sites": [], "leaving": [], "reload": {"warnings": ["W."]}, "diff": []}

    monkeypatch.setattr(site_handlers, "apply", apply)
    arguments = {"state": "absent", "names": ["a"], "idle_timeout_seconds": 3, "config_root": "/x"}
    answer = run({**arguments, "_ansible_check_mode": True})
    assert seen == {"state": "absent", "sites": [{"site": "a"}], "root": "/x", "idle": 3.0, "check": True}
    assert answer["reload"]["warnings"] == ["W."]
