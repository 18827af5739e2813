# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_settings import Settings, settings_text
from ansible_collections.phpops.webhost.plugins.module_utils._host.lock import locked
from ansible_collections.phpops.webhost.plugins.module_utils._host.metrics import Collected
from ansible_collections.phpops.webhost.plugins.module_utils._host.programs import metrics


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs the program; its ``asked`` are the settings, ``written`` the folders."""
    config = tmp_path / "metrics.json"
    config.write_text(settings_text(Settings(textfile_directory=str(tmp_path), probes=("slab", "oom"))))

    def run(*words: str) -> int:
        return metrics.main(["--config", str(config), *words])

    def collect(chosen: Settings) -> Collected:
        run.asked.append(chosen)  # type: ignore[attr-defined]
        return Collected("phpops_x 1\n", 1, [{"probe": "slab", "success": False, "reason": "closed"}])

    def write(_collected: Collected, folder: str) -> None:
        run.written.append(folder)  # type: ignore[attr-defined]

    monkeypatch.setattr(metrics, "LOCK", str(tmp_path / "lock"))
    monkeypatch.setattr(metrics, "collect", collect)
    monkeypatch.setattr(metrics, "write", write)
    monkeypatch.setattr(metrics.os, "geteuid", lambda: 0)
    run.asked, run.written = [], []  # type: ignore[attr-defined]
    return run


def test_a_failed_probe_is_told_and_is_no_failure(
    program: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program() == 0
    assert program.written == [str(tmp_path)]
    assert capsys.readouterr().out == "1 series from 1 probes; failed: slab (closed)\n"


def test_print_shows_and_writes_nothing(program: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert program("--print", "--probe", "budget", "--probe", "oom") == 0
    assert program.written == []
    assert program.asked[0].probes == ("budget", "oom")
    assert capsys.readouterr().out == "phpops_x 1\n"


def test_a_file_with_some_of_the_metrics_is_refused(program: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert program("--probe", "oom") == 1
    assert "--probe goes with --print" in capsys.readouterr().err
    assert program.asked == []


def test_settings_that_can_not_be_used_are_named(
    program: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "metrics.json").write_text('{"interval_seconds": 1}')
    assert program() == 1
    assert f"{tmp_path}/metrics.json: interval_seconds is 1; give at least 15." in capsys.readouterr().err
    (tmp_path / "metrics.json").unlink()
    assert program() == 1
    assert "There is no file" in capsys.readouterr().err


def test_two_runs_never_overlap(program: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with locked(str(tmp_path / "lock"), 0):
        assert program() == 1
    assert "another run is in progress" in capsys.readouterr().err


def test_only_root_may_run_it(
    program: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(metrics.os, "geteuid", lambda: 1000)
    assert program() == 1
    assert "run it as root" in capsys.readouterr().err


def test_a_folder_that_can_not_be_written_to_is_a_failure(
    program: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_collected: Collected, folder: str) -> None:
        raise OSError(30, "Read-only file system", folder)

    monkeypatch.setattr(metrics, "write", refuse)
    assert program() == 1
    assert "Read-only file system" in capsys.readouterr().err
