# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Against a systemctl that keeps the units' states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host.distribution_master import (
    read_stopped,
    start_again,
    stop_unused,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.systemd import SystemctlError

UNIT = "php8.2-fpm.service"


class Systemd:
    """Units by name: [active, enabled]; one that is not there can't be started."""

    def __init__(self, **units: list[bool]) -> None:
        self.units = {name + ".service": state for name, state in units.items()}

    def run(self, words: list[str]) -> tuple[int, str, str]:
        verb, unit = [word for word in words[1:] if not word.startswith("--")][:2]
        if verb == "show":
            return 0, "LoadState=" + ("loaded" if unit in self.units else "not-found") + "\n", ""
        if unit not in self.units:
            return 5, "", f"Unit {unit} not found."
        number, value = {"start": (0, True), "stop": (0, False), "enable": (1, True), "disable": (1, False)}[verb]
        self.units[unit][number] = value
        return 0, "", ""


def found(active: bool, enabled: bool, used_by: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"unit": UNIT, "active": active, "enabled": enabled, "used_by": list(used_by)}


def there_and_back(tmp_path: Path, active: bool, enabled: bool) -> tuple[list[str], list[bool], list[str], list[bool]]:
    systemd, record = Systemd(**{"php8.2-fpm": [active, enabled]}), f"{tmp_path}/state/record.json"
    stopped = stop_unused(systemd.run, [found(active, enabled)], False, record)
    between = list(systemd.units[UNIT])
    started = start_again(systemd.run, False, record)
    assert not Path(record).exists()
    return stopped, between, started, systemd.units[UNIT]


@pytest.mark.parametrize(("active", "enabled"), [(True, True), (True, False), (False, True)])
def test_what_was_stopped_is_as_before_again(tmp_path: Path, active: bool, enabled: bool) -> None:
    assert there_and_back(tmp_path, active, enabled) == ([UNIT], [False, False], [UNIT], [active, enabled])


def test_what_we_did_not_stop_is_left_alone(tmp_path: Path) -> None:
    systemd, record = Systemd(**{"php8.2-fpm": [False, False]}), f"{tmp_path}/record.json"
    assert stop_unused(systemd.run, [found(False, False)], False, record) == []
    assert start_again(systemd.run, False, record) == []
    assert systemd.units[UNIT] == [False, False]


def test_a_second_stop_keeps_the_first_state(tmp_path: Path) -> None:
    systemd, record = Systemd(**{"php8.2-fpm": [True, True]}), f"{tmp_path}/record.json"
    stop_unused(systemd.run, [found(True, True)], False, record)
    stop_unused(systemd.run, [found(False, False)], False, record)
    stop_unused(systemd.run, [found(True, False)], False, record)
    assert read_stopped(record) == {UNIT: {"active": True, "enabled": True}}


def test_check_mode_writes_and_starts_nothing(tmp_path: Path) -> None:
    systemd, record = Systemd(**{"php8.2-fpm": [True, True]}), f"{tmp_path}/record.json"
    assert stop_unused(systemd.run, [found(True, True)], True, record) == [UNIT]
    assert systemd.units[UNIT] == [True, True]
    assert not Path(record).exists()
    stop_unused(systemd.run, [found(True, True)], False, record)
    assert start_again(systemd.run, True, record) == [UNIT]
    assert systemd.units[UNIT] == [False, False]
    assert Path(record).exists()


def test_a_unit_that_was_removed_meanwhile_is_forgotten(tmp_path: Path) -> None:
    systemd, record = Systemd(**{"php8.2-fpm": [True, True]}), f"{tmp_path}/record.json"
    stop_unused(systemd.run, [found(True, True)], False, record)
    systemd.units.clear()
    assert start_again(systemd.run, False, record) == []
    assert not Path(record).exists()


def test_one_that_does_not_start_stays_in_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    systemd, record = Systemd(**{"php8.2-fpm": [True, True]}), f"{tmp_path}/record.json"
    stop_unused(systemd.run, [found(True, True)], False, record)

    def run(words: list[str]) -> tuple[int, str, str]:
        return (1, "", "No memory.") if "start" in words else systemd.run(words)

    with pytest.raises(SystemctlError, match="No memory"):
        start_again(run, False, record)
    assert list(read_stopped(record)) == [UNIT]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"x": 1}'])
def test_a_damaged_record_names_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "record.json").write_text(text)
    assert read_stopped(f"{tmp_path}/record.json") == {}
