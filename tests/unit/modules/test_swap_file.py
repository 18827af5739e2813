# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's own lines: what it hands over, and how it fails."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.module_utils._core.swap_plan import SwapRefused
from ansible_collections.phpops.webhost.plugins.module_utils._host.sysctl import Outcome
from ansible_collections.phpops.webhost.plugins.modules import swap_file

GIB = 1 << 30


@pytest.fixture
def run(capsys, monkeypatch):
    """Return a function that runs the module on a supported machine and returns what it printed."""
    monkeypatch.setattr(swap_file, "refusal", lambda: None)
    monkeypatch.setattr(swap_file, "shared_with", lambda _run: None)

    def start(arguments):
        with patch_module_args(arguments), pytest.raises(SystemExit):
            swap_file.main()
        return json.loads(capsys.readouterr().out)

    return start


@pytest.mark.parametrize(
    ("options", "begin"),
    [
        ({"size_bytes": 1000}, "size_bytes is 1000: give"),
        ({"size_bytes": GIB, "directory": "/srv/a b"}, "directory is /srv/a b: give"),
        ({"size_bytes": GIB, "priority": -1}, "priority is -1: give"),
        ({"size_bytes": GIB, "swappiness": 201}, "swappiness is 201: give"),
        ({"size_bytes": GIB, "reserve_bytes": -1}, "reserve_bytes is negative"),
        ({}, "state is present but all of the following are missing: size_bytes"),
    ],
)
def test_options_that_can_not_be_used(run, options, begin):
    assert run(options)["msg"].startswith(begin)


def test_another_system_is_refused(run, monkeypatch):
    monkeypatch.setattr(swap_file, "refusal", lambda: "This host runs Plan 9.")
    assert run({"size_bytes": GIB})["msg"] == "This host runs Plan 9."


def test_a_container_is_refused(run, monkeypatch):
    monkeypatch.setattr(swap_file, "shared_with", lambda _run: "a container (lxc)")
    assert run({"state": "absent"})["msg"] == (
        "This host is a container (lxc): its swap is its host's; add swap there."
    )


@pytest.fixture
def seen(monkeypatch):
    """Replace what changes the host; returns what it was asked for."""
    asked = {}

    def apply(_host, options, check_mode):
        asked.update(options=options, check_mode=check_mode)
        return {"changed": False, "diff": [], "notes": ["one"]}

    def sysctl(_host, role, name, values, check_mode):
        asked.update(role=role, name=name, values=values)
        return Outcome(changed=bool(values), notes=["two"])

    monkeypatch.setattr(swap_file.SwapHost, "apply", apply)
    monkeypatch.setattr(swap_file.Sysctl, "apply", sysctl)
    return asked


def test_the_options_are_handed_over(run, seen):
    told = run({"size_bytes": GIB, "swappiness": 0, "priority": 5, "_ansible_check_mode": True})
    assert told["changed"] and told["notes"] == ["one", "two"]
    assert seen["options"] == swap_file.Options("present", "/var/lib/phpops-swap", GIB, 5, GIB)
    assert (seen["check_mode"], seen["role"], seen["values"]) == (True, "swap", {"vm.swappiness": "0"})


def test_absent_and_no_swappiness_take_the_setting_back(run, seen):
    run({"state": "absent", "swappiness": 10})
    assert seen["values"] == {}
    run({"size_bytes": GIB})
    assert seen["values"] == {}


@pytest.mark.parametrize(
    ("error", "msg"),
    [
        (SwapRefused("No room."), "No room."),
        (OSError(28, "No space left on device"), "The swap of this host could not be changed: [Errno 28] No space"),
    ],
)
def test_what_could_not_be_done_is_an_error(run, monkeypatch, error, msg):
    def apply(*_arguments):
        raise error

    monkeypatch.setattr(swap_file.SwapHost, "apply", apply)
    assert run({"size_bytes": GIB})["msg"].startswith(msg)
