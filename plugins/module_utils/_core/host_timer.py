# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The systemd service and timer that run a program of the collection again and again, with few rights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping

UNITS = "/etc/systemd/system"
# What the program can do without, whatever it does (systemd.exec(5)); what it needs is said by Timer.
_HARDENING = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectControlGroups": "yes",
    "ProtectClock": "yes",
    "ProtectHostname": "yes",
    "RestrictAddressFamilies": "AF_UNIX",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes",
    "SystemCallArchitectures": "native",
    "UMask": "0077",
}


@dataclass(frozen=True)
class Timer:
    """A program and how often it runs.

    ``name`` is that of the units, without suffix, of the log's identifier and of the program's folder below /run.
    ``capabilities`` are the only ones it has; ``system_calls`` come on top of systemd's @system-service; ``relaxed``
    are directives of the service with other values than a program can do with in most cases, or besides these.
    With ``state`` it has a folder of its name below /var/lib that outlives a boot.
    """

    name: str
    role: str
    description: str
    program: str
    interval_seconds: int
    capabilities: tuple[str, ...] = ()
    system_calls: tuple[str, ...] = ()
    timeout_seconds: int = 300
    relaxed: Mapping[str, str] = field(default_factory=dict)
    state: bool = False

    @property
    def service(self) -> str:
        """The unit that runs the program once."""
        return f"{self.name}.service"

    @property
    def timer(self) -> str:
        """The unit that starts it again and again."""
        return f"{self.name}.timer"


def units(timer: Timer) -> dict[str, str]:
    """Return the texts of both units by their names (systemd.service(5), systemd.timer(5)).

    The next run is counted from the end of the last: two never overlap, and a host that was off has nothing to make up.
    """
    head = f"# Ansible managed: phpops.webhost, role {timer.role}\n"
    service = [
        "[Unit]",
        f"Description={timer.description}",
        "# People run it by hand as often as they like.",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        "Type=oneshot",
        f"ExecStart={timer.program}",
        f"TimeoutStartSec={timer.timeout_seconds}",
        f"SyslogIdentifier={timer.name}",
        f"RuntimeDirectory={timer.name}",
        "RuntimeDirectoryPreserve=yes",
        *([f"StateDirectory={timer.name}"] if timer.state else []),
        f"CapabilityBoundingSet={' '.join(timer.capabilities)}",
        f"SystemCallFilter={' '.join(('@system-service', *timer.system_calls))}",
        *(f"{name}={value}" for name, value in {**_HARDENING, **timer.relaxed}.items()),
    ]
    every = timer.interval_seconds
    clock = [
        "[Unit]",
        f"Description={timer.description}, every {every} s",
        "",
        "[Timer]",
        f"OnActiveSec={every}",
        f"OnUnitInactiveSec={every}",
        f"AccuracySec={max(1, min(60, every // 10))}",
        "",
        "[Install]",
        "WantedBy=timers.target",
    ]
    return {timer.service: head + "\n".join(service) + "\n", timer.timer: head + "\n".join(clock) + "\n"}
