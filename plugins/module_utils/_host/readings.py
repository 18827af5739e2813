# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What an earlier run read, in one file for all modules: each keeps its own section of it."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text, write_atomic

_MAX_BYTES = 16 * 1024 * 1024
# Failure counts of the beancounters, and the dentry cache.
FAILCNT, DENTRIES = "failcnt", "dentries"


def _load(path: str) -> tuple[dict[str, Any], str | None]:
    """Return the whole file ({} without one), and a warning when it is not one of ours."""
    try:
        stored = json.loads(read_text(path, _MAX_BYTES))
    except Unreadable as error:
        return {}, None if error.missing else f"state_path: {error.reason}"
    except (ValueError, RecursionError):
        stored = None
    if not isinstance(stored, dict) or set(stored) - {FAILCNT, DENTRIES}:
        return {}, not_ours(path)
    return stored, None


def not_ours(path: str) -> str:
    """Return the warning about a file that holds something else."""
    return f"state_path: {path} is no state of this collection, it counts as absent: name another file."


def read_reading(path: str, section: str) -> tuple[Any, str | None]:
    """Return what an earlier run kept in a section (None without one), and a warning when the file is not ours."""
    stored, warning = _load(path)
    return stored.get(section), warning


def keep_reading(path: str, section: str, reading: Any) -> str | None:
    """Put a reading into its section for the next run; return a warning when the file can't be written."""
    stored, _warning = _load(path)
    try:
        write_atomic(path, json.dumps({**stored, section: reading}, sort_keys=True) + "\n", 0o600)
    except OSError as error:
        return f"state_path: {path} can't be written ({error.strerror}): name a writable file."
    return None
