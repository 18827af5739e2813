# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.host_timer import Timer, units

TIMER = Timer("phpops-x", "x", "Do X", "/usr/local/lib/phpops/x.pyz", 60, ("CAP_KILL", "CAP_SYS_PTRACE"), ("ptrace",))


def lines(name: str, timer: Timer = TIMER) -> list[str]:
    return units(timer)[name].splitlines()


def test_both_units_say_whose_they_are_and_what_they_do() -> None:
    for name in ("phpops-x.service", "phpops-x.timer"):
        assert lines(name)[0] == "# Ansible managed: phpops.webhost, role x"
        assert lines(name)[2].startswith("Description=Do X")


def test_the_program_has_the_rights_that_it_was_given() -> None:
    service = lines("phpops-x.service")
    assert "ExecStart=/usr/local/lib/phpops/x.pyz" in service
    assert "CapabilityBoundingSet=CAP_KILL CAP_SYS_PTRACE" in service
    assert "SystemCallFilter=@system-service ptrace" in service
    assert "NoNewPrivileges=yes" in service
    assert "CapabilityBoundingSet=" in units(Timer("y", "y", "Y", "/y", 60))["y.service"].splitlines()


@pytest.mark.parametrize(("seconds", "accuracy"), [(5, 1), (60, 6), (3600, 60)])
def test_the_next_run_counts_from_the_end_of_the_last(seconds: int, accuracy: int) -> None:
    clock = lines("y.timer", Timer("y", "y", "Y", "/y", seconds))
    assert f"OnUnitInactiveSec={seconds}" in clock
    assert f"OnActiveSec={seconds}" in clock
    assert f"AccuracySec={accuracy}" in clock
    assert clock[-1] == "WantedBy=timers.target"


def test_a_program_may_be_given_more_than_others_need() -> None:
    timer = Timer("y", "y", "Y", "/y", 60, relaxed={"ProtectHome": "read-only", "Nice": "10"}, state=True)
    service = lines("y.service", timer)
    assert [line for line in service if line.startswith("ProtectHome=")] == ["ProtectHome=read-only"]
    assert "Nice=10" in service
    assert "ProtectSystem=strict" in service
    assert "StateDirectory=y" in service
    assert not any(line.startswith("StateDirectory") for line in lines("phpops-x.service"))
