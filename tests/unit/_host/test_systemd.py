# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host import systemd


class Recorder:
    """Answers each command with the same result and keeps what was asked."""

    def __init__(self, status: int = 0, out: str = "", err: str = "") -> None:
        self.answer, self.commands = (status, out, err), []  # type: ignore[var-annotated]

    def __call__(self, words: list[str]) -> tuple[int, str, str]:
        self.commands.append(words)
        return self.answer


def test_show_gives_each_property_that_was_asked() -> None:
    run = Recorder(out="MainPID=7\nActiveState=active\nExecStart={ path=/x ; argv[]=a=b }\n")
    assert systemd.show(run, "a.service", ["MainPID", "ExecStart", "Unknown"]) == {
        "MainPID": "7",
        "ExecStart": "{ path=/x ; argv[]=a=b }",
        "Unknown": "",
    }
    assert run.commands == [["systemctl", "--no-pager", "show", "--property=MainPID,ExecStart,Unknown", "a.service"]]
    assert systemd.main_pid(run, "a.service") == 7
    assert systemd.is_active(run, "a.service")


def test_systemd_itself_has_properties() -> None:
    run = Recorder(out="Version=252\n")
    assert systemd.show_manager(run, ["Version", "Unknown"]) == {"Version": "252", "Unknown": ""}
    assert run.commands == [["systemctl", "--no-pager", "show", "--property=Version,Unknown"]]


def test_a_failure_is_one_sentence() -> None:
    with pytest.raises(systemd.SystemctlError, match=r"`systemctl start a.service` ended with 1: Job failed"):
        systemd.start(Recorder(1, err="Job failed\nSee journal"), "a.service")


@pytest.mark.parametrize(
    ("status", "out", "expected"), [(0, "enabled\n", True), (0, "static\n", False), (1, "", False)]
)
def test_is_enabled(status: int, out: str, expected: bool) -> None:
    assert systemd.is_enabled(Recorder(status, out), "a.service") is expected


def test_the_journal_may_be_closed_to_us() -> None:
    assert systemd.last_log_lines(Recorder(1, err="No journal files"), "a") == []
    assert systemd.last_log_lines(Recorder(0, "a\n\nb\n"), "a") == ["a", "b"]


def test_several_units_are_one_question() -> None:
    run = Recorder(out="ActiveState=active\nMainPID=7\n\nActiveState=inactive\n")
    assert systemd.show_all(run, ["a.service", "b.timer"], ["ActiveState", "MainPID"]) == {
        "a.service": {"ActiveState": "active", "MainPID": "7"},
        "b.timer": {"ActiveState": "inactive", "MainPID": ""},
    }
    command = ["systemctl", "--no-pager", "show", "--property=ActiveState,MainPID", "--", "a.service", "b.timer"]
    assert run.commands == [command]
    with pytest.raises(systemd.SystemctlError, match=r"told of 2 units, not of 1: a\.service"):
        systemd.show_all(run, ["a.service"], ["ActiveState"])
