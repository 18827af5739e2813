# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.recycle import Settings, Worker, settings_text
from ansible_collections.phpops.webhost.plugins.module_utils._core.worker_memory import Memory
from ansible_collections.phpops.webhost.plugins.module_utils._host.lock import locked
from ansible_collections.phpops.webhost.plugins.module_utils._host.programs import worker_recycle
from ansible_collections.phpops.webhost.plugins.module_utils._host.recycle import Outcome

MIB = 1 << 20
LARGE = Worker(11, 1, "php-fpm", "app of x.service", "app", Memory(80 * MIB, 0, 80 * MIB))
SMALL = Worker(12, 1, "php-fpm", "app of x.service", "app", Memory(8 * MIB, 0, 8 * MIB))


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs the program on two workers that are played; its ``asked`` are the settings."""
    config = tmp_path / "settings.json"
    config.write_text(settings_text(Settings(50 * MIB, 0.5, {"wiki": 1})))

    def run(*words: str, outcome: Outcome | None = None) -> int:
        def recycle(_workers: Any, chosen: Settings, _say: Any, _host: Any) -> Outcome:
            run.asked.append(chosen)  # type: ignore[attr-defined]
            return outcome or Outcome()

        monkeypatch.setattr(worker_recycle, "recycle", recycle)
        return worker_recycle.main(["--config", str(config), *words])

    monkeypatch.setattr(worker_recycle, "LOCK", str(tmp_path / "lock"))
    monkeypatch.setattr(worker_recycle, "workers", lambda: [LARGE, SMALL])
    monkeypatch.setattr(worker_recycle.os, "geteuid", lambda: 0)
    monkeypatch.setattr(worker_recycle.Host, "waits", lambda _host, one: one is LARGE)
    run.asked = []  # type: ignore[attr-defined]
    return run


def test_the_settings_are_those_of_the_file(program: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert program() == 0
    assert program.asked == [Settings(50 * MIB, 0.5, {"wiki": 1})]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        (("--threshold-bytes", "7"), Settings(7, 0.5)),
        (("--share", "1"), Settings(50 * MIB, 1.0, {"wiki": 1})),
        (("--threshold-bytes", "7", "--share", "1", "--config", "/nowhere"), Settings(7, 1.0)),
    ],
)
def test_words_come_before_the_file(program: Any, words: tuple[str, ...], chosen: Settings) -> None:
    assert program(*words) == 0
    assert program.asked == [chosen]


def test_a_dry_run_shows_who_would_go_and_signals_none(program: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert program("--dry-run") == 0
    assert program.asked == []
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in shown[1:3]] == ["11", "12"]
    assert shown[3].endswith("2 workers, 1 above the threshold, 1 of these idle now, at most 1 at once: 11 would go")


def test_what_was_done_is_said_in_one_line(program: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert program(outcome=Outcome(above=2, recycled=1, busy=1)) == 0
    assert capsys.readouterr().out == "2 above the threshold, 1 recycled, 1 busy and left alone\n"
    assert program(outcome=Outcome(above=1, failed=1)) == 1


def test_a_host_where_none_can_be_held_is_told_the_cure(program: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert program(outcome=Outcome(above=1, failed=1, fatal="Operation not permitted")) == 1
    assert "CAP_SYS_PTRACE" in capsys.readouterr().err


def test_two_runs_never_overlap(program: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with locked(str(tmp_path / "lock"), 0):
        assert program() == 1
    assert program.asked == []
    assert "another run is in progress" in capsys.readouterr().err


@pytest.mark.parametrize(("text", "said"), [(None, "There is no file"), ("{}", "threshold_bytes is None")])
def test_settings_that_can_not_be_used_are_named(
    program: Any, tmp_path: Path, text: str | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.json"
    if text is not None:
        other.write_text(text)
    assert program("--config", str(other)) == 1
    told = capsys.readouterr().err
    assert said in told and str(other) in told


def test_only_root_can_do_it(program: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(worker_recycle.os, "geteuid", lambda: 1000)
    assert program("--dry-run") == 1
    assert "run it as root" in capsys.readouterr().err
