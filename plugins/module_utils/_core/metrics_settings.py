# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What the exporter is told on a host: the JSON file of the role metrics."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_catalogue import PROBES
from ansible_collections.phpops.webhost.plugins.module_utils._core.program_settings import SettingsError, read_object

LEAST_SECONDS = 15
MOST_PROBE_SECONDS = 120


@dataclass(frozen=True)
class Settings:
    """``textfile_directory`` is where the file goes; ``error_logs`` are patterns; folders and paths are absolute."""

    textfile_directory: str = "/var/lib/prometheus/node-exporter"
    interval_seconds: int = 60
    probe_timeout_seconds: float = 10.0
    probes: tuple[str, ...] = PROBES
    error_logs: tuple[str, ...] = (
        *("/var/log/apache2/*error.log", "/var/log/nginx/*error.log", "/var/log/php*-fpm.log"),
    )
    opcache_folders: tuple[str, ...] = ()
    beancounters_path: str = "/proc/user_beancounters"
    slabinfo_path: str = "/proc/slabinfo"

    def __post_init__(self) -> None:
        """Refuse what would not work."""
        if self.interval_seconds < LEAST_SECONDS:
            raise SettingsError(f"interval_seconds is {self.interval_seconds}; give at least {LEAST_SECONDS}")
        if not 0 < self.probe_timeout_seconds <= MOST_PROBE_SECONDS:
            raise SettingsError(
                f"probe_timeout_seconds is {self.probe_timeout_seconds:g}; give seconds above 0, at most "
                f"{MOST_PROBE_SECONDS}"
            )
        unknown = [name for name in self.probes if name not in PROBES]
        if unknown or not self.probes or len(set(self.probes)) < len(self.probes):
            raise SettingsError(f"probes is {', '.join(self.probes)}; give each once, of {', '.join(PROBES)}")
        paths = [
            *(("textfile_directory", self.textfile_directory), ("slabinfo_path", self.slabinfo_path)),
            ("beancounters_path", self.beancounters_path),
            *(("error_logs", path) for path in self.error_logs),
            *(("opcache_folders", path) for path in self.opcache_folders),
        ]
        for name, path in paths:
            # A blank would end the path in a unit's list.
            if not path.startswith("/") or any(letter.isspace() or ord(letter) < 32 for letter in path):
                raise SettingsError(f"{name} has {path!r}; give an absolute path without blanks")

    @property
    def run_seconds(self) -> int:
        """Return how long a run takes at most, when every probe has to be ended."""
        return int(len(self.probes) * (self.probe_timeout_seconds + 5)) + 30


def settings(text: str) -> Settings:
    """Return the settings in the text of the program's file; SettingsError says what is wrong with it."""
    found = read_object(text, "metrics")
    values: dict[str, Any] = {}
    for item in fields(Settings):
        if item.name not in found:
            continue
        value, kind = found[item.name], item.default
        if isinstance(kind, tuple):
            right = isinstance(value, list) and all(isinstance(one, str) for one in value)
            value = tuple(value) if right else value
        elif isinstance(kind, str):
            right = isinstance(value, str)
        else:
            right = isinstance(value, (int, float) if isinstance(kind, float) else int) and not isinstance(value, bool)
        if not right:
            raise SettingsError(f"{item.name} is {value!r}; run the role metrics again")
        values[item.name] = value
    return Settings(**values)


def settings_text(chosen: Settings) -> str:
    """Return the file that settings() reads back."""
    found = {"ansible_managed": "phpops.webhost, role metrics", **asdict(chosen)}
    return json.dumps(found, indent=2, sort_keys=True) + "\n"
