# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""How much memory a worker has taken for itself at its peak, from /proc/PID/status and smaps_rollup."""

from __future__ import annotations

import re
from dataclasses import dataclass

_STATUS = re.compile(r"^(VmHWM|VmRSS|RssAnon|RssFile|RssShmem|VmSwap):[ \t]*(\d{1,18}) kB", re.MULTILINE)
_ROLLUP = re.compile(r"^(Shared_Clean|Shared_Dirty|Private_Clean|Private_Dirty):[ \t]*(\d{1,18}) kB", re.MULTILINE)


@dataclass(frozen=True)
class Memory:
    """A process's memory in bytes: the peak of its resident set, what of that is shared, and the rest."""

    peak_bytes: int
    shared_bytes: int
    private_peak_bytes: int


def _sizes(pattern: re.Pattern[str], text: str) -> dict[str, int]:
    return {name: int(value) * 1024 for name, value in pattern.findall(text)}


def worker_memory(status: str, rollup: str | None) -> Memory | None:
    """Return the memory of a process, None where the kernel doesn't say enough (a zombie, a kernel before 4.5).

    status is the text of /proc/PID/status, rollup that of /proc/PID/smaps_rollup (None: not readable).

    VmHWM is the peak of the whole resident set (man5 proc_pid_status), with every page of OPcache's segment and of
    libraries that was touched: ending the process frees none of those. The kernel keeps no peak of the private part.
    It is VmHWM less what is shared now, for which there are two views: pages of files and of shared memory
    (RssFile + RssShmem), and pages that another process maps too (Shared_Clean + Shared_Dirty), among them those that
    a worker still has in common with its master. Each view misses some; the larger one is taken. What has become
    shared since the peak, such as more of OPcache, must not hide it: the result is never below what is private now.
    """
    sizes = _sizes(_STATUS, status)
    peak = sizes.get("VmHWM")
    by_others = _sizes(_ROLLUP, rollup or "")
    if peak is None or not ("RssAnon" in sizes or by_others):
        return None
    backed = sizes.get("RssFile", 0) + sizes.get("RssShmem", 0)
    mapped = by_others.get("Shared_Clean", 0) + by_others.get("Shared_Dirty", 0)
    shared = min(peak, max(backed, mapped))
    return Memory(peak, shared, max(peak - shared, _private_now(sizes, by_others, backed, mapped)))


def _private_now(sizes: dict[str, int], by_others: dict[str, int], backed: int, mapped: int) -> int:
    """Return the least that is certainly private at this moment."""
    if "RssAnon" not in sizes:
        return 0
    # Of the pages that others map, those beyond files and shared memory are anonymous ones of the master.
    inherited = max(0, mapped - backed)
    private = sizes["RssAnon"] - inherited
    if by_others:
        private = min(private, by_others.get("Private_Clean", 0) + by_others.get("Private_Dirty", 0))
    return max(0, min(private, sizes["VmHWM"]))
