# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's own lines: what it hands over, and how it fails."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgid_limits import LimitError
from ansible_collections.phpops.webhost.plugins.modules import fcgid_limits


@pytest.fixture
def run(capsys, monkeypatch):
    """Return a function that runs the module on a supported host and returns what it printed."""
    monkeypatch.setattr(fcgid_limits, "refusal", lambda: None)

    def start(arguments):
        with patch_module_args(arguments), pytest.raises(SystemExit):
            fcgid_limits.main()
        return json.loads(capsys.readouterr().out)

    return start


def test_another_system_is_refused(run, monkeypatch):
    monkeypatch.setattr(fcgid_limits, "refusal", lambda: "This host runs Plan 9.")
    assert run({})["msg"] == "This host runs Plan 9."


def test_a_limit_that_does_not_exist_is_an_error(run):
    assert run({"server": {"FcgidX": 1}})["msg"].startswith(
        "The server's limits: FcgidX is no limit of mod_fcgid; give"
    )


def test_the_options_are_handed_over(run, monkeypatch):
    seen = {}

    def apply(state, server, sites, apache, settings, check_mode):
        seen.update(state=state, server=server, sites=sites, root=apache.config_root, check=check_mode)
        seen.update(reload=settings.reload, idle=settings.idle_timeout_seconds, rename=settings.rename)
        seen.update(quiet_seconds=settings.quiet_seconds)
        return {"changed": True, "reload": {"warnings": ["W."]}}

    monkeypatch.setattr(fcgid_limits, "apply", apply)
    # Ansible shows a warning once per process, and other tests run in this one.
    monkeypatch.setattr(fcgid_limits.AnsibleModule, "warn", lambda _module, text: seen.update(warned=text))
    sites = [{"name": "a", "limits": {"FcgidIOTimeout": 5}}]
    options = {"sites": sites, "server": {"FcgidIOTimeout": 4}, "rename": False, "reload": "never", "quiet_seconds": 7}
    answer = run({**options, "idle_timeout_seconds": 3, "config_root": "/x", "_ansible_check_mode": True})
    assert seen == {
        **options, "state": "present", "idle": 3.0, "root": "/x", "check": True, "warned": "W.",
    }  # fmt: skip
    assert answer["changed"] is True


def test_what_could_not_be_done_is_an_error(run, monkeypatch):
    def apply(*_arguments):
        raise LimitError("Nothing was changed.")

    monkeypatch.setattr(fcgid_limits, "apply", apply)
    assert run({})["msg"] == "Nothing was changed."
