# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_timer
from ansible_collections.phpops.webhost.plugins.module_utils._host.systemd import SystemctlError

LAYOUT = Layout()


class Played:
    """Answers every command alike, and keeps them."""

    def __init__(self, status: int = 0, out: str = "", err: str = "") -> None:
        self.answer = (status, out, err)
        self.words: list[list[str]] = []

    def __call__(self, words: list[str]) -> tuple[int, str, str]:
        self.words.append(words)
        return self.answer


def test_a_timer_is_one_call_of_systemd_run() -> None:
    host = Played()
    slot_timer.arm(host, "wiki", "blue", 300.4, ["warm", "prepared"], LAYOUT)
    assert host.words == [
        [
            *("systemd-run", "--quiet", "--collect", "--unit=phpops-retire-wiki-blue"),
            "--description=Slot blue of site wiki: warm prepared",
            *("--on-active=300", "--timer-property=AccuracySec=1", "flock", "/run/phpops/.wiki.lock", "/bin/sh", "-c"),
            "test /var/lib/phpops/wiki/ptr/live -ef /var/lib/phpops/wiki/slots/blue"
            " || exec systemctl stop phpops-fpm@wiki-blue.service",
        ]
    ]


@pytest.mark.parametrize(("live", "stopped"), [("green", True), ("blue", False), (None, True)])
def test_its_command_asks_for_the_pointer(tmp_path: Path, live: str | None, stopped: bool) -> None:
    layout = Layout(state=str(tmp_path / "state"), run=str(tmp_path))
    for slot in ("blue", "green"):
        Path(layout.slot_dir("wiki", slot)).mkdir(parents=True)
    Path(layout.pointer("wiki")).parent.mkdir()
    if live:
        Path(layout.pointer("wiki")).symlink_to(f"../slots/{live}")
    host = Played()
    slot_timer.arm(host, "wiki", "blue", 1, ["warm"], layout)
    (words,) = host.words
    command = words[words.index("flock") :]
    (tmp_path / "systemctl").write_text(f"#!/bin/sh\necho $* >{tmp_path}/asked\n")
    (tmp_path / "systemctl").chmod(0o755)
    subprocess.run(command, check=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    asked = tmp_path / "asked"
    assert (asked.read_text() if asked.exists() else "") == ("stop phpops-fpm@wiki-blue.service\n" if stopped else "")


def test_a_timer_that_can_not_be_made_is_a_failure() -> None:
    with pytest.raises(SystemctlError, match=r"ended with 1: Unit phpops-retire-wiki-blue\.timer was already loaded"):
        slot_timer.arm(
            Played(1, "", "Unit phpops-retire-wiki-blue.timer was already loaded\n"), "wiki", "blue", 1, [], LAYOUT
        )


@pytest.mark.parametrize(
    ("state", "description", "expected"),
    [
        ("active", "Slot blue of site wiki: warm prepared", {"warm", "prepared"}),
        ("active", "Slot blue of site warm: prepared", {"prepared"}),
        ("inactive", "Slot blue of site wiki: warm", set()),
        ("inactive", "phpops-retire-wiki-blue.timer", set()),
    ],
)
def test_the_description_says_what_the_slot_is(state: str, description: str, expected: set[str]) -> None:
    host = Played(out=f"ActiveState={state}\nDescription={description}\n")
    assert slot_timer.marks(host, "wiki", "blue") == expected


def test_only_what_is_loaded_is_removed() -> None:
    host = Played(5, "", "Failed to stop phpops-retire-wiki-blue.timer: Unit phpops-retire-wiki-blue.timer not loaded.")
    slot_timer.disarm(host, "wiki", ["blue", "green"])
    assert host.words == [
        ["systemctl", "--no-pager", "stop", "phpops-retire-wiki-blue.*", "phpops-retire-wiki-green.*"]
    ]
    with pytest.raises(SystemctlError, match="Connection timed out"):
        slot_timer.disarm(Played(1, "", "Connection timed out"), "wiki", ["blue"])
