# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's own lines: what it hands over, and how it fails."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir import Directory, TmpdirError
from ansible_collections.phpops.webhost.plugins.modules import site_tmpdir as module

ONE = Directory("wiki", "fpm", "/dev/shm/phpops-wiki", "u", "g", 1, 1, 1 << 28)
OTHER = Directory("app", "php_cgi", "/dev/shm/phpops-app", "u", "g", 1, 1, 1 << 28)
SITE = {
    "name": "wiki",
    "changed": True,
    "failed": False,
    "flipped": True,
    "notes": ["A note."],
    "reasons": [],
    "msg": "",
}
PHP = {"sys_temp_dir": ONE.path, "writable": True}


@pytest.fixture
def run(capsys, monkeypatch):
    """Return a function that runs the module on a supported host and returns what it printed."""
    monkeypatch.setattr(module, "refusal", lambda: None)

    def start(**arguments):
        with patch_module_args(arguments), pytest.raises(SystemExit):
            module.main()
        return json.loads(capsys.readouterr().out)

    return start


def test_only_sites_with_slots_are_told(run, monkeypatch):
    seen = []

    def apply(directories, _run, settings, sessions, extend, stop, _layout):
        seen.extend([directories, settings.drain_timeout_seconds, settings.check_mode, sessions, extend, stop])
        return {"sites": [{**SITE, "php": PHP}], "changed": True, "failed": False, "diff": [], "msg": ""}

    monkeypatch.setattr(module.tmpdir_site, "apply", apply)
    directories = [ONE.as_dict(), OTHER.as_dict()]
    done = run(
        directories=directories, sessions=True, open_basedir="refuse", on_error="continue", drain_timeout_seconds=3
    )
    assert seen == [[ONE], 3.0, False, True, False, False]
    assert done["summary"] == [
        "wiki: flipped, PHP's temporary files go to /dev/shm/phpops-wiki, which its user can write to.",
        "wiki: A note.",
    ]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"php": None, "reasons": ["a → b"]}, "wiki: would be flipped: a → b."),
        ({"php": None, "changed": False}, "wiki: stays as it is."),
        (
            {"php": {}, "flipped": False},
            "wiki: unchanged, PHP's temporary files go to /tmp, which its user can NOT write to.",
        ),
        ({"php": None, "failed": True, "msg": "It is busy."}, "wiki: It is busy."),
    ],
)
def test_what_became_of_a_site_is_said(run, monkeypatch, more, said):
    result = {"sites": [{**SITE, **more}], "changed": True, "failed": False, "diff": [], "msg": ""}
    monkeypatch.setattr(module.tmpdir_site, "apply", lambda *_given: result)
    assert run()["summary"][0] == said


def test_the_way_back(run, monkeypatch):
    seen = []

    def take_back(names, _run, _settings, stop, _layout):
        seen.extend([names, stop])
        raise TmpdirError("The record can't be read.")

    monkeypatch.setattr(module.tmpdir_site, "take_back", take_back)
    done = run(state="absent", names=["wiki"])
    assert (done["failed"], done["msg"], seen) == (True, "The record can't be read.", [["wiki"], True])


def test_another_system_is_refused(run, monkeypatch):
    monkeypatch.setattr(module, "refusal", lambda: "This host runs Plan 9.")
    assert run()["msg"] == "This host runs Plan 9."
