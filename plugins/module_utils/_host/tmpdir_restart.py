# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Restarts Apache, the only way to give it another environment, and tells what that cost as far as the host can see."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Collection

from ansible_collections.phpops.webhost.plugins.module_utils._core.environ import environment_value
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir_apache import listen_ports
from ansible_collections.phpops.webhost.plugins.module_utils._host import php_cgi, systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache_control import Apache, ApacheError

UNIT = "apache2.service"
_POLL_SECONDS = 0.05
_START_SECONDS = 30.0


def in_force(apache: Apache, proc: str = "/proc") -> str | None:
    """Return the TMPDIR of Apache's running parent process, None where it has none or doesn't run."""
    parent = apache.parent()
    if not parent:
        return None
    try:
        return environment_value((Path(proc) / str(parent) / "environ").read_bytes(), "TMPDIR")
    except OSError:
        return None


def connections(run: systemd.Run, ports: Collection[str]) -> int | None:
    """Return how many TCP connections clients have open to these ports, None where ss can't tell."""
    # Columns: Recv-Q, Send-Q, local address, peer; which process has them is not to be had everywhere.
    status, out, _err = run(["ss", "-tnH", "state", "established"])
    rows = [line.split() for line in out.splitlines()]
    return sum(len(row) > 3 and row[2].rpartition(":")[2] in ports for row in rows) if status == 0 else None


def restart(apache: Apache, run: systemd.Run, idle_timeout_seconds: float) -> dict[str, Any]:
    """Restart Apache when no php-cgi serves a request, or when the time for that is over. Raises ApacheError.

    Returns {seconds: without a parent process that is ready, waited_seconds, busy_php_cgi, open_connections: just
    before}. Requests in flight may be lost, and new ones are refused meanwhile: only a client can count them.
    """
    ports = listen_ports(apache.dump())
    waited, busy = php_cgi.wait_idle(idle_timeout_seconds)
    opened = connections(run, ports)
    before = time.monotonic()
    status, out, err = run(["systemctl", "--no-pager", "restart", UNIT])
    while status == 0 and not apache.parent() and time.monotonic() - before < _START_SECONDS:
        time.sleep(_POLL_SECONDS)
    if status != 0 or not apache.parent():
        said = " ".join((err or out).split()) or f"status {status}"
        raise ApacheError(f"Apache did not come up again after its restart: {said}; see `journalctl -u {UNIT}`.")
    return {
        "seconds": round(time.monotonic() - before, 2),
        "waited_seconds": round(waited, 2),
        "busy_php_cgi": len(busy),
        "open_connections": opened,
    }
