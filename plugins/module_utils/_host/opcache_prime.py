# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What opcache_prime does: a slot of a site under its lease, or any pool of the host."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.prime_cache import Marks
from ansible_collections.phpops.webhost.plugins.module_utils._core.prime_state import begin, report
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import (
    NAME,
    EntryPoint,
    SpecError,
    build,
    entry_points,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import SLOTS, Layout, other
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_store as store
from ansible_collections.phpops.webhost.plugins.module_utils._host.lease import hold
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_prime import (
    Bounds,
    PrimeFailed,
    Primer,
    Target,
    script_root,
    slot_folders,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_spec import entry_strings
from ansible_collections.phpops.webhost.plugins.module_utils._host.web_files import references

MOST_CONCURRENCY = 64
STEP = "prime"


def prime(options: Mapping[str, Any], layout: Layout, check_mode: bool) -> dict[str, Any]:
    """Do what the module's options ask for; returns its result, with failed and msg when something is wrong."""
    target = Target("", "", "")
    entries: list[EntryPoint] = []
    try:
        bounds = _bounds(options)
        if not options["site"]:
            target, entries = _pool(options)
            return _run(target, entries, bounds, options["carry"], check_mode)
        if not NAME.fullmatch(options["site"]):
            raise StepFailed(f"Site name {options['site']!r} can't be used: give 1 to 32 characters of a-z, 0-9, _, -.")
        with hold(options["site"], options["deploy_id"], layout, check_mode=check_mode) as held:
            if not check_mode:
                held.step(STEP)
            target, entries, workers = _slot(options, layout, check_mode)
            bounds = _bounds(options, workers)
            return _run(target, entries, bounds, options["carry"], check_mode)
    except PrimeFailed as error:
        return _failed(error.result, str(error))
    except (StepFailed, SpecError) as error:
        return _failed(report(begin(entries, target.socket, target.root), entries, target.root), str(error))
    except OSError as error:
        cure = " Run the task with become." if isinstance(error, PermissionError) else ""
        what = f"The priming could not be done: {error}.{cure}"
        return _failed(report(begin(entries, target.socket, target.root), entries, target.root), what)


def _failed(result: Mapping[str, Any], message: str) -> dict[str, Any]:
    changed = result["requests"] > 0
    return {**result, "changed": changed, "failed": True, "pending": False, "progress": "", "carry": {}, "msg": message}


def _run(
    target: Target, entries: Sequence[EntryPoint], bounds: Bounds, carry: Mapping[str, Any], check_mode: bool
) -> dict[str, Any]:
    if check_mode:
        result = report(begin(entries, target.socket, target.root), entries, target.root)
        paths = ", ".join(entry.path for entry in entries) or "nothing"
        said = f"Would ask {target.socket} for {paths}, in up to {bounds.rounds} rounds."
        return {**result, "changed": bool(entries), "pending": False, "progress": "", "carry": {}, "msg": said}
    result = Primer(target, entries, bounds).run(carry)
    return {**result, "changed": result["requests"] > 0}


def _bounds(options: Mapping[str, Any], workers: int = MOST_CONCURRENCY) -> Bounds:
    """Return how far to go; never more requests at a time than the pool has workers."""
    limits = {
        "concurrency": (1, MOST_CONCURRENCY),
        "rounds": (1, 1000),
        "timeout_seconds": (0, 86400),
        "request_timeout_seconds": (0.1, 86400),
        "slice_seconds": (0, 3600),
        "memory_ratio_max": (0.01, 1),
        "keys_ratio_max": (0.01, 1),
    }
    for name, (least, most) in limits.items():
        if not least <= options[name] <= most:
            raise StepFailed(f"{name} is {options[name]:g}; give a number from {least:g} to {most:g}.")
    return Bounds(
        concurrency=min(options["concurrency"], workers),
        rounds=options["rounds"],
        timeout_seconds=options["timeout_seconds"],
        request_timeout_seconds=options["request_timeout_seconds"],
        marks=Marks(options["memory_ratio_max"], options["keys_ratio_max"]),
        slice_seconds=options["slice_seconds"],
    )


def _pool(options: Mapping[str, Any]) -> tuple[Target, list[EntryPoint]]:
    """Return a pool that is no slot of ours."""
    socket, root = options["socket"], options["root"].rstrip("/") or "/"
    if not Path(root).is_dir():
        raise StepFailed(f"root is {root}, which is no folder of this host; give the document root of the pool's site.")
    entries = entry_points(socket, entry_strings(options["entry_points"] or []))
    return Target("localhost", socket, root, [root], None, f"from {socket}", socket), entries


def _slot(options: Mapping[str, Any], layout: Layout, check_mode: bool) -> tuple[Target, list[EntryPoint], int]:
    """Return a slot of a site, its entry points, and how many workers it has."""
    site = options["site"]
    live = store.live_slot(site, layout)
    slot = options["slot"] or (other(live) if live else SLOTS[0])
    stored = store.read_stored(site, slot, layout)
    if stored is None and check_mode and live is not None:
        # The slot is made by a step before, which check mode leaves out: the live one's options come closest.
        stored = store.read_stored(site, live, layout)
    given = options["entry_points"]
    if stored is None:
        if not check_mode:
            raise StepFailed(f"Slot {slot} of site {site} is not there; make it with slot_prepare, or name a slot.")
        entries = entry_points(site, entry_strings(given or []))
        return Target(site, layout.web_socket(site, slot), f"{layout.pointer(site)}/docroot"), entries, MOST_CONCURRENCY
    spec = build(stored)
    entries = spec.entry_points if given is None else entry_points(site, entry_strings(given))
    folders, gid = slot_folders(spec, slot, layout)
    target = Target(
        name=site,
        socket=layout.web_socket(site, slot),
        root=script_root(spec, layout.pointer(site), references),
        folders=folders,
        gid=gid,
        source=f"from slot {slot}",
    )
    return target, entries, spec.process_manager.max_children
