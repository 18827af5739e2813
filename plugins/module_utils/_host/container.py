# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Tells whether this host is a container, whose /proc shows another system's kernel."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text

_KIND = re.compile(r"^[a-z0-9][a-z0-9._-]{0,31}$")


def container_kind(root: str = "/") -> str | None:
    """Return the kind of container (``podman``, ``docker``, ``lxc``, ``openvz``, …), None on a machine of its own.

    Reads what systemd, podman and docker leave in the file system, so any user may ask. A container whose manager
    leaves no mark is not recognised. ``root`` is for tests. Source: systemd's container interface.
    """
    top = Path(root)
    try:
        kind = read_text(top / "run/systemd/container", max_bytes=4096).strip()
    except Unreadable:
        kind = ""
    if _KIND.match(kind):
        return kind
    if (top / "run/.containerenv").exists():
        return "podman"
    if (top / ".dockerenv").exists():
        return "docker"
    # An OpenVZ node has both, its containers only /proc/vz.
    if (top / "proc/vz").exists() and not (top / "proc/bc").exists():
        return "openvz"
    return None
