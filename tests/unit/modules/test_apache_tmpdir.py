# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's own lines: what it hands over, and how it fails."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir import Directory
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache_control import ApacheError
from ansible_collections.phpops.webhost.plugins.modules import apache_tmpdir as module

ONE = Directory(".apache2", "web_server", "/dev/shm/phpops.apache2", "u", "g", 33, 33, 1 << 28)
RESULT = {
    "changed": True,
    "sites": [
        {"site": "app", "path": "/t/app", "reached": True, "reason": None},
        {"site": "old", "path": "/t/old", "reached": False, "reason": "Site old runs by suexec."},
    ],
    "cgi_folders": ["/usr/lib/cgi-bin"],
    "reload": {"seconds": 0.3},
    "restart": None,
    "apache": {"path": ONE.path, "in_force": ONE.path, "pending": False},
    "warnings_found": ["Careful."],
}
RESTART = {"seconds": 1.5, "open_connections": None, "busy_php_cgi": 2}


@pytest.fixture
def run(capsys, monkeypatch):
    """Return a function that runs the module and returns what it printed; ``seen`` holds what was handed over."""
    seen = {}

    def apply(directories, facts, apache, _run, settings):
        seen.update(directories=directories, facts=facts, root=apache.config_root, settings=settings)
        return {**RESULT, **seen.get("more", {})}

    monkeypatch.setattr(module, "refusal", lambda: None)
    monkeypatch.setattr(module, "php_sites", lambda _run: {"sites": ["facts"]})
    monkeypatch.setattr(module, "apply", apply)

    def start(**arguments):
        with patch_module_args(arguments), pytest.raises(SystemExit):
            module.main()
        return json.loads(capsys.readouterr().out)

    start.seen = seen
    return start


def test_the_options_are_handed_over(run):
    done = run(directories=[ONE.as_dict()], cgi=False, restart=True, idle_timeout_seconds=2, config_root="/x")
    assert run.seen["directories"] == [ONE]
    assert (run.seen["facts"], run.seen["root"]) == ({"sites": ["facts"]}, "/x")
    settings = run.seen["settings"]
    assert (settings.cgi, settings.restart, settings.idle_timeout_seconds, settings.check_mode) == (
        False,
        True,
        2.0,
        False,
    )
    assert "Careful." in json.dumps(done["warnings"])
    assert done["summary"] == [
        "app: php-cgi gets TMPDIR=/t/app.",
        "Site old runs by suexec.",
        "CGI programs in /usr/lib/cgi-bin get TMPDIR=/dev/shm/phpops.apache2.",
        "Apache was reloaded once (0.3 s).",
        "Apache itself runs with TMPDIR=/dev/shm/phpops.apache2.",
    ]


def test_without_folders_no_site_is_looked_for(run):
    run()
    assert run.seen["facts"] == {}


def test_a_restart_is_told_with_what_the_host_can_know(run):
    run.seen["more"] = {"restart": RESTART}
    assert run()["summary"][-1] == (
        "Apache was restarted in 1.5 s; unknown how many connections were open and 2 php-cgi busy just before: what was"
        " lost, only clients know."
    )


def test_another_system_and_what_can_not_be_done_are_errors(run, monkeypatch):
    def fail(*_given):
        raise ApacheError("It ended.")

    monkeypatch.setattr(module, "apply", fail)
    assert run()["msg"] == "It ended."
    monkeypatch.setattr(module, "refusal", lambda: "This host runs Plan 9.")
    assert run()["msg"] == "This host runs Plan 9."
