# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Writes metrics about the memory of a PHP host for node_exporter's textfile collector.

Without options it does what its timer does. The settings are in /etc/phpops/metrics.json, which the role metrics
writes.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from typing import Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_catalogue import PROBES
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_settings import (
    Settings,
    settings,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.program_settings import SettingsError
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text
from ansible_collections.phpops.webhost.plugins.module_utils._host.lock import Locked, locked
from ansible_collections.phpops.webhost.plugins.module_utils._host.metrics import collect, sentence, write
from ansible_collections.phpops.webhost.plugins.module_utils._host.metrics_probes import RUN

CONFIG = "/etc/phpops/metrics.json"
LOCK = f"{RUN}/lock"
OK, FAILED = 0, 1


def main(words: Sequence[str] | None = None) -> int:
    """Run the program with the words of its command line; return its exit status. A failed probe is no failure."""
    parser = argparse.ArgumentParser(prog="metrics", description=__doc__)
    parser.add_argument("--config", default=CONFIG, help=f"the settings (default: {CONFIG})")
    parser.add_argument("--print", action="store_true", dest="show", help="show the metrics; write no file for them")
    parser.add_argument("--probe", action="append", choices=PROBES, help="run this one only; may be given again")
    chosen = parser.parse_args(words)
    try:
        found = _settings(chosen.config)
        if chosen.probe:
            if not chosen.show:
                return _fail("--probe goes with --print: a file with some of the metrics would lose the others")
            found = replace(found, probes=tuple(chosen.probe))
        if os.geteuid() != 0:
            return _fail("only root may look at the processes of all sites: run it as root")
        with locked(LOCK, 0):
            return _run(found, chosen.show)
    except Locked as error:
        return _fail(f"another run is in progress: {error}")
    except (Unreadable, SettingsError, OSError) as error:
        return _fail(str(error))


def _settings(path: str) -> Settings:
    try:
        return settings(read_text(path))
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}.") from error


def _run(chosen: Settings, show: bool) -> int:
    collected = collect(chosen)
    told = sentence(collected.as_dict())
    if show:
        sys.stdout.write(collected.text)
        sys.stderr.write(told + "\n")
        return OK
    write(collected, chosen.textfile_directory)
    sys.stdout.write(told + "\n")
    return OK


def _fail(why: str) -> int:
    sys.stderr.write(f"metrics: {why}\n")
    return FAILED
