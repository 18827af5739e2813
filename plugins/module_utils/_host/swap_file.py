# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Gives a host its swap files: built beside, renamed, switched on, and only then in fstab; and takes them away.

Wherever a run is killed, or the host reset, it boots, and the next run finishes or removes what is there.
"""

from __future__ import annotations

import os
import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from ansible_collections.phpops.webhost.plugins.module_utils._core.swap_plan import (
    Plan,
    Seen,
    plan_absent,
    plan_present,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.swaps import Swap, parse_swaps
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of, human_bytes
from ansible_collections.phpops.webhost.plugins.module_utils._host import systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import fsync_dir, read_text
from ansible_collections.phpops.webhost.plugins.module_utils._host.fstab import replace_fstab
from ansible_collections.phpops.webhost.plugins.module_utils._host.lock import Locked, locked
from ansible_collections.phpops.webhost.plugins.module_utils._host.swap_look import Paths, free_bytes, look

_LOCK_SECONDS = 60.0
# How long what a killed run began may take to end: a swapoff reads all back, a swapon doesn't take long.
_OFF_SECONDS, _ON_SECONDS = 120.0, 3.0
# A directory that is removed when it is empty; another one was there before us.
_OURS = "phpops-swap"


@dataclass(frozen=True)
class Options:
    """What is wanted: see the module's options of the same names."""

    state: str
    directory: str
    size_bytes: int
    priority: int | None
    reserve_bytes: int


class SwapFailed(Exception):
    """A step failed; the text says which one and why."""


class SwapHost:
    """The swap areas of one host."""

    def __init__(self, run: systemd.Run, paths: Paths | None = None, free: Callable[[str], int] = free_bytes) -> None:
        self.run = run
        self.paths = paths or Paths()
        self.free = free

    def active(self) -> list[Swap]:
        """Return the active swap areas."""
        return parse_swaps(read_text(self.paths.swaps))

    def _command(self, words: list[str]) -> str:
        status, out, err = self.run(words)
        if status != 0:
            said = (err.strip() or out.strip() or f"status {status}").splitlines()[-1]
            raise SwapFailed(f"`{' '.join(words)}` failed: {said}")
        return out

    def build(self, path: str, size_bytes: int) -> None:
        """Make a whole swap file of that name, or none. Raises SwapFailed, OSError."""
        new = Path(f"{path}.new")
        new.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
            os.posix_fallocate(descriptor, 0, size_bytes)
            self._command(["mkswap", str(new)])
            os.fsync(descriptor)
            new.rename(path)
        except BaseException:
            with suppress(OSError):
                new.unlink()
            raise
        finally:
            os.close(descriptor)
        fsync_dir(new.parent)

    def on(self, path: str, priority: int | None) -> None:
        """Switch a swap file on. Raises SwapFailed."""
        try:
            self._command(["swapon", *([] if priority is None else ["--priority", str(priority)]), path])
        except SwapFailed:
            # A killed run's own swapon may be at it, or have ended only now.
            if not self._comes(path, True, _ON_SECONDS):
                raise

    def off(self, path: str) -> None:
        """Switch a swap file off, which reads what is in it back into memory. Raises SwapFailed."""
        try:
            self._command(["swapoff", path])
        except SwapFailed:
            # A killed run's own swapoff may be at it: the kernel takes no second one, and lists the file until the end.
            ending = self.run(["pgrep", "--full", "--exact", f"swapoff {path}"])[0] == 0
            if not self._comes(path, False, _OFF_SECONDS if ending else 0):
                raise

    def _comes(self, path: str, active: bool, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while any(swap.path == path for swap in self.active()) != active:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.1)
        return True

    def do(self, seen: Seen, plan: Plan, state: str) -> None:
        """Take the steps of a plan. Raises SwapFailed, FstabError, SystemctlError, OSError."""
        for path in plan.off:
            self.off(path)
        if state == "absent":
            # Not before: after a reboot in between the host has all its swap again.
            self._fstab(seen, plan)
        for path in plan.remove:
            with suppress(FileNotFoundError):
                Path(path).unlink()
        if plan.build:
            self.build(*plan.build)
        for path, priority in plan.on:
            self.on(path, priority)
        if state == "present":
            self._fstab(seen, plan)
        for path, priority in plan.again:
            self.off(path)
            self.on(path, priority)
        if state == "absent" and Path(seen.directory).is_dir():
            fsync_dir(seen.directory)
            with suppress(OSError):
                if Path(seen.directory).name == _OURS:
                    Path(seen.directory).rmdir()

    def _fstab(self, seen: Seen, plan: Plan) -> None:
        if plan.fstab != seen.fstab:
            replace_fstab(self.run, seen.fstab, plan.fstab, self.paths.fstab, self.paths.scratch)

    def apply(self, options: Options, check_mode: bool) -> dict[str, Any]:
        """Bring the host's swap to the options; returns what the module returns.

        Raises SwapRefused, SwapFailed, FstabError, SystemctlError, Unreadable, OSError.
        """
        try:
            with nullcontext() if check_mode else locked(self.paths.lock, _LOCK_SECONDS):
                return self._apply(options, check_mode)
        except Locked as error:
            raise SwapFailed(f"Process {error.holder} changes the swap of this host: try again later.") from error

    def _apply(self, options: Options, check_mode: bool) -> dict[str, Any]:
        # /proc/swaps shows where a file really is.
        seen = look(os.path.realpath(options.directory), self.paths, self.free)
        if options.state == "absent":
            plan = plan_absent(seen)
        else:
            plan = plan_present(seen, options.size_bytes, options.priority, options.reserve_bytes)
        steps = (plan.remove, plan.build, plan.on, plan.off, plan.again)
        changed = any(steps) or plan.fstab != seen.fstab
        if changed and not check_mode:
            self.do(seen, plan, options.state)
        swaps = self.active()
        counted = [swap for swap in swaps if not swap.in_memory]
        total = sum(swap.size_bytes for swap in counted)
        if not check_mode:
            least = options.size_bytes - len(counted) * seen.page_bytes if options.state == "present" else 0
            _confirm(swaps, plan, total, least)
        return {
            "changed": changed,
            "swaps": [_describe(swap) for swap in swaps],
            "total_bytes": total,
            "used_bytes": sum(swap.used_bytes for swap in counted),
            "built": [{"path": plan.build[0], "size_bytes": plan.build[1]}] if plan.build else [],
            "switched_on": [path for path, _priority in plan.on],
            "switched_off": plan.off,
            "priority_changed": [path for path, _priority in plan.again],
            "removed": plan.remove,
            "memory_available_bytes": seen.available_bytes,
            "notes": plan.notes,
            "summary": _summary(options.state, plan, counted, check_mode),
            "diff": _diffs(seen, plan, self.paths.fstab),
        }


def _confirm(swaps: list[Swap], plan: Plan, total: int, least: int) -> None:
    """Believe /proc/swaps only."""
    active = {swap.path for swap in swaps}
    missing = {path for path, _priority in (*plan.on, *plan.again)} - active
    still = active & set(plan.off)
    if missing or still:
        what = f"{min(missing)} was switched on" if missing else f"{min(still)} was switched off"
        raise SwapFailed(f"{what}, but /proc/swaps says otherwise.")
    if total < least:
        raise SwapFailed(
            f"The host has {human_bytes(total)} of swap now, less than wanted: somebody else took one off."
        )


def _summary(state: str, plan: Plan, counted: list[Swap], check_mode: bool) -> str:
    total, used = sum(swap.size_bytes for swap in counted), sum(swap.used_bytes for swap in counted)
    now = f"{human_bytes(total)} of swap in {count_of(len(counted), 'area')}, {human_bytes(used)} in use"
    would = "would be " if check_mode else ""
    done = []
    if plan.build:
        done.append(f"{plan.build[0]} with {human_bytes(plan.build[1])} {would}added")
    finished = [path for path, _priority in plan.on if not plan.build or path != plan.build[0]]
    done += [f"{path} {would}switched on" for path in finished]
    done += [f"{path} {would}taken away" for path in (plan.off if state == "absent" else [])]
    return f"{now}{' before that' if check_mode and done else ''}; {'; '.join(done) or 'nothing to do'}."


def _describe(swap: Swap) -> dict[str, Any]:
    return {
        "path": swap.path,
        "type": swap.kind,
        "size_bytes": swap.size_bytes,
        "used_bytes": swap.used_bytes,
        "priority": swap.priority,
        "managed": swap.ours,
    }


def _diffs(seen: Seen, plan: Plan, fstab: str) -> list[dict[str, str]]:
    """Return the swap files and fstab before and after; bytes that are no text are shown as question marks."""
    before = {swap.path: "on" for swap in seen.active if swap.ours}
    before.update((file.path, "off") for file in (*seen.files, *seen.unfinished) if file.path not in before)
    after = {path: "off" if path in plan.off else what for path, what in before.items() if path not in plan.remove}
    after.update((path, "on") for path, _priority in plan.on)
    texts = [("".join(f"{path} {what}\n" for path, what in sorted(of.items()))) for of in (before, after)]
    pairs = [("swap files", *texts), (fstab, seen.fstab, plan.fstab)]
    return [
        {"before_header": name, "after_header": name, "before": _shown(old), "after": _shown(new)}
        for name, old, new in pairs
        if old != new
    ]


def _shown(text: str) -> str:
    return text.encode("utf-8", errors="replace").decode("utf-8")
