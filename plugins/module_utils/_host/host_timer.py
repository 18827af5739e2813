# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Puts a program's timer and settings on the host, and takes them away again."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.host_timer import UNITS, Timer, units
from ansible_collections.phpops.webhost.plugins.module_utils._host import systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import (
    Unreadable,
    bytes_if_there,
    fsync_dir,
    write_atomic,
)

RUN = "/run"
STATE = "/var/lib"


@dataclass
class Placed:
    """What was done: whether something changed, the diff of each file, and what systemd says now."""

    changed: bool = False
    diff: list[dict[str, str]] = field(default_factory=list)
    effect: dict[str, Any] = field(default_factory=dict)


def present(
    run: systemd.Run, timer: Timer, settings: Mapping[str, str], check_mode: bool, folder: str = UNITS
) -> Placed:
    """Write the units and the program's settings (text by path), and start the timer; raises StepFailed.

    systemd has read the units in a folder of their own before they are put in their place.
    """
    texts = {f"{folder}/{name}": text for name, text in units(timer).items()}
    placed = _compare({**texts, **settings})
    changed_units = any(_read(path) != text for path, text in texts.items())
    unread = changed_units or _is_unread(run, timer)
    running = timer_effect(run, timer)
    placed.changed = bool(placed.diff) or unread or not (running["active"] and running["enabled"])
    placed.effect = running
    if check_mode or not placed.changed:
        return placed
    if changed_units:
        verify(run, timer)
    for path, text in {**settings, **texts}.items():
        _write(path, text)
    if unread:
        systemd.daemon_reload(run)
        # A timer that runs keeps the clock that it was started with.
        systemd.systemctl(run, ["restart", timer.timer])
    systemd.enable(run, timer.timer)
    systemd.start(run, timer.timer)
    placed.effect = timer_effect(run, timer)
    if not (placed.effect["active"] and placed.effect["enabled"]):
        raise StepFailed(f"{timer.timer} was started, but systemd says {placed.effect}; look at its journal.")
    return placed


def absent(
    run: systemd.Run, timer: Timer, settings: Mapping[str, str], check_mode: bool, folder: str = UNITS
) -> Placed:
    """Stop the timer and a run in progress, and remove both units and the settings; raises StepFailed."""
    paths = [f"{folder}/{name}" for name in units(timer)]
    placed = _compare(dict.fromkeys([*paths, *settings]))
    placed.changed = bool(placed.diff)
    if check_mode or not placed.changed:
        placed.effect = timer_effect(run, timer)
        return placed
    if any(_read(path) is not None for path in paths):
        systemd.disable(run, timer.timer)
        systemd.stop(run, timer.timer)
        systemd.stop(run, timer.service)
    for path in [*paths, *settings]:
        _remove(path)
    systemd.daemon_reload(run)
    systemd.reset_failed(run, timer.service)
    for kept in (RUN, STATE) if timer.state else (RUN,):
        shutil.rmtree(f"{kept}/{timer.name}", ignore_errors=True)
    placed.effect = timer_effect(run, timer)
    return placed


def verify(run: systemd.Run, timer: Timer) -> None:
    """Let systemd read the units where nothing uses them; StepFailed says what it has against them."""
    with tempfile.TemporaryDirectory(prefix="phpops-") as folder:
        paths = []
        for name, text in units(timer).items():
            paths.append(f"{folder}/{name}")
            Path(paths[-1]).write_text(text, encoding="utf-8")
        status, out, err = run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *paths])
    if status != 0:
        raise StepFailed(f"systemd refuses {timer.service}: {' / '.join((err + out).splitlines()[:3])}")


def timer_effect(run: systemd.Run, timer: Timer) -> dict[str, Any]:
    """Return what systemd says of the timer and of the last run; times are systemd's own words."""
    wanted = ["ActiveState", "UnitFileState", "Result", "ExecMainExitTimestamp"]
    found = systemd.show_all(run, [timer.timer, timer.service], wanted)
    clock, service = found[timer.timer], found[timer.service]
    return {
        "timer": timer.timer,
        "active": clock["ActiveState"] == "active",
        "enabled": clock["UnitFileState"] == "enabled",
        "last_result": service["Result"],
        "last_run": service["ExecMainExitTimestamp"] or None,
    }


def _is_unread(run: systemd.Run, timer: Timer) -> bool:
    """Return whether a run that was killed wrote units that systemd has not read."""
    found = systemd.show_all(run, [timer.timer, timer.service], ["NeedDaemonReload"])
    return any(unit["NeedDaemonReload"] == "yes" for unit in found.values())


def sentence(effect: Mapping[str, Any]) -> str:
    """Return what systemd says of the timer as one line."""
    state = f"{'active' if effect['active'] else 'not active'} and {'enabled' if effect['enabled'] else 'not enabled'}"
    ran = (
        f"its last run, {effect['last_run']}, ended with {effect['last_result']}"
        if effect["last_run"]
        else "no run yet"
    )
    return f"{effect['timer']} is {state}; {ran}."


def _compare(wanted: Mapping[str, str | None]) -> Placed:
    placed = Placed()
    for path, text in wanted.items():
        before = _read(path)
        if before != text:
            shown = {"before": before or "", "after": text or ""}
            placed.diff.append({"before_header": path, "after_header": path, **shown})
    return placed


def _read(path: str) -> str | None:
    try:
        content = bytes_if_there(path)
    except Unreadable as error:
        raise StepFailed(error.reason) from error
    return None if content is None else content.decode("utf-8", errors="replace")


def _write(path: str, text: str) -> None:
    try:
        Path(path).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        write_atomic(path, text, 0o644, 0, 0)
    except OSError as error:
        raise StepFailed(f"{path} can't be written: {error.strerror or error}.") from error


def _remove(path: str) -> None:
    try:
        Path(path).unlink()
        fsync_dir(Path(path).parent)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StepFailed(f"{path} can't be removed: {error.strerror or error}.") from error
