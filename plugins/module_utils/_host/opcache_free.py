# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""How much memory the host has free for a process that lives for seconds."""

from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._host.memory import Paths, read_host


def free_bytes(paths: Paths | None = None) -> int | None:
    """Return what the tightest known limit on this host's memory leaves, None where no limit could be read."""
    found = [limit.headroom_bytes for limit in read_host(paths or Paths()).limits if limit.scope in ("host", "session")]
    known = [room for room in found if room is not None]
    return min(known) if known else None
