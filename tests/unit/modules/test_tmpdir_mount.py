# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's own lines: what it hands over, and how it fails."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir import Directory, TmpdirError
from ansible_collections.phpops.webhost.plugins.modules import tmpdir_mount as module

ONE = Directory("wiki", "fpm", "/dev/shm/phpops-wiki", "u", "g", 1, 1, 1 << 28)
RESULT = {
    "changed": True,
    "mounts": [{"path": "/dev/shm", "size_bytes": 1 << 28, "used_bytes": 0, "options": "rw,nosuid,nodev"}],
    "directories": [ONE.as_dict()],
    "warnings_found": ["Careful."],
}
SITES = {"apache": {"user": "www-data"}, "sites": [{"site": "app"}]}


@pytest.fixture
def run(capsys, monkeypatch):
    """Return a function that runs the module and returns what it printed; ``seen`` holds what was handed over."""
    seen = {}

    def find(mount, sites, size_bytes, php_sites, web_server, layout):
        seen.update(mount=mount, sites=sites, size=size_bytes, php_sites=php_sites, web_server=web_server)
        return [ONE]

    def present(run, directories, there, settings, place):
        seen.update(directories=directories, there=there, settings=settings)
        return RESULT

    monkeypatch.setattr(module, "refusal", lambda: None)
    monkeypatch.setattr(module.tmpdir_sites, "php_sites", lambda run: SITES)
    monkeypatch.setattr(module.tmpdir_sites, "find", find)
    monkeypatch.setattr(module.tmpdir_sites, "there", lambda php_sites, layout: ["wiki", "app"])
    monkeypatch.setattr(module.tmpdir_mount, "present", present)

    def start(**arguments):
        with patch_module_args(arguments), pytest.raises(SystemExit):
            module.main()
        return json.loads(capsys.readouterr().out)

    start.seen = seen
    return start


def test_the_options_are_handed_over(run):
    done = run(mount="own", age="12h", sessions=True, sites=[{"name": "wiki"}], web_server=False)
    assert done["summary"] == [
        "/dev/shm has 256 MiB, 0 B used (nosuid, nodev).",
        "1 folder in /dev/shm: wiki.",
    ]
    assert "Careful." in json.dumps(done["warnings"])
    seen = run.seen
    assert (seen["mount"], seen["sites"], seen["web_server"]) == ("own", [{"name": "wiki", "size_bytes": None}], False)
    assert (seen["php_sites"], seen["directories"], seen["there"]) == (SITES, [ONE], ["wiki", "app"])
    settings = seen["settings"]
    assert (settings.mount, settings.size_bytes, settings.age, settings.sessions) == ("own", 268435456, "12h", True)


def test_sites_on_php_cgi_can_be_left_out_but_are_known(run):
    run(php_cgi=False, _ansible_check_mode=True)
    assert run.seen["php_sites"] == {"apache": {"user": "www-data"}}
    assert run.seen["there"] == ["wiki", "app"]
    assert run.seen["settings"].check_mode is True


def test_the_folder_that_apache_runs_with_is_handed_over(run, monkeypatch):
    given = []
    monkeypatch.setattr(module, "in_force", lambda apache: "/dev/shm/phpops.apache2")
    monkeypatch.setattr(module.tmpdir_mount, "absent", lambda *words: given.extend(words) or RESULT)
    assert run(state="absent")["changed"] is True
    assert given[-1] == "/dev/shm/phpops.apache2"


def test_another_system_and_what_can_not_be_done_are_errors(run, monkeypatch):
    def fail(*_given):
        raise TmpdirError("Nothing was changed.")

    monkeypatch.setattr(module.tmpdir_mount, "absent", fail)
    assert run(state="absent")["msg"] == "Nothing was changed."
    monkeypatch.setattr(module, "refusal", lambda: "This host runs Plan 9.")
    assert run()["msg"] == "This host runs Plan 9."
