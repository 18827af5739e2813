# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's own lines: what it hands over, and how it fails."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.module_utils._core.dentry_plan import Threshold
from ansible_collections.phpops.webhost.plugins.module_utils._host.sysctl import SysctlError
from ansible_collections.phpops.webhost.plugins.modules import dentry_cache


@pytest.fixture
def run(capsys, monkeypatch):
    """Return a function that runs the module on a supported machine and returns what it printed."""
    monkeypatch.setattr(dentry_cache, "refusal", lambda: None)
    monkeypatch.setattr(dentry_cache, "shared_with", lambda _run: None)

    def start(arguments):
        with patch_module_args(arguments), pytest.raises(SystemExit):
            dentry_cache.main()
        return json.loads(capsys.readouterr().out)

    return start


def test_no_pressure_at_all_is_refused(run):
    assert run({"vfs_cache_pressure": 0})["msg"].startswith("vfs_cache_pressure is 0: with 0 the kernel never frees")


def test_a_container_is_refused(run, monkeypatch):
    monkeypatch.setattr(dentry_cache, "shared_with", lambda _run: "a container (podman)")
    assert run({"vfs_cache_pressure": 200})["msg"] == (
        "This host is a container (podman): the kernel's settings are its host's; set them there."
    )


def test_the_options_are_handed_over_and_much_pressure_is_warned_of(run, monkeypatch):
    asked = []

    def apply(options, check_mode):
        asked.append((options, check_mode))
        return {"changed": True, "notes": ["too much"]}

    monkeypatch.setattr(dentry_cache, "apply", apply)
    told = run({"vfs_cache_pressure": 2000, "drop": True, "drop_over_share": 0.2, "_ansible_check_mode": True})
    assert told["changed"]
    assert "too much" in str(told["warnings"])
    assert asked == [(dentry_cache.Options("present", 2000, None, True, Threshold(0.2, None)), True)]


def test_what_the_kernel_refuses_is_an_error(run, monkeypatch):
    def apply(*_arguments):
        raise SysctlError("The kernel refuses it.")

    monkeypatch.setattr(dentry_cache, "apply", apply)
    assert run({"negative": True})["msg"] == "The kernel refuses it."
