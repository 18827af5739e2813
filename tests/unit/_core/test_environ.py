# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._core.environ import environment_value


def test_the_environment_of_a_process() -> None:
    text = b"A=1\0TMPDIR=/dev/shm/x=y\0BAD\0"
    assert environment_value(text, "TMPDIR") == "/dev/shm/x=y"
    assert environment_value(text, "BAD") is None
    assert environment_value(b"", "TMPDIR") is None
