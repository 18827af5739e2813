# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Which releases stay and why, and which old assets go along with a new release."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Container, Iterable, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.release import Record

# A process' start and a release's record are told by different clocks.
_SLACK_SECONDS = 0.5


@dataclass(frozen=True)
class Use:
    """A process that uses a release. ``started`` is in seconds since the epoch, ``how`` says by what."""

    pid: int
    comm: str
    how: str
    started: float = 0.0


@dataclass(frozen=True)
class Chain:
    """The releases that were live, as the live slot tells; ``switched`` is when the pointer was set last."""

    live: str = ""
    history: tuple[str, ...] = ()
    switched: float = 0.0

    def last(self, keep: int) -> tuple[str, ...]:
        """Return the live release and the ``keep`` before it, newest first, each once."""
        before = self.history[-keep:] if keep else ()
        return tuple(dict.fromkeys([self.live, *before[::-1]])) if self.live else ()


@dataclass(frozen=True)
class Kept:
    """A release that stays, and why."""

    id: str
    why: str


def plan_prune(
    there: Iterable[str],
    records: Mapping[str, Record],
    chain: Chain,
    keep: int,
    references: Mapping[str, str],
    uses: Mapping[str, Sequence[Use]],
    early: Sequence[Use],
    mounts: Mapping[str, str],
) -> tuple[list[Kept], list[str]]:
    """Return the releases that stay and those that go, by id.

    there: the directories of releases. references: ids that a slot names, with its name. uses: by id, the processes
    that use one. early: processes that were started by the stable path of the live release before the last switch: the
    release that they run is any that was built before them. mounts: ids that hold a mount point, with its path.
    Without a live release the newest ``keep`` stay.
    """
    last = chain.last(keep)
    newest = sorted(records, key=lambda name: records[name].built, reverse=True)[:keep] if not chain.live else []
    kept, gone = [], []
    for name in sorted(there):
        record = records.get(name)
        built = record.built - _SLACK_SECONDS if record is not None else math.inf
        by = [*uses.get(name, ()), *(use for use in early if built <= use.started)]
        if name == chain.live:
            why = "live"
        elif name in references:
            why = references[name]
        elif name in last:
            why = f"one of the last {keep} that were live"
        elif name in newest:
            why = f"one of the newest {keep}, and none is live"
        elif by:
            use, more = by[0], f" and {len(by) - 1} more" if len(by) > 1 else ""
            why = f"process {use.pid} ({use.comm}){more} uses it: {use.how}"
        elif name in mounts:
            why = f"{mounts[name]} is a mount point"
        elif record is None:
            why = "not built by this module"
        else:
            gone.append(name)
            continue
        kept.append(Kept(name, why))
    return kept, gone


def plan_assets(ships: Container[str], records: Mapping[str, Record], chain: Chain, keep: int) -> dict[str, list[str]]:
    """Return, by path, the old assets that a new release lacks, with the releases to take each from, newest first.

    Only what one of the last releases shipped itself counts: what it carried from others would stay for ever. A file
    of a release that is gone is taken from a newer one that carried it, and so from the live release at last.
    """
    last = chain.last(keep)
    found: dict[str, list[str]] = {}
    for name in last:
        for path in records[name].assets if name in records else ():
            if path not in ships and path not in found:
                found[path] = list(dict.fromkeys([name, *last]))
    return found
