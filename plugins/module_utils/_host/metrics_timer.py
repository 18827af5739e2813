# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Puts the exporter's settings and timer on a host, runs it once, and reads back what it did."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.host_timer import UNITS, Timer
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_settings import (
    Settings,
    settings,
    settings_text,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.program_settings import SettingsError
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host import host_timer, systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text
from ansible_collections.phpops.webhost.plugins.module_utils._host.metrics import FILE, LAST, last_run, sentence
from ansible_collections.phpops.webhost.plugins.module_utils._host.programs.metrics import CONFIG

NAME = "phpops-metrics"


@dataclass
class Exported:
    """What was done, and what the exporter's last run was: {series, probes}, None where there was none."""

    placed: host_timer.Placed = field(default_factory=host_timer.Placed)
    last: dict[str, Any] | None = None
    path: str = ""

    def summary(self) -> list[str]:
        """Return it as sentences."""
        ran = f"{self.path}: {sentence(self.last)}" if self.last else "The exporter has not run yet."
        return [host_timer.sentence(self.placed.effect), ran]


@dataclass(frozen=True)
class Paths:
    """Where the host's files are; others than these are for tests."""

    units: str = UNITS
    config: str = CONFIG
    last: str = LAST


HOST = Paths()


def metrics_timer(program: str, chosen: Settings) -> Timer:
    """Return the exporter's timer with what it needs beyond other programs, and no more."""
    writes = [chosen.textfile_directory, Layout().state, *chosen.opcache_folders]
    return Timer(
        name=NAME,
        role="metrics",
        description="Write metrics of PHP's memory for Prometheus",
        program=program,
        interval_seconds=chosen.interval_seconds,
        # To see other users' processes and what of their segments was touched, to read root's logs, to connect to the
        # pools' sockets, and to give the script that asks them to their group.
        capabilities=(
            *("CAP_SYS_PTRACE", "CAP_CHECKPOINT_RESTORE", "CAP_DAC_READ_SEARCH", "CAP_DAC_OVERRIDE", "CAP_CHOWN"),
        ),
        timeout_seconds=chosen.run_seconds,
        relaxed={
            # Pools may have folders there, and listen on TCP.
            "ProtectHome": "read-only",
            "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6",
            # A /dev of its own would be one more tmpfs to count.
            "PrivateDevices": "no",
            "DevicePolicy": "closed",
            "ReadWritePaths": " ".join(f"-{path}" for path in writes),
            # If memory runs out, the exporter goes before a visitor's request does.
            "OOMScoreAdjust": "500",
            "Nice": "10",
        },
        state=True,
    )


def present(run: systemd.Run, program: str, chosen: Settings, check_mode: bool, paths: Paths = HOST) -> Exported:
    """Bring settings and timer to what is chosen, and run the exporter once; raises StepFailed."""
    old = _elsewhere(chosen, paths)
    target = f"{chosen.textfile_directory}/{FILE}"
    if not check_mode and not Path(chosen.textfile_directory).is_dir():
        raise StepFailed(
            f"There is no folder {chosen.textfile_directory} on this host: install prometheus-node-exporter, or name "
            "the folder of its textfile collector."
        )
    timer = metrics_timer(program, chosen)
    placed = host_timer.present(run, timer, {paths.config: settings_text(chosen)}, check_mode, paths.units)
    if old is not None:
        placed.changed = True
        placed.diff.append({"before_header": old, "after_header": old, "before": "metrics\n", "after": ""})
    if check_mode:
        return Exported(placed, last_run(paths.last), target)
    try:
        systemd.start(run, timer.service)
    except systemd.SystemctlError as error:
        said = " / ".join(systemd.last_log_lines(run, timer.service, 3))
        raise StepFailed(f"The exporter could not run: {said or error}") from error
    last = last_run(paths.last)
    if last is None or not Path(target).is_file():
        raise StepFailed(f"The exporter ran and left no {target}; look at the journal of {timer.service}.")
    if old is not None:
        Path(old).unlink()
    placed.effect = host_timer.timer_effect(run, timer)
    return Exported(placed, last, target)


def absent(run: systemd.Run, program: str, chosen: Settings, check_mode: bool, paths: Paths = HOST) -> Exported:
    """Take the timer, the settings and the metrics away; raises StepFailed."""
    metrics = {f"{chosen.textfile_directory}/{FILE}", _elsewhere(chosen, paths)} - {None}
    files = dict.fromkeys([paths.config, *sorted(str(path) for path in metrics)], "")
    placed = host_timer.absent(run, metrics_timer(program, chosen), files, check_mode, paths.units)
    return Exported(placed)


def _elsewhere(chosen: Settings, paths: Paths) -> str | None:
    """Return the metrics that another folder holds by the settings of before, None for none."""
    try:
        before = settings(read_text(paths.config)).textfile_directory
    except (Unreadable, SettingsError):
        return None
    path = f"{before}/{FILE}"
    return path if before != chosen.textfile_directory and Path(path).is_file() else None
