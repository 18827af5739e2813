# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Asks PHP-FPM workers and php-cgi that wait for a request to go when they have grown above a threshold.

Without options it does what its timer does. The settings are in /etc/phpops/worker-recycle.json, which the role
worker_recycle writes.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from typing import Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.accept_wait import knows_machine
from ansible_collections.phpops.webhost.plugins.module_utils._core.program_settings import SettingsError
from ansible_collections.phpops.webhost.plugins.module_utils._core.recycle import (
    Settings,
    Worker,
    plan,
    settings,
    table,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text
from ansible_collections.phpops.webhost.plugins.module_utils._host.lock import Locked, locked
from ansible_collections.phpops.webhost.plugins.module_utils._host.recycle import Host, recycle
from ansible_collections.phpops.webhost.plugins.module_utils._host.workers import workers

CONFIG = "/etc/phpops/worker-recycle.json"
LOCK = "/run/phpops-worker-recycle/lock"
OK, FAILED = 0, 1


def main(words: Sequence[str] | None = None) -> int:
    """Run the program with the words of its command line; return its exit status."""
    parser = argparse.ArgumentParser(prog="worker-recycle", description=__doc__)
    parser.add_argument("--config", default=CONFIG, help=f"the settings (default: {CONFIG})")
    parser.add_argument("--dry-run", action="store_true", help="show all workers and who would go; signal none")
    parser.add_argument("--threshold-bytes", type=int, help="instead of all thresholds of the settings")
    parser.add_argument("--share", type=float, help="the part of a pool that may go at once, 0 to 1, at least 1 worker")
    chosen = parser.parse_args(words)
    try:
        found = _settings(chosen)
        if not knows_machine(os.uname().machine):
            return _fail(f"system calls of {os.uname().machine} machines are not known: no worker can be seen waiting")
        if os.geteuid() != 0:
            return _fail("only root may look at the workers of all sites: run it as root")
        if chosen.dry_run:
            return _show(workers(), found, Host())
        with locked(LOCK, 0):
            return _run(found)
    except Locked as error:
        return _fail(f"another run is in progress: {error}")
    except (Unreadable, SettingsError, OSError) as error:
        return _fail(str(error))


def _settings(chosen: argparse.Namespace) -> Settings:
    if chosen.threshold_bytes is not None and chosen.share is not None:
        return Settings(chosen.threshold_bytes, chosen.share)
    try:
        found = settings(read_text(chosen.config))
    except SettingsError as error:
        raise SettingsError(f"{chosen.config}: {error}.") from error
    if chosen.threshold_bytes is not None:
        found = replace(found, threshold_bytes=chosen.threshold_bytes, sites={})
    return found if chosen.share is None else replace(found, share=chosen.share)


def _run(chosen: Settings) -> int:
    outcome = recycle(workers(), chosen, _say, Host())
    if outcome.above:
        _say(outcome.sentence())
    if outcome.fatal:
        return _fail(f"ended early: {outcome.fatal}; root needs CAP_SYS_PTRACE, and kernel.yama.ptrace_scope below 3")
    return FAILED if outcome.failed else OK


def _show(found: Sequence[Worker], chosen: Settings, host: Host) -> int:
    for line in table(found, chosen):
        _say(line)
    for pool in plan(found, chosen):
        waiting = [worker for worker in pool.above if host.waits(worker)]
        going = ", ".join(str(worker.pid) for worker in waiting[: pool.allowed]) or "none"
        _say(
            f'pool "{pool.name}": {pool.workers} workers, {len(pool.above)} above the threshold,'
            f" {len(waiting)} of these idle now, at most {pool.allowed} at once: {going} would go"
        )
    return OK


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _fail(why: str) -> int:
    sys.stderr.write(f"worker-recycle: {why}\n")
    return FAILED
