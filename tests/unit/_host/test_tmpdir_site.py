# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""On slots in a temporary folder, with a PHP that is played."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir import Directory, TmpdirError
from ansible_collections.phpops.webhost.plugins.module_utils._host import tmpdir_site
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot import Settings
from ansible_collections.phpops.webhost.tests.unit._host.played_host import GROUP, USER, Fleet, fleet

__all__ = ["fleet"]

ONE = Directory("wiki", "fpm", "/dev/shm/phpops-wiki", USER, GROUP, 1, 1, 64 << 20)
PHP = "session.save_handler => files => files\nsession.save_path => no value => no value\npost_max_size => 8M => 8M\n"


class Sites:
    """The played host, whose PHP tells what the live slot's ini file says, on top of PHP itself."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet, self.record = fleet, str(fleet.path / "record.json")
        self.settings: dict[str, Any] = {"drain_timeout_seconds": 0.2, "start_timeout_seconds": 0.3}
        self.broken = False

    def run(self, words: list[str]) -> tuple[int, str, str]:
        if words[-1] != "--info":
            return self.fleet.host.run(words)
        if self.broken:
            return 1, "", "no library\n"
        found = [PHP, "opcache.memory_consumption => 16 => 16\nopcache.jit => no value => disable\n"]
        for word in words:
            file = Path(word.rpartition(":")[2]) / "20-site.ini"
            if word.startswith("PHP_INI_SCAN_DIR=") and file.exists():
                pairs = [line.split(" = ") for line in file.read_text().splitlines() if " = " in line]
                found += [f"{name} => {value} => {value}\n" for name, value in pairs]
        return 0, "".join(found), ""

    def present(self, sessions: bool = False, extend: bool = True, **settings: Any) -> dict[str, Any]:
        found = Settings(**{**self.settings, **settings})
        return tmpdir_site.apply([ONE], self.run, found, sessions, extend, True, self.fleet.layout, self.record)

    def absent(self, *names: str, **settings: Any) -> dict[str, Any]:
        found = Settings(**{**self.settings, **settings})
        return tmpdir_site.take_back(names, self.run, found, True, self.fleet.layout, self.record)

    def stored(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(Path(self.fleet.layout.stored_spec("wiki")).read_text())
        return found


@pytest.fixture
def sites(fleet: Fleet) -> Sites:
    fleet.run(options={**fleet.new(), "environment": {"SECRET": "x"}, "ini": {"open_basedir": "/srv"}})
    return Sites(fleet)


def test_there_again_and_back(sites: Sites) -> None:
    before = sites.stored()
    planned = sites.present(check_mode=True)
    assert (planned["changed"], sites.stored(), Path(sites.record).exists()) == (True, before, False)
    assert planned["sites"][0]["php"] is None
    done = sites.present()
    (one,) = done["sites"]
    assert (done["failed"], one["flipped"], one["path"]) == (False, True, ONE.path)
    assert one["php"]["sys_temp_dir"] == one["php"]["upload_tmp_dir"] == one["php"]["TMPDIR"] == ONE.path
    assert one["php"]["session.save_path"] == "/tmp"
    assert one["php"]["writable"] is True
    assert sites.stored()["environment"] == {"SECRET": "x", "TMPDIR": ONE.path}
    assert '"x"' not in json.dumps(done["diff"])
    assert Path(sites.record).stat().st_mode & 0o777 == 0o600
    again = sites.present()
    assert (again["changed"], again["sites"][0]["flipped"]) == (False, False)
    back = sites.absent()
    assert (back["changed"], back["sites"][0]["flipped"]) == (True, True)
    assert sites.stored() == before
    assert not Path(sites.record).exists()
    assert sites.absent() == {"sites": [], "changed": False, "failed": False, "diff": [], "msg": ""}


def test_a_site_that_refuses_is_not_flipped(sites: Sites) -> None:
    done = sites.present(extend=False)
    assert done["failed"] is True
    assert "Site wiki: open_basedir is /srv, which shuts /dev/shm/phpops-wiki out" in done["msg"]
    assert sites.fleet.live() is None
    assert not Path(sites.record).exists()


def test_a_unit_that_shuts_the_folder_out_is_refused(sites: Sites, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tmpdir_site.tmpdir_site, "hardening_refusal", lambda _lines, path: f"{path} is read-only.")
    assert "Site wiki: /dev/shm/phpops-wiki is read-only." in sites.present()["msg"]


def test_what_was_changed_since_is_told_and_stays(sites: Sites) -> None:
    sites.present()
    ini = {**sites.stored()["ini"], "upload_tmp_dir": "/mnt"}
    sites.fleet.run(options={"ini": ini})
    (one,) = sites.absent()["sites"]
    assert one["notes"] == ["ini.upload_tmp_dir was changed by somebody else since and stays as it is."]
    assert sites.stored()["ini"] == {"open_basedir": "/srv", "upload_tmp_dir": "/mnt"}


def test_a_run_that_died_before_the_flip_can_be_taken_back(sites: Sites, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sites.stored()

    def die(*_given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tmpdir_site.Site, "present", die)
        with pytest.raises(KeyboardInterrupt):
            sites.present()
    assert sites.absent()["changed"] is False
    assert sites.stored() == before
    assert not Path(sites.record).exists()


def test_a_site_that_is_gone_is_forgotten(sites: Sites) -> None:
    sites.present()
    sites.fleet.run("absent")
    assert sites.absent("wiki")["sites"] == []
    assert not Path(sites.record).exists()


def test_php_that_can_not_be_asked_is_an_error(sites: Sites) -> None:
    sites.broken = True
    assert "php-fpm8.2 can't read its ini files: no library" in sites.present()["msg"]


@pytest.mark.parametrize("text", ["{", "null", "3", '["shop"]'])
def test_a_damaged_record_is_named(sites: Sites, text: str) -> None:
    Path(sites.record).write_text(text)
    with pytest.raises(TmpdirError, match=r"record\.json can't be read"):
        sites.present()
