# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Gives sites their memory limits by a slot flip, takes them back, and says whether the kernel keeps them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import memory_limit
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.memory_limits import parse_cgroup_bytes
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout, unit_name
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_store as store
from ansible_collections.phpops.webhost.plugins.module_utils._host import systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import (
    Unreadable,
    fsync_dir,
    read_text,
    write_atomic,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot import Settings
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_run import apply_sites

RECORD = "memory-limits.json"
CGROUPS = "/sys/fs/cgroup"


def bring(
    run: systemd.Run,
    state: str,
    everywhere: memory_limit.Limits,
    sites: Sequence[memory_limit.Limits],
    settings: Settings,
    stop_on_error: bool,
    layout: Layout,
    cgroups: str = CGROUPS,
) -> dict[str, Any]:
    """Bring the sites of this host to their limits; returns {changed, failed, msg, diff, sites, unknown, summary}.

    Raises StepFailed, LimitError before anything is changed.
    """
    now = _specs(layout)
    record_path = Path(layout.state) / RECORD
    record = _read_record(record_path)
    if state == "present":
        goals = memory_limit.wanted(sorted(now), everywhere, sites)
        changes = memory_limit.present(now, goals, record)
    else:
        changes = memory_limit.absent(now, record)
    # Before the flip: a run that is killed in it must know what was there before.
    if changes and state == "present" and not settings.check_mode:
        record.update({change.name: change.recorded for change in changes})
        _write_record(record_path, record)
    given = [{"name": change.name, **change.options} for change in changes]
    result = apply_sites(given, "present", run, settings, stop_on_error, layout)
    if state == "absent" and not settings.check_mode:
        failed = {item["name"] for item in result["sites"] if item["failed"]}
        left = {change.name for change in changes} - {item["name"] for item in result["sites"]}
        _write_record(record_path, {name: record[name] for name in record if name in failed | left})
    flipped = {item["name"]: item["flipped"] for item in result["sites"]}
    effects = [{**effect(run, name, layout, cgroups), "flipped": flipped.get(name, False)} for name in sorted(now)]
    limited = [site for site in sites if any(site.get(key) is not None for key in memory_limit.KEYS)]
    unknown = sorted(str(site["name"]) for site in limited if site["name"] not in now)
    kept = {key: result[key] for key in ("changed", "failed", "msg", "diff")}
    lines = memory_limit.summary(effects, unknown)
    return {**kept, "sites": effects, "unknown": unknown, "summary": lines}


def effect(run: systemd.Run, site: str, layout: Layout, cgroups: str = CGROUPS) -> dict[str, Any]:
    """Return a site's limits as systemd has them for its live slot, and whether the kernel keeps them."""
    unit = unit_name(site, store.live_slot(site, layout) or "blue")
    shown = systemd.show(run, unit, ["MemoryHigh", "MemoryMax", "ControlGroup"])
    high, most = (memory_limit.shown_bytes(shown[key]) for key in ("MemoryHigh", "MemoryMax"))
    folder = f"{cgroups}{shown['ControlGroup']}"
    kernel = [_kernel(f"{folder}/{name}") if shown["ControlGroup"] else None for name in ("memory.high", "memory.max")]
    in_force = all(limit is None or _is_kept(limit, said) for limit, said in zip((high, most), kernel))
    found = {
        "name": site,
        "unit": unit,
        "memory_high_bytes": high,
        "memory_max_bytes": most,
        "used_bytes": _bytes(f"{folder}/memory.current") if shown["ControlGroup"] else None,
        "in_force": in_force,
    }
    return {**found, "reason": "" if in_force else _why(unit, shown["ControlGroup"], kernel)}


def _is_kept(limit: int, said: str | None) -> bool:
    """Return whether the kernel has a limit, which it rounds down to whole pages (cgroup-v2.rst)."""
    return said is not None and said.isdigit() and 0 <= limit - int(said) < os.sysconf("SC_PAGE_SIZE")


def _why(unit: str, group: str, kernel: Sequence[str | None]) -> str:
    if not group:
        return f"{unit} does not run: its limits begin with its next start."
    if None in kernel:
        return (
            f"The kernel has none for {unit}: this host has no cgroup v2 with the memory controller (a container, or"
            " cgroup v1), so systemd's limit has no effect; boot with cgroup v2, or ask who runs the machine."
        )
    return f"The kernel has other limits for {unit} ({', '.join(str(item) for item in kernel)}): run the role again."


def _kernel(path: str) -> str | None:
    try:
        return read_text(path).strip()
    except Unreadable:
        return None


def _bytes(path: str) -> int | None:
    try:
        return parse_cgroup_bytes(read_text(path))
    except (Unreadable, ValueError):
        return None


def _specs(layout: Layout) -> dict[str, Mapping[str, Any]]:
    """Return the stored options of each site's live slot, by name."""
    found: dict[str, Mapping[str, Any]] = {}
    for name in store.sites(layout):
        slot = store.live_slot(name, layout)
        stored = store.read_stored(name, slot, layout) if slot else None
        if stored is not None:
            found[name] = stored
    return found


def _read_record(path: Path) -> dict[str, Any]:
    try:
        stored = json.loads(read_text(path))
        return {name: {key: dict(known[key]) for key in ("before", "set")} for name, known in stored.items()}
    except Unreadable as error:
        if error.missing:
            return {}
        raise StepFailed(error.reason) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StepFailed(f"{path} can't be read ({error}): restore or remove it.") from error


def _write_record(path: Path, record: Mapping[str, Any]) -> None:
    if record:
        write_atomic(path, json.dumps(record, indent=1, sort_keys=True) + "\n", 0o644)
    elif path.exists():
        path.unlink()
        fsync_dir(path.parent)
