# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host.lock import Locked, locked

HOLD = "import fcntl, os, sys, time; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); "


def test_the_second_is_told_who_has_it(tmp_path: Path) -> None:
    path = str(tmp_path / "run/lock")
    with locked(path, 0):
        began = time.monotonic()
        with pytest.raises(Locked) as caught, locked(path, 0.2):
            pytest.fail("both have it")
        assert time.monotonic() - began >= 0.2
    assert caught.value.holder == str(os.getpid()) and path in str(caught.value)
    with locked(path, 0):
        assert (tmp_path / "run/lock").stat().st_mode & 0o777 == 0o600


def test_a_holder_that_dies_holds_nothing(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    command = [sys.executable, "-c", HOLD + "time.sleep(60)", path]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline()
        with pytest.raises(Locked, match="process unknown"), locked(path, 0):
            pytest.fail("both have it")
        holder.kill()
        holder.wait()
        with locked(path, 5):
            assert Path(path).read_text() == str(os.getpid())


def test_a_symlink_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("mine")
    (tmp_path / "lock").symlink_to(tmp_path / "other")
    with pytest.raises(OSError, match="Too many levels of symbolic links"), locked(str(tmp_path / "lock"), 0):
        pytest.fail("it was followed")
    assert (tmp_path / "other").read_text() == "mine"
