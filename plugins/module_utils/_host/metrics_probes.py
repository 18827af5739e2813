# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The probes of the exporter: each reads one part of the host by the readers that the facts modules use."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Callable, Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core import metrics_memory, metrics_php
from ansible_collections.phpops.webhost.plugins.module_utils._core.budget import judge
from ansible_collections.phpops.webhost.plugins.module_utils._core.memory_limits import parse_mountinfo
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_catalogue import METRICS
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_settings import Settings
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_text import Samples, pack
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._core.swaps import parse_swaps
from ansible_collections.phpops.webhost.plugins.module_utils._host import beancounters, budget, error_log, oom, slab
from ansible_collections.phpops.webhost.plugins.module_utils._host.container import container_kind
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text, write_atomic
from ansible_collections.phpops.webhost.plugins.module_utils._host.memory import Paths
from ansible_collections.phpops.webhost.plugins.module_utils._host.memory_limits import tmpfs_mounts
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_facts import Options, opcache_facts
from ansible_collections.phpops.webhost.plugins.module_utils._host.reservation import reservations
from ansible_collections.phpops.webhost.plugins.module_utils._host.shm_facts import shm_facts
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_facts import slot_states

RUN = "/run/phpops-metrics"
STATE = "/var/lib/phpops-metrics"
OOM_SINCE = "1 hour ago"
_MOST_LOG_BYTES = 64 * 1024 * 1024
_MOST_LOGS = 200
# Masters that hang must leave time for the others, and all of them time to write down what is known.
_MASTER_SECONDS = 2.0
_MASTERS_SHARE = 0.7


@dataclass
class Seen:
    """What a probe got. ``reason`` says what it could not get; a host without such a thing is not ``available``."""

    samples: Samples
    reason: str | None = None
    available: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        found = {"reason": self.reason, "available": self.available, "dropped": self.samples.dropped}
        return {**found, "samples": pack(self.samples.found)}


def run(words: list[str]) -> tuple[int, str, str]:
    """Run a command as the modules' own way does; the message of one that is missing is in English."""
    try:
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            words, stdin=subprocess.DEVNULL, capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"}
        )
    except OSError as error:
        return 127, "", f"{words[0]} can't be started ({error.strerror or error})"
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def probe(name: str, chosen: Settings) -> Seen:
    """Run one probe."""
    return PROBES[name](chosen, Seen(Samples(METRICS)))


def _beancounters(chosen: Settings, seen: Seen) -> Seen:
    facts, _warnings = beancounters.gather(
        chosen.beancounters_path, os.sysconf("SC_PAGE_SIZE"), 1.0, None, write_state=False
    )
    if not facts["available"]:
        missing = not facts["supported"] and chosen.beancounters_path == beancounters.DEFAULT_PATH
        return _without(seen, facts["reason"], missing)
    metrics_memory.beancounters(facts, seen.samples)
    return seen


def _slab(chosen: Settings, seen: Seen) -> Seen:
    facts = slab.gather(
        chosen.slabinfo_path,
        slab.DEFAULT_MEMINFO_PATH,
        slab.DEFAULT_DENTRY_STATE_PATH,
        0,
        os.sysconf("SC_PAGE_SIZE"),
        container_kind(),
        os.uname().release,
    )
    metrics_memory.slab(facts, seen.samples)
    seen.reason = facts["reason"]
    return seen


def _shm(_chosen: Settings, seen: Seen) -> Seen:
    facts = shm_facts(Paths(), 0)
    if facts["available"]:
        metrics_memory.shm(facts, seen.samples)
    seen.reason = str(facts["reason"]) if facts["reason"] else None
    return seen


def _tmpfs(_chosen: Settings, seen: Seen) -> Seen:
    mounts = tmpfs_mounts(parse_mountinfo(read_text("/proc/self/mountinfo")))
    metrics_memory.tmpfs(mounts, seen.samples)
    reasons = [str(mount["reason"]) for mount in mounts if mount["reason"]]
    seen.reason = reasons[0] if reasons else None
    return seen


def _swap(_chosen: Settings, seen: Seen) -> Seen:
    areas = parse_swaps(read_text("/proc/swaps"))
    metrics_memory.swap(areas, seen.samples)
    seen.available = bool(areas)
    return seen


def _oom(_chosen: Settings, seen: Seen) -> Seen:
    facts, _warnings = oom.gather(
        *("auto", None, OOM_SINCE, oom.run_streamed),
        *(container_kind(), datetime.now(), os.sysconf("SC_PAGE_SIZE")),
    )
    metrics_memory.oom(facts, seen.samples)
    seen.reason = facts["reason"]
    return seen


def _opcache(chosen: Settings, seen: Seen) -> Seen:
    options = Options(
        probe_folders=[RUN, *chosen.opcache_folders],
        timeout_seconds=min(_MASTER_SECONDS, chosen.probe_timeout_seconds * _MASTERS_SHARE),
        total_seconds=chosen.probe_timeout_seconds * _MASTERS_SHARE,
        lock=f"{RUN}/opcache.lock",
    )
    facts = opcache_facts(options)
    metrics_php.opcache(facts, seen.samples)
    # A master that does not answer has a metric of its own; that there is none is no failure.
    seen.available = any(metrics_php.can_be_asked(master) for master in facts["masters"])
    if seen.available and not facts["available"]:
        seen.reason = facts["reason"]
    return seen


def _sites(_chosen: Settings, seen: Seen) -> Seen:
    found = slot_states(run, Layout())
    metrics_php.sites(found, seen.samples)
    seen.available = bool(found)
    seen.reason = next((f"{site['name']}: {site['reason']}" for site in found if site["reason"]), None)
    return seen


def _budget(_chosen: Settings, seen: Seen) -> Seen:
    verdict = judge(budget.measure(), [], reservations=reservations())
    metrics_memory.budget(verdict.as_dict(), seen.samples)
    seen.reason = verdict.unknown[0] if verdict.unknown else None
    return seen


def _error_logs(chosen: Settings, seen: Seen) -> Seen:
    counts, seen.reason = count_refusals(chosen.error_logs, f"{STATE}/error-logs.json")
    metrics_php.error_logs(counts, seen.samples)
    seen.available = bool(counts)
    return seen


def _without(seen: Seen, reason: str | None, missing: bool) -> Seen:
    seen.available = not missing
    seen.reason = None if missing else reason
    return seen


PROBES: Mapping[str, Callable[[Settings, Seen], Seen]] = {
    "beancounters": _beancounters,
    "slab": _slab,
    "shm": _shm,
    "tmpfs": _tmpfs,
    "swap": _swap,
    "oom": _oom,
    "opcache": _opcache,
    "sites": _sites,
    "budget": _budget,
    "error_logs": _error_logs,
}


def count_refusals(patterns: tuple[str, ...], state: str) -> tuple[dict[str, int], str | None]:
    """Return the refused segments by log since it was first seen, and why a log could not be read.

    The counts, and how far each log was read, are in the file ``state``. A log that is gone keeps its count.
    """
    known = _known(state)
    reason = None
    paths = sorted({str(path) for pattern in patterns for path in Path("/").glob(pattern.lstrip("/"))})[:_MOST_LOGS]
    for path in paths:
        count, place = known.get(path, (0, None))
        try:
            more, place = error_log.follow(path, place, _MOST_LOG_BYTES)
        except OSError as error:
            reason = f"{path} can't be read ({os.strerror(error.errno or 0)})."
            continue
        known[path] = (count + more, place)
    kept = {path: known[path] for path in sorted(known, key=lambda path: path not in paths)[:_MOST_LOGS]}
    stored = {path: {"count": count, **(asdict(place) if place else {})} for path, (count, place) in kept.items()}
    Path(state).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    write_atomic(state, json.dumps({"logs": stored}, sort_keys=True) + "\n", 0o600)
    return {path: count for path, (count, _place) in kept.items()}, reason


def _known(state: str) -> dict[str, tuple[int, error_log.Place | None]]:
    """Return what an earlier run has stored; a file that is not there or is broken counts as empty."""
    try:
        logs = json.loads(read_text(state))["logs"]
        return {
            str(path): (int(one["count"]), error_log.Place(int(one["inode"]), int(one["offset"])))
            for path, one in logs.items()
        }
    except (Unreadable, ValueError, KeyError, TypeError, AttributeError):
        return {}
