# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Whether a host has a kernel of its own, whose settings and swap may be changed from here."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.phpops.webhost.plugins.module_utils._host import systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.container import container_kind


def shared_with(run: systemd.Run, root: str = "/") -> str | None:
    """Return None for a machine of its own, else what it is: ``a container (podman)``, ``an OpenVZ node``.

    ``root`` is for tests. systemd-detect-virt(1) also knows containers whose manager leaves no mark.
    """
    kind = container_kind(root)
    if not kind:
        status, out, _err = run(["systemd-detect-virt", "--container"])
        kind = out.strip() if status == 0 else None
    if kind and kind != "none":
        return f"a container ({kind})"
    return "an OpenVZ node" if (Path(root) / "proc/vz").exists() else None
