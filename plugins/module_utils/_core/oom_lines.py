# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The OOM killer's own lines of Linux 2.6 to 6.x: who asked, which limit it was, who was killed.

Forms are told apart by what a line says, as distributions bring newer lines to older kernels. Sources: the messages in
linux mm/oom_kill.c and mm/memcontrol.c of those releases, and of OpenVZ's kernels. Names may hold anything.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# No line is read without one of these. Also where a report whose beginning is lost may start.
NEEDLES = (
    *(
        b"oom-kill",
        b"illed process",
        b"ill process",
        b"OOM kill",
        b"killable process",
        b"memory.oom.group",
        b" tgid ",
        b"a result of limit",
    ),
    *(b"systemd-oomd", b" due to memory ", b"Mem-Info", b"pages in swap cache", b"failcnt"),
)

_INVOKED = re.compile(r"^(?:(.{1,64}?) invoked )?oom-killer\b(?:: ?(.*))?$")
_GFP = re.compile(r"\bgfp_mask=(0x[0-9a-fA-F]{1,16}(?:\([^()]{0,600}\))?)")
_ORDER = re.compile(r"\border=(-?\d{1,3})")
_SCORE_ADJ = re.compile(r"\boom_score_adj=(-?\d{1,5})")
_PROCESS = re.compile(r"^(?:CPU: \d{1,5} )?(?:UID: \d{1,10} )?P(?:ID|id): (\d{1,10}),? [Cc]omm: (.*)$")
_COMM_END = re.compile(r" (?:Kdump: |Tainted: |Not tainted|Not Tainted)")
_OOM_KILL = re.compile(r"^oom-kill: ?constraint=(\w{1,40})")
_TASK_END = re.compile(r"^(.*),pid=(\d{1,10}),uid=(\d{1,10})\s*$")
_WHY = r"^(?:([^:]{0,120}): )?"
_KILL = re.compile(_WHY + r"[Kk]ill process (\d{1,10}) \((.*)\) score \d")
_KILLED = re.compile(_WHY + r"Killed process (\d{1,10})(?:, UID (\d{1,10}),?)? \((.*)\)(.*)$")
_SIZE = re.compile(r"\b(total-vm|vsz|anon-rss|file-rss|shmem-rss): ?(\d{1,15})kB")
_UID = re.compile(r"\bUID: ?(\d{1,10})\b")
_ADJ = re.compile(r"\boom_score_adj: ?(-?\d{1,5})\b")
_OUT_OF_MEMORY = re.compile(r"[Oo]ut of [Mm]emory|[Nn]o available memory")
_UB_KILLED = re.compile(
    r"^(?:Out of memory in UB (\S{1,64}): )?OOM killed process (\d{1,10}) \((.*)\) score \d{1,10}(?: vm:(\d{1,15})kB)?"
)
_UB_EXITED = re.compile(r"^OOM killed process (.{1,64}?) \(pid=(\d{1,10}), ve=(\d{1,10})\) exited")
_TASK_IN = re.compile(r"^Task in (.{1,4096}?) killed as a result of limit of (.*)$")
_GROUP = re.compile(r"^Tasks in (.{1,4096}) are going to be killed due to memory\.oom\.group set")
_NO_VICTIM = re.compile(r"no killable process|^Kernel panic")


class Invoked(NamedTuple):
    """The line that begins a report. ``comm`` is None on kernels that don't name it there."""

    comm: str | None
    gfp_mask: str | None
    order: int | None
    oom_score_adj: int | None


class Process(NamedTuple):
    """Who was running. ``comm`` is followed by the taint mark in the log, so ``text`` holds both."""

    pid: int
    text: str
    comm: str


class Choice(NamedTuple):
    """The ``oom-kill:`` line: the limit and the victim; what a cut line lacks is None."""

    constraint: str
    limit_cgroup: str | None
    cgroup: str | None
    comm: str | None
    pid: int | None
    uid: int | None


class Kill(NamedTuple):
    """A process that is about to be killed (``final`` False: perhaps one of its children instead) or was.

    Sizes in bytes by the name that the facts have; ``memcg`` tells a control group's limit, None when it isn't said.
    """

    final: bool
    pid: int
    comm: str
    uid: int | None = None
    sizes: dict[str, int] = {}  # noqa: RUF012
    oom_score_adj: int | None = None
    memcg: bool | None = None
    limit_cgroup: str | None = None


_SIZES = {
    "total-vm": "total_vm_bytes",
    "vsz": "total_vm_bytes",
    "anon-rss": "anon_rss_bytes",
    "file-rss": "file_rss_bytes",
    "shmem-rss": "shmem_rss_bytes",
}


def _number(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    return int(found.group(1)) if found else None


def read_invoked(body: str) -> Invoked | None:
    """Read ``NAME invoked oom-killer: gfp_mask=…``, cut after any word; None for another line."""
    found = _INVOKED.match(body)
    if found is None:
        return None
    comm, rest = found.group(1), found.group(2) or ""
    gfp = _GFP.search(rest)
    if comm is None and gfp is None:
        return None
    return Invoked(comm, gfp.group(1) if gfp else None, _number(_ORDER, rest), _number(_SCORE_ADJ, rest))


def read_process(body: str) -> Process | None:
    """Read ``CPU: 8 PID: 392 Comm: php-fpm …`` and its older and newer forms; None for another line."""
    found = _PROCESS.match(body)
    if found is None:
        return None
    text = found.group(2)
    end = _COMM_END.search(text)
    return Process(int(found.group(1)), text, (text[: end.start()] if end else text)[:64])


def _between(text: str, key: str, following: str) -> str | None:
    """Return what is between two marks; None unless both are there. Linear, whatever the text repeats."""
    start = text.find(key)
    end = text.find(following, start + len(key)) if start >= 0 else -1
    return text[start + len(key) : end] if end >= 0 else None


def read_choice(body: str) -> Choice | None:
    """Read ``oom-kill:constraint=…,task=NAME,pid=N,uid=N``, cut after any word; None for another line."""
    found = _OOM_KILL.match(body)
    if found is None:
        return None
    start = body.find(",task=")
    task = _TASK_END.match(body[start + len(",task=") :]) if start >= 0 else None
    return Choice(
        found.group(1),
        _between(body, ",oom_memcg=", ",task_memcg="),
        _between(body, ",task_memcg=", ",task="),
        task.group(1) if task else None,
        int(task.group(2)) if task else None,
        int(task.group(3)) if task else None,
    )


def _is_memcg(why: str | None) -> bool | None:
    return None if why is None else "cgroup" in why


def read_kill(body: str) -> Kill | None:
    """Read every form of "Kill process" and "Killed process", cut after the name; None for another line."""
    found = _KILLED.match(body)
    if found and (found.group(1) is None or _OUT_OF_MEMORY.search(found.group(1))):
        why, pid, uid, comm, rest = found.groups()
        sizes = {_SIZES[name]: int(value) * 1024 for name, value in _SIZE.findall(rest)}
        return Kill(
            True, int(pid), comm, int(uid) if uid else _number(_UID, rest), sizes, _number(_ADJ, rest), _is_memcg(why)
        )
    found = _KILL.match(body)
    if found and (found.group(1) is None or _OUT_OF_MEMORY.search(found.group(1))):
        return Kill(False, int(found.group(2)), found.group(3), memcg=_is_memcg(found.group(1)))
    found = _UB_KILLED.match(body)
    if found:
        limit, pid, comm, size = found.groups()
        sizes = {"total_vm_bytes": int(size) * 1024} if size else {}
        return Kill(True, int(pid), comm, sizes=sizes, memcg=limit is not None, limit_cgroup=limit)
    found = _UB_EXITED.match(body)
    if found:
        container = found.group(3)
        return Kill(
            True,
            int(found.group(2)),
            found.group(1),
            memcg=container != "0",
            limit_cgroup=container.strip("0") and container,
        )
    return None


def read_task_in(body: str) -> tuple[str, str] | None:
    """Read ``Task in /a killed as a result of limit of /b`` as (/a, /b); None for another line."""
    found = _TASK_IN.match(body)
    return (found.group(1), found.group(2).strip()) if found else None


def read_group(body: str) -> str | None:
    """Return the control group that is killed as a whole (memory.oom.group); None for another line."""
    found = _GROUP.match(body)
    return found.group(1) if found else None


def ends_without_victim(body: str) -> bool:
    """Tell the lines by which the kernel gives up: nobody to kill, or a panic."""
    return _NO_VICTIM.search(body) is not None
