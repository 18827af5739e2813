# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What the role worker_recycle's program is told on a host, and what it may do there."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.host_timer import Timer
from ansible_collections.phpops.webhost.plugins.module_utils._core.program_settings import SettingsError
from ansible_collections.phpops.webhost.plugins.module_utils._core.recycle import (
    Settings,
    settings,
    settings_text,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.programs.worker_recycle import CONFIG

LEAST_SECONDS = 5


def recycle_timer(program: str, interval_seconds: int) -> Timer:
    """Return the program's timer; SettingsError for an interval that can't be used."""
    if interval_seconds < LEAST_SECONDS:
        raise SettingsError(f"interval_seconds is {interval_seconds}; give at least {LEAST_SECONDS}")
    return Timer(
        name="phpops-worker-recycle",
        role="worker_recycle",
        description="Ask PHP workers that grew too large to go",
        program=program,
        interval_seconds=interval_seconds,
        # To see other users' processes, to hold one still, to signal it, and to rename mod_fcgid's socket.
        capabilities=("CAP_SYS_PTRACE", "CAP_KILL", "CAP_DAC_READ_SEARCH", "CAP_DAC_OVERRIDE"),
        system_calls=("ptrace",),
    )


def settings_files(threshold_bytes: int, share: float, sites: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the program's settings by path; SettingsError for what the program would refuse."""
    names = [site["name"] for site in sites]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SettingsError(f"sites names {twice[0]} twice; name each site once")
    text = settings_text(Settings(threshold_bytes, share, {site["name"]: site["threshold_bytes"] for site in sites}))
    settings(text)
    return {CONFIG: text}
