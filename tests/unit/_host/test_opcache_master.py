# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_master import master_pid


def test_the_listener_is_named_even_through_a_symlink() -> None:
    with tempfile.TemporaryDirectory(prefix="m-") as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/s")
        listener.listen(1)
        Path(folder, "link").symlink_to(f"{folder}/s")
        assert master_pid(f"{folder}/link") == os.getpid()


def test_nobody_listens() -> None:
    assert master_pid("/nowhere/php.sock") is None
