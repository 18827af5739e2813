# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that swaps, played with files below a folder: all that it knows survives the process that changes it."""

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.phpops.webhost.plugins.module_utils._core.fstab import parse_fstab
from ansible_collections.phpops.webhost.plugins.module_utils._core.swaps import Swap, parse_swaps
from ansible_collections.phpops.webhost.plugins.module_utils._host.swap_file import Options, SwapHost
from ansible_collections.phpops.webhost.plugins.module_utils._host.swap_look import Paths

MIB, PAGE = 1 << 20, os.sysconf("SC_PAGE_SIZE")
ROOT = "UUID=0a / ext4 errors=remount-ro 0 1\n# the last line has no end"


class PlayedSwap:
    """The programs that change swap, and the files that tell of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.directory = root / "phpops-swap"
        self.swaps = root / "swaps"
        self.fstab = root / "fstab"
        self.fstab.write_text(ROOT)
        (root / "meminfo").write_text("MemTotal: 2097152 kB\nMemAvailable: 1048576 kB\n")
        (root / "mountinfo").write_text("1 0 8:1 / / rw - ext4 /dev/vda1 rw\n")
        self.commands: list[list[str]] = []
        self._put([])

    def host(self) -> SwapHost:
        names = ("swaps", "meminfo", "mountinfo", "fstab", "lock", "scratch")
        paths = Paths(**{name: str(self.root / name) for name in names})
        return SwapHost(self.run, paths, lambda _path: 1 << 34)

    def apply(self, size_mib: int = 2, check_mode: bool = False, **more):
        options = {"state": "present", "directory": str(self.directory), "priority": None, "reserve_bytes": 0}
        return self.host().apply(Options(**{**options, "size_bytes": size_mib * MIB, **more}), check_mode)

    def active(self) -> list[Swap]:
        return parse_swaps(self.swaps.read_text())

    def use(self, used_bytes: int) -> None:
        self._put([Swap(s.path, s.kind, s.size_bytes, used_bytes, s.priority) for s in self.active()])

    def _put(self, swaps: list[Swap]) -> None:
        # The kernel writes a blank of a path as fstab has it.
        named = [(s.path.replace(" ", "\\040"), s) for s in swaps]
        rows = [f"{path} {s.kind} {s.size_bytes // 1024} {s.used_bytes // 1024} {s.priority}" for path, s in named]
        self.swaps.write_text("\n".join(["Filename Type Size Used Priority", *rows, ""]))

    def is_area(self, path: str) -> bool:
        try:
            return Path(path).read_bytes()[:PAGE].endswith(b"SWAPSPACE2")
        except FileNotFoundError:
            return False

    def swapon(self, path: str, priority: int) -> int:
        if not self.is_area(path) or any(swap.path == path for swap in self.active()):
            return 255
        self._put([*self.active(), Swap(path, "file", Path(path).stat().st_size - PAGE, 0, priority)])
        return 0

    def run(self, words: list[str]) -> tuple[int, str, str]:
        self.commands.append(words)
        program, path = words[0], words[-1]
        status = 0
        if program == "mkswap":
            with Path(path).open("r+b") as stream:
                stream.seek(PAGE - 10)
                stream.write(b"SWAPSPACE2")
        elif program == "swapon":
            status = self.swapon(path, int(words[2]) if len(words) == 4 else -2)
        elif program == "swapoff":
            left = [swap for swap in self.active() if swap.path != path]
            status = 0 if len(left) < len(self.active()) else 255
            self._put(left)
        elif program == "pgrep":
            status = 1
        return status, "", "" if status == 0 else f"{program}: {path}: failed"

    def boot(self) -> None:
        """Switch on what fstab names; a line whose file is no swap area fails, nofail or not."""
        self._put([])
        for entry in parse_fstab(self.fstab.read_text()):
            if entry.kind == "swap":
                assert "nofail" in entry.options
                self.swapon(entry.source, -2)

    def summary(self) -> tuple[int, list[str], list[str]]:
        """Return the swap in bytes, the files of the directory, and fstab's lines."""
        files = sorted(path.name for path in self.directory.iterdir()) if self.directory.exists() else []
        return sum(swap.size_bytes for swap in self.active()), files, self.fstab.read_text().splitlines()
