# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What the memory budget is made of: a host's memory as it is spent now, a plan, and the lines of their sum."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core.memory_limits import Limit

MIB = 1024 * 1024
#: The smallest memory_consumption that OPcache takes.
MIN_SEGMENT_BYTES = 8 * MIB
#: Private memory of an idle php-fpm master, measured on Debian 12 (PHP 8.2): about 4 MiB.
MASTER_BYTES = 4 * MIB
#: This limit counts shared memory only; all others count private memory too.
SHARED_ONLY = "shmpages"


@dataclass(frozen=True)
class PlannedSite:
    """A site's master to be. Its segment reserves `segment_bytes` + `jit_bytes`; `worker_bytes` is private memory of
    one worker; `min_segment_bytes` is what it really needs (measured), the floor for smaller segments; `replaces` names
    the units whose masters it takes over from (default: the two slots of the site)."""

    name: str
    segment_bytes: int
    jit_bytes: int = 0
    max_children: int = 0
    worker_bytes: int = 0
    user: str = ""
    php_version: str = ""
    min_segment_bytes: int = MIN_SEGMENT_BYTES
    replaces: tuple[str, ...] | None = None

    @property
    def shared_bytes(self) -> int:
        """Return what its master reserves as shared memory."""
        return self.segment_bytes + self.jit_bytes

    @property
    def units(self) -> tuple[str, ...]:
        """Return the units that it replaces."""
        if self.replaces is not None:
            return self.replaces
        return tuple(f"phpops-fpm@{self.name}-{slot}.service" for slot in ("blue", "green"))


@dataclass(frozen=True)
class Master:
    """A live php-fpm master with its workers, or all php-cgi together (`unit` None, `processes` of them)."""

    name: str
    unit: str | None
    segment_bytes: int
    resident_bytes: int
    private_bytes: int
    processes: int = 1


@dataclass(frozen=True)
class Tmpfs:
    """A mounted tmpfs; `size_bytes` None has no limit of its own."""

    path: str
    size_bytes: int | None
    used_bytes: int


@dataclass(frozen=True)
class Reservation:
    """Memory that a running flip has been promised; it no longer counts once its unit's master is live."""

    site: str
    unit: str
    shared_bytes: int
    private_bytes: int


@dataclass(frozen=True)
class HostMemory:
    """What a host's memory is spent on now. `others` is (name, kind, reserved, resident) of segments that are not
    OPcache's; `unknown` holds a sentence for everything that could not be read."""

    limits: tuple[Limit, ...]
    masters: tuple[Master, ...] = ()
    php_cgi: Master | None = None
    others: tuple[tuple[str, str, int, int], ...] = ()
    tmpfs: tuple[Tmpfs, ...] = ()
    ram_bytes: int | None = None
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What is to be done. `tmpfs` maps a mount point to its planned size; `php_cgi_ends_first` php-cgi processes end
    before the first master starts, all of them afterwards if `php_cgi_leaves`; `at_once` sites are flipped together;
    `busy_workers` caps how many workers of the host are busy at a time (None: all of them may be)."""

    sites: tuple[PlannedSite, ...] = ()
    tmpfs: Mapping[str, int] = field(default_factory=dict)
    php_cgi_leaves: bool = False
    php_cgi_ends_first: int = 0
    busy_workers: int | None = None
    at_once: int = 1


@dataclass(frozen=True)
class Line:
    """One line of the budget: `bytes` at the peak, `after_bytes` when all is done, and the limits it counts against."""

    name: str
    kind: str
    limits: tuple[str, ...]
    bytes: int
    after_bytes: int
    source: str


@dataclass(frozen=True)
class LimitSum:
    """One limit and what it comes to, never less at the peak than after."""

    label: str
    limit: Limit
    peak_bytes: int
    after_bytes: int
    relief: bool

    @property
    def fits(self) -> bool:
        """Return whether the peak and what stays are within the limit, or the plan relieves one that is over it."""
        size = self.limit.limit_bytes
        return size is None or self.relief or self.peak_bytes <= size

    @property
    def fits_after(self) -> bool:
        """Return whether what stays is within the limit."""
        return self.limit.limit_bytes is None or self.relief or self.after_bytes <= self.limit.limit_bytes

    @property
    def headroom_bytes(self) -> int | None:
        """Return what is left at the worst moment, negative when it is short; None for an unlimited one."""
        size = self.limit.limit_bytes
        return None if size is None else size - self.peak_bytes
