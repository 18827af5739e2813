# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Removes releases that nobody needs any more."""

from __future__ import annotations

import os
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.release import ID, Wanted, parse_record
from ansible_collections.phpops.webhost.plugins.module_utils._core.release_keep import Kept, plan_prune
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host import release_place, release_use
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, fsync_dir, read_text


def prune(wanted: Wanted, layout: Layout, check_mode: bool) -> dict[str, Any]:
    """Remove old releases and return what was removed, what stays, and why. Raises StepFailed and OSError."""
    if not os.path.isdir(wanted.releases):
        return {"changed": False, "pruned": [], "kept": [], "msg": f"There is no folder {wanted.releases} yet."}
    with nullcontext() if check_mode else release_place.path_lock(wanted.releases):
        if not check_mode:
            release_place.remove_leftovers(wanted.releases)
            _remove_orphans(wanted.releases)
        kept, gone, closed = plan(wanted, layout)
        if not check_mode:
            for name in gone:
                remove(wanted.releases, name)
    result = {
        "changed": bool(gone),
        "pruned": gone,
        "kept": [{"id": one.id, "why": one.why} for one in kept],
        "diff": {"before": "".join(f"{wanted.releases}/{name}\n" for name in gone), "after": ""},
        "msg": f"{len(gone)} releases {'would be' if check_mode else 'were'} removed, {len(kept)} stay.",
    }
    if closed:
        result["warnings"] = [
            f"Nothing was removed: {closed} processes of this host don't let us see what they use; run the task with"
            " become, and in a container with CAP_SYS_PTRACE."
        ]
    return result


def plan(wanted: Wanted, layout: Layout, proc: str = "/proc") -> tuple[list[Kept], list[str], int]:
    """Return the releases that stay, those that go, and how many processes can't be looked into (then none goes)."""
    there = release_place.directories(wanted.releases)
    chain = release_place.chain(wanted.site, layout)
    references = release_use.references(wanted.path, layout)
    records, mounts = release_place.records(wanted.releases), release_use.mount_points(wanted.releases)
    kept, gone = plan_prune(there, records, chain, wanted.keep, references, {}, (), mounts)
    if not gone:
        return kept, gone, 0
    # Looking at all processes is what takes time: only when something would go.
    stable = (f"{wanted.path}/current", layout.pointer(wanted.site))
    usage = release_use.processes(wanted.releases, stable, proc)
    early = [use for use in usage.stable if use.started <= chain.switched + 1]
    kept, gone = plan_prune(there, records, chain, wanted.keep, references, usage.uses, early, mounts)
    if usage.closed:
        why = f"{usage.closed} processes can't be looked into"
        kept, gone = sorted([*kept, *(Kept(name, why) for name in gone)], key=lambda one: one.id), []
    return kept, gone, usage.closed


def remove(releases: str, name: str) -> None:
    """Take a release's name away, then its record, then its files: no half release can be seen."""
    old = f"{releases}/{release_place.new_name('old', name)}"
    os.rename(f"{releases}/{name}", old)
    with suppress(FileNotFoundError):
        os.unlink(f"{releases}/{name}.json")
    fsync_dir(releases)
    release_place.remove_tree(old)


def _remove_orphans(releases: str) -> None:
    """Remove records whose release is gone: a run was killed after it had written the record."""
    for path in Path(releases).glob("*.json"):
        if not ID.fullmatch(path.stem) or path.is_symlink() or os.path.lexists(f"{releases}/{path.stem}"):
            continue
        with suppress(Unreadable):
            if parse_record(read_text(path)) is not None:
                path.unlink()
