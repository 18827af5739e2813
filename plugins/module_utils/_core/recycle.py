# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Which workers have to go: their sizes, the thresholds of their sites, and how many of a pool may go at once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Iterable, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.program_settings import SettingsError, read_object
from ansible_collections.phpops.webhost.plugins.module_utils._core.shm import POOL_TITLE, SLOT_UNIT
from ansible_collections.phpops.webhost.plugins.module_utils._core.worker_memory import Memory

MAX_LETTERS = 200


@dataclass(frozen=True)
class Settings:
    """threshold_bytes is for every site that ``sites`` (name → bytes) doesn't name; share is a part of each pool."""

    threshold_bytes: int
    share: float
    sites: dict[str, int] = field(default_factory=dict)

    def threshold(self, site: str) -> int:
        """Return the private peak in bytes above which a worker of the site has to go."""
        return self.sites.get(site, self.threshold_bytes)


@dataclass(frozen=True)
class Worker:
    """A process that takes requests. (pid, start) names it for ever; start is in clock ticks since boot.

    ``pool`` is what it shares its work with: an FPM pool of one master, or the php-cgi of one user and command.
    ``site`` is the site of its slot, else the name of its pool (FPM) or of its user (php-cgi). ``siblings``: whether
    another process holds its listening socket too (FPM's master, a php-cgi with children), so that nothing that waits
    there is lost with it.
    """

    pid: int
    start: int
    kind: str
    pool: str
    site: str
    memory: Memory | None
    siblings: bool = True

    def words(self) -> str:
        """Return what a log line says of it."""
        size = self.memory.private_peak_bytes if self.memory else "unknown"
        return f'pid={self.pid} kind={self.kind} site={self.site} pool="{self.pool}" private_peak_bytes={size}'


def settings(text: str) -> Settings:
    """Return the settings in the text of the program's JSON file; SettingsError says what is wrong with it."""
    found = read_object(text, "worker_recycle")
    sites = found.get("sites", {})
    if not isinstance(sites, dict):
        raise SettingsError(f"sites is {sites!r}; give an object of names and bytes")
    sizes = {"threshold_bytes": found.get("threshold_bytes"), **{f"sites.{name}": sites[name] for name in sites}}
    for name, value in sizes.items():
        if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
            raise SettingsError(f"{name} is {value!r}; give a number of bytes above 0")
    share = found.get("share")
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
        raise SettingsError(f"share is {share!r}; give a number from 0 to 1")
    return Settings(int(sizes["threshold_bytes"] or 0), float(share), dict(sites))


def settings_text(chosen: Settings) -> str:
    """Return the JSON file that settings() reads back."""
    found: dict[str, object] = {"ansible_managed": "phpops.webhost, role worker_recycle"}
    found.update(threshold_bytes=chosen.threshold_bytes, share=chosen.share, sites=chosen.sites)
    return json.dumps(found, indent=2, sort_keys=True) + "\n"


def fpm_names(title: str, unit: str | None, master: int) -> tuple[str, str]:
    """Return (pool, site) of an FPM worker, by its title ("php-fpm: pool www") and its systemd unit."""
    named = POOL_TITLE.match(title)
    pool = _line(named.group(1)) if named else "unknown"
    slot = SLOT_UNIT.fullmatch(unit or "")
    return _line(f"{pool} of {unit or f'master {master}'}"), slot.group(1) if slot else pool


def cgi_names(user: str, command: Sequence[str]) -> tuple[str, str]:
    """Return (pool, site) of a php-cgi by its user and its command: mod_fcgid's classes as far as /proc shows them."""
    return _line(f"{user}: {' '.join(command)}"), user


def _line(words: str) -> str:
    """Return what a process says of itself as a log line may quote it."""
    return "".join(letter if letter.isprintable() and letter != '"' else "?" for letter in words[:MAX_LETTERS])


@dataclass(frozen=True)
class Pool:
    """The workers of a pool, those above their threshold (largest first), and how many of these may go at once."""

    name: str
    workers: int
    above: list[Worker]
    allowed: int


def plan(workers: Iterable[Worker], chosen: Settings) -> list[Pool]:
    """Return the pools that have a worker above its threshold.

    ``allowed`` is the share of the pool's workers, rounded down, but at least one: else a small pool never would.
    """
    pools: dict[tuple[str, str], list[Worker]] = {}
    for worker in workers:
        pools.setdefault((worker.kind, worker.pool), []).append(worker)
    found = []
    for (_kind, name), members in sorted(pools.items()):
        above = [one for one in members if is_above(one, chosen)]
        above.sort(key=lambda one: (-(one.memory.private_peak_bytes if one.memory else 0), one.pid))
        if above:
            found.append(Pool(name, len(members), above, max(1, int(len(members) * chosen.share))))
    return found


def is_above(worker: Worker, chosen: Settings) -> bool:
    """Return whether a worker's private peak is above its site's threshold; an unknown one never is."""
    return worker.memory is not None and worker.memory.private_peak_bytes > chosen.threshold(worker.site)


def table(workers: Sequence[Worker], chosen: Settings) -> list[str]:
    """Return what --dry-run shows: one line for each worker, the largest first."""
    lines = [f"{'PID':>8}  {'PRIVATE PEAK':>13}  {'PEAK':>10}  {'THRESHOLD':>10}  {'':5}  SITE, POOL"]
    for one in sorted(workers, key=lambda one: -(one.memory.private_peak_bytes if one.memory else 0)):
        sizes = (one.memory.private_peak_bytes, one.memory.peak_bytes) if one.memory else (None, None)
        private, peak, threshold = (_mib(size) for size in (*sizes, chosen.threshold(one.site)))
        mark = "above" if is_above(one, chosen) else ""
        lines.append(f"{one.pid:>8}  {private:>13}  {peak:>10}  {threshold:>10}  {mark:5}  {one.site}, {one.pool}")
    return lines


def _mib(size: int | None) -> str:
    return "unknown" if size is None else f"{size / 1048576:.1f} MiB"
