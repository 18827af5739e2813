# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host import bounded as module
from ansible_collections.phpops.webhost.plugins.module_utils._host.bounded import bounded

# Longer than any of the tests may take.
LONG = 60.0


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.5)


def gone(pid: int) -> bool:
    """Return whether a process has ended within a moment; a zombie has."""
    for _turn in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("value", [None, {"a": [1, 2.5, "ü"]}, "x" * 3_000_000])
def test_the_value_comes_back(value: Any) -> None:
    found = bounded(lambda: value, LONG)
    assert (found.value, found.reason) == (value, None)
    assert 0 < found.seconds < 10


def test_it_runs_elsewhere() -> None:
    assert bounded(os.getpid, LONG).value != os.getpid()


def test_an_exception_is_told() -> None:
    def fail() -> None:
        raise KeyError("held")

    assert bounded(fail, LONG).reason == "KeyError: 'held'"


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (lambda: os._exit(3), "ended with 3 and gave no answer"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "ended by signal 9 and gave no answer"),
        (object, "gave no answer"),
    ],
)
def test_one_that_crashes_costs_itself_only(how: Any, said: str) -> None:
    found = bounded(how, LONG)
    assert found.value is None
    assert said in str(found.reason)


def test_one_that_hangs_is_ended_and_may_clean_up(tmp_path: Path) -> None:
    def hang() -> None:
        file = tmp_path / "pid"
        file.write_text(str(os.getpid()))
        try:
            time.sleep(LONG)
        except OSError:
            # No handler of usual errors keeps it alive.
            time.sleep(LONG)
        finally:
            (tmp_path / "cleaned").touch()

    found = bounded(hang, 0.3)
    assert found.reason == "it was not done after 0.3 s"
    assert found.seconds < 5
    assert (tmp_path / "cleaned").exists()
    assert gone(int((tmp_path / "pid").read_text()))


def test_one_that_does_not_listen_is_killed_with_what_it_started(tmp_path: Path) -> None:
    def hang() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen(["sleep", str(int(LONG))])
        (tmp_path / "pids").write_text(f"{os.getpid()} {child.pid}")
        child.wait()

    assert "not done" in str(bounded(hang, 0.5).reason)
    for pid in (tmp_path / "pids").read_text().split():
        assert gone(int(pid))


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ANSWER_BYTES", 1000)
    assert bounded(lambda: "x" * 1_000_000, LONG).reason == "its answer had more than 1000 bytes"


def test_no_descriptor_is_left_open() -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _turn in range(5):
        bounded(lambda: 1, LONG)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
