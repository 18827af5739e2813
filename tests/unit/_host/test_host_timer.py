# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""With a systemd that is played."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.host_timer import Timer
from ansible_collections.phpops.webhost.plugins.module_utils._host import host_timer
from ansible_collections.phpops.webhost.plugins.module_utils._host.host_timer import absent, present, sentence
from ansible_collections.phpops.webhost.tests.unit._host.played_timer import timer_folder

__all__ = ["timer_folder"]

TIMER = Timer("phpops-x", "x", "Do X", "/usr/local/lib/phpops/x.pyz", 60)


class Systemd:
    """Whether the timer is active and enabled, and what was asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.settings = folder, {str(folder / "etc" / "x.json"): "{}\n"}
        self.active = self.enabled = False
        self.refused, self.lazy, self.unread = "", False, False
        self.log: list[str] = []

    def run(self, words: list[str]) -> tuple[int, str, str]:
        words = [word for word in words if word not in ("--no-pager", "--quiet")]
        if words[0] == "systemd-analyze":
            assert all(Path(path).is_file() for path in words if path.startswith("/"))
            assert not any(self.folder.glob("*.service")), "written before it was read"
            return (1, "", self.refused) if self.refused else (0, "", "")
        if words[1] == "show" and "NeedDaemonReload" in words[2]:
            return 0, f"NeedDaemonReload=no\n\nNeedDaemonReload={'yes' if self.unread else 'no'}\n", ""
        if words[1] == "show":
            state = f"ActiveState={'active' if self.active else 'inactive'}\n"
            state += f"UnitFileState={'enabled' if self.enabled else ''}\nResult=success\nExecMainExitTimestamp=\n"
            return 0, f"{state}\n{state}", ""
        self.log.append(" ".join(words[1:]))
        self.unread = self.unread and words[1] != "daemon-reload"
        if words[1] in ("start", "restart", "stop") and words[2].endswith(".timer"):
            self.active = words[1] != "stop" and not self.lazy
        if words[1] in ("enable", "disable"):
            self.enabled = words[1] == "enable"
        return 0, "", ""

    def present(self, timer: Timer = TIMER, check_mode: bool = False) -> host_timer.Placed:
        return present(self.run, timer, self.settings, check_mode, str(self.folder))

    def absent(self, check_mode: bool = False) -> host_timer.Placed:
        return absent(self.run, TIMER, self.settings, check_mode, str(self.folder))

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture(name="systemd")
def _systemd(timer_folder: Path) -> Systemd:
    return Systemd(timer_folder)


def test_units_and_settings_are_written_and_the_timer_starts(systemd: Systemd) -> None:
    placed = systemd.present()
    assert placed.changed
    assert systemd.files() == ["phpops-x.service", "phpops-x.timer", "x.json"]
    assert systemd.log == ["daemon-reload", "restart phpops-x.timer", "enable phpops-x.timer", "start phpops-x.timer"]
    assert placed.effect["active"] and placed.effect["enabled"]
    assert sentence(placed.effect) == "phpops-x.timer is active and enabled; no run yet."
    systemd.log = []
    assert not systemd.present().changed
    assert systemd.log == []


def test_check_mode_shows_the_files_and_writes_none(systemd: Systemd) -> None:
    placed = systemd.present(check_mode=True)
    assert placed.changed
    assert [Path(entry["after_header"]).name for entry in placed.diff] == [
        "phpops-x.service",
        "phpops-x.timer",
        "x.json",
    ]
    assert (systemd.files(), systemd.log) == ([], [])


def test_other_settings_alone_leave_the_clock_as_it_is(systemd: Systemd) -> None:
    systemd.present()
    systemd.settings = dict.fromkeys(systemd.settings, "{1}\n")
    systemd.log = []
    placed = systemd.present()
    assert placed.changed
    assert not any("restart" in line or "daemon-reload" in line for line in systemd.log)


def test_a_timer_that_somebody_stopped_is_started_again(systemd: Systemd) -> None:
    systemd.present()
    systemd.active = False
    placed = systemd.present()
    assert (placed.changed, placed.diff, placed.effect["active"]) == (True, [], True)


def test_units_that_a_killed_run_wrote_are_read(systemd: Systemd) -> None:
    systemd.present()
    systemd.unread, systemd.log = True, []
    assert (systemd.present(check_mode=True).changed, systemd.log) == (True, [])
    placed = systemd.present()
    assert (placed.changed, placed.diff) == (True, [])
    assert systemd.log[:2] == ["daemon-reload", "restart phpops-x.timer"]
    assert not systemd.present().changed


def test_units_that_systemd_refuses_are_not_written(systemd: Systemd) -> None:
    systemd.refused = "phpops-x.service:9: Unknown key"
    with pytest.raises(StepFailed, match="Unknown key"):
        systemd.present()
    assert systemd.files() == []


def test_a_timer_that_does_not_start_is_a_failure(systemd: Systemd) -> None:
    systemd.lazy = True
    with pytest.raises(StepFailed, match="was started, but systemd says"):
        systemd.present()


def test_absent_stops_and_removes_all_of_it(systemd: Systemd, tmp_path: Path) -> None:
    systemd.present()
    (tmp_path / "run" / "phpops-x").mkdir(parents=True)
    assert systemd.absent(check_mode=True).changed
    assert len(systemd.files()) == 3
    systemd.log = []
    placed = systemd.absent()
    assert placed.changed
    assert systemd.log[:3] == ["disable phpops-x.timer", "stop phpops-x.timer", "stop phpops-x.service"]
    assert systemd.files() == []
    assert not (tmp_path / "run" / "phpops-x").exists()
    assert not systemd.absent().changed


def test_absent_takes_the_state_of_a_program_that_has_one(systemd: Systemd, tmp_path: Path) -> None:
    for timer, there in ((TIMER, True), (replace(TIMER, state=True), False)):
        (tmp_path / "lib" / "phpops-x").mkdir(parents=True, exist_ok=True)
        systemd.present()
        absent(systemd.run, timer, systemd.settings, False, str(systemd.folder))
        assert (tmp_path / "lib" / "phpops-x").exists() == there
