# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""How far the priming of a master has come: carried from one module call to the next, and told to the user."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.prime_cache import Figures
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import EntryPoint
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of

# An answer that took this long is worth a word before it is asked for again.
SLOW_SECONDS = 1.0
SHOWN_LETTERS = 60


class CarryError(ValueError):
    """What was carried over does not belong to this priming; one sentence."""


@dataclass
class Asked:
    """What one entry point gave so far: the first answer's seconds (cold) and the last one's (primed)."""

    status: int | None = None
    first_seconds: float | None = None
    last_seconds: float | None = None
    requests: int = 0
    msg: str = ""


@dataclass
class State:
    """One priming. ``round`` counts from 1; ``next`` is the entry point of this round that comes next.

    blind: the cache's figures can't be had, and ``note`` says why.
    """

    key: str
    asked: list[Asked]
    round: int = 1
    next: int = 0
    seconds: float = 0.0
    requests: int = 0
    probes: int = 0
    first: Figures | None = None
    last: Figures | None = None
    waited: bool = False
    blind: bool = False
    stable: bool | None = None
    ended: bool = False
    note: str = ""

    def carry(self) -> dict[str, Any]:
        """Return what the next call needs, as plain values."""
        return asdict(self)


def key_of(entries: Sequence[EntryPoint], socket_path: str, root: str) -> str:
    """Return a digest of what is primed, so that another priming's carry is not taken for this one's."""
    told = json.dumps([[asdict(entry) for entry in entries], socket_path, root], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def begin(entries: Sequence[EntryPoint], socket_path: str, root: str) -> State:
    """Return the state before the first request."""
    return State(key_of(entries, socket_path, root), [Asked() for _entry in entries])


def resume(carry: Mapping[str, Any], entries: Sequence[EntryPoint], socket_path: str, root: str) -> State:
    """Return the state that an earlier call carried over; CarryError when it is not of this priming."""
    fresh = begin(entries, socket_path, root)
    if not carry:
        return fresh
    if carry.get("key") != fresh.key:
        raise CarryError("The priming can't go on: its entry points or its slot have changed since it began.")
    try:
        values = dict(carry)
        values["asked"] = [Asked(**one) for one in values["asked"]]
        for name in ("first", "last"):
            values[name] = Figures(**values[name]) if values.get(name) else None
        state = State(**values)
        usable = len(state.asked) == len(entries) and 0 <= state.next <= len(entries) and state.round >= 1
    except (TypeError, KeyError) as error:
        raise CarryError("The priming can't go on: carry is not what an earlier call returned.") from error
    if not usable:
        raise CarryError("The priming can't go on: carry is not what an earlier call returned.")
    return state


def shown(path: str, query: str) -> str:
    """Return an entry point's path and query for a line on a terminal, cut where it is long."""
    url = path + (f"?{query}" if query else "")
    return url if len(url) <= SHOWN_LETTERS else url[: SHOWN_LETTERS - 1] + "…"


def progress(state: State, entries: Sequence[EntryPoint], name: str) -> str:
    """Return the sentence for the person who watches: how long, which round, how much, and what is waited for."""
    said = f"{name}: priming {state.seconds:.0f} s, round {state.round}"
    if state.last is not None:
        said += f", {count_of(state.last.scripts, 'script')}"
    asked = state.asked[state.next]
    said += f", waiting for {shown(entries[state.next].path, entries[state.next].query)}"
    if asked.last_seconds is not None and asked.last_seconds >= SLOW_SECONDS:
        said += f", which took {asked.last_seconds:.1f} s before"
    return said


def report(state: State, entries: Sequence[EntryPoint], root: str) -> dict[str, Any]:
    """Return the priming as the module and the flip tell it; figures are null where OPcache gave none."""
    now = state.last or state.first
    rounds = state.round - 1 if state.next == 0 and not state.ended else state.round
    return {
        "seconds": round(state.seconds, 3),
        "rounds": rounds,
        "requests": state.requests,
        "stable": state.stable,
        "root": root,
        "entry_points": [
            {"path": entry.path, "query": entry.query, "method": entry.method, **asdict(asked)}
            for entry, asked in zip(entries, state.asked)
        ],
        "scripts": now.scripts if now else None,
        "cached_keys": now.keys if now else None,
        "max_keys": now.max_keys if now else None,
        "used_bytes": now.used_bytes if now else None,
        "free_bytes": now.free_bytes if now else None,
        "wasted_bytes": now.wasted_bytes if now else None,
        "segment_bytes": now.segment_bytes if now else None,
        "cache_full": now.cache_full if now else None,
        "restarts": now.restarts if now else None,
        "msg": state.note,
    }
