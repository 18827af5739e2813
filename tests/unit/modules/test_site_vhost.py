# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's own lines: what it hands over, and how it fails."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.module_utils._host.vhost import VhostFailed
from ansible_collections.phpops.webhost.plugins.modules import site_vhost

OPTIONS = {"site": "wiki", "server": "nginx"}


@pytest.fixture
def run(capsys, monkeypatch):
    """Return a function that runs the module on a supported host and returns what it printed."""
    monkeypatch.setattr(site_vhost, "refusal", lambda: None)

    def start(arguments):
        with patch_module_args(arguments), pytest.raises(SystemExit):
            site_vhost.main()
        return json.loads(capsys.readouterr().out)

    return start


def test_another_system_is_refused(run, monkeypatch):
    monkeypatch.setattr(site_vhost, "refusal", lambda: "This host runs Plan 9.")
    assert run(OPTIONS)["msg"] == "This host runs Plan 9."


def test_an_option_that_can_not_be_used_is_an_error(run):
    assert run({**OPTIONS, "allow_override": "All"})["msg"].startswith("Site wiki: allow_override holds 'All'")


def test_what_could_not_be_done_is_an_error(run, monkeypatch):
    def apply(*_arguments):
        raise VhostFailed("Nothing was changed.")

    monkeypatch.setattr(site_vhost, "apply", apply)
    assert run(OPTIONS)["msg"] == "Nothing was changed."


@pytest.mark.parametrize("server", ["apache", "nginx"])
def test_the_options_are_handed_over(run, monkeypatch, server):
    seen = {}

    def apply(side, vhost, state, settings, check_mode):
        seen.update(side=side.name, root=side.control.config_root, state=state, check=check_mode)
        seen.update(names=vhost.server_names, seconds=settings.reload_timeout_seconds)
        return {"changed": False}

    monkeypatch.setattr(site_vhost, "apply", apply)
    run({"site": "wiki", "server": server, "state": "absent", "reload_timeout_seconds": 3, "_ansible_check_mode": True})
    root = {"apache": "/etc/apache2", "nginx": "/etc/nginx"}[server]
    assert seen == {
        "side": server,
        "root": root,
        "state": "absent",
        "check": True,
        "names": ("wiki",),
        "seconds": 3.0,
    }


def test_a_web_server_that_is_not_installed_is_one_sentence(run, tmp_path):
    for name in ("sites-available", "sites-enabled"):
        (tmp_path / name).mkdir()
    (tmp_path / "nginx.conf").touch()
    told = run({**OPTIONS, "config_root": str(tmp_path), "_ansible_check_mode": True})
    assert told["msg"] == (
        "nginx's configuration doesn't pass as it is; nothing was changed: nginx can't be started (No such file or"
        " directory)"
    )
