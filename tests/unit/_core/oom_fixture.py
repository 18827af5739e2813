# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads OOM logs for the tests, and makes reports of any pid as kernels print them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_log import OomLog

SAMPLES = Path(__file__).resolve().parents[2] / "fixtures" / "samples"
LATEST = datetime(2025, 12, 31)
UNIT = "php8.2-fpm.service"
KILLED = "A process of this unit has been killed by the OOM killer."


def read(log: bytes | str, latest: datetime | None = LATEST, since: float | None = None) -> dict[str, Any]:
    """Return events and units of a log."""
    reader = OomLog(latest, since)
    for line in (log.encode() if isinstance(log, str) else log).split(b"\n"):
        reader.feed(line)
    return reader.finish().shown(4096)


def events(log: bytes | str, **options: Any) -> list[dict[str, Any]]:
    """Return the events of a log."""
    found: list[dict[str, Any]] = read(log, **options)["events"]
    return found


def report(
    pid: int, comm: str = "php-fpm", style: str = "5", cgroup: str = "/system.slice/php8.2-fpm.service"
) -> list[str]:
    """Return the messages of one report: of Linux 2.6 (EL6), 3.10, 5.x and later, or 5.x at a control group's limit."""
    rows = [(1, 0, "systemd", 900), (pid, 33, comm, 25600), (pid + 1, 33, comm, 12800)]
    mem = [
        "Mem-Info:",
        "active_anon:1000 inactive_anon:20 isolated_anon:0",
        " free:500 slab_reclaimable:60 slab_unreclaimable:70",
        "Node 0 Normal: 3*4kB (U) 2*8kB (U) 0*16kB = 28kB",
        "Free swap  = 0kB",
        "Total swap = 1024kB",
    ]
    start = f"{comm} invoked oom-killer: gfp_mask=0x201da, order=0, oom_score_adj=0"
    who = f"CPU: 1 PID: {pid + 1} Comm: {comm} Not tainted 6.1.0"
    old = f"total-vm:{4 * 50000}kB, anon-rss:102400kB, file-rss:4kB"
    if style == "2.6":
        header = "[ pid ]   uid  tgid total_vm      rss cpu oom_adj oom_score_adj name"
        table = [f"[{p:5}] {u:5} {p:5}    50000 {r:8}   0       0             0 {c}" for p, u, c, r in rows]
        who = f"Pid: {pid + 1}, comm: {comm} Not tainted 2.6.32-642.el6.x86_64 #1"
        end = [
            f"Out of memory: Kill process {pid} ({comm}) score 6 or sacrifice child",
            f"Killed process {pid}, UID 33, ({comm}) {old}",
        ]
    elif style == "3.10":
        header = "[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name"
        table = [f"[{p:5}] {u:5} {p:5}    50000 {r:8}     100       10             0 {c}" for p, u, c, r in rows]
        end = [
            f"Out of memory: Kill process {pid} ({comm}) score 6 or sacrifice child",
            f"Killed process {pid} ({comm}) {old}",
        ]
    else:
        header = "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name"
        table = [f"[{p:7}] {u:5} {p:5}    50000 {r:8}   245760       10             0 {c}" for p, u, c, r in rows]
        limit = f"oom_memcg={cgroup}" if style == "memcg" else "global_oom"
        constraint = "MEMCG" if style == "memcg" else "NONE"
        why = "Memory cgroup out of memory" if style == "memcg" else "Out of memory"
        end = [
            f"oom-kill:constraint=CONSTRAINT_{constraint},nodemask=(null),cpuset=/,mems_allowed=0,{limit},"
            f"task_memcg={cgroup},task={comm},pid={pid},uid=33",
            f"{why}: Killed process {pid} ({comm}) {old}, shmem-rss:0kB, UID:33 pgtables:240kB oom_score_adj:0",
            f"oom_reaper: reaped process {pid} ({comm}), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
        ]
        if style == "memcg":
            mem = [
                "memory: usage 102400kB, limit 102400kB, failcnt 77",
                "swap: usage 0kB, limit 9007199254740988kB, failcnt 0",
                f"Memory cgroup stats for {cgroup}:",
                "anon 104857600",
                "file 4096",
            ]
    return [start, who, *mem, header, *table, *end]
