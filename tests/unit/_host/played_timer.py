# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program's units and settings need of a host, in a folder of the test."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host import host_timer


@pytest.fixture
def timer_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which host_timer has its /run and /var/lib, and writes without changing owners."""
    writes = host_timer.write_atomic
    monkeypatch.setattr(host_timer, "write_atomic", lambda path, text, mode, *_owner: writes(path, text, mode))
    monkeypatch.setattr(host_timer, "RUN", str(tmp_path / "run"))
    monkeypatch.setattr(host_timer, "STATE", str(tmp_path / "lib"))
    return tmp_path
