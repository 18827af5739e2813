# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Finds the .htaccess files below document roots, within bounds, safe against loops of symlinks."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import Callable, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.htaccess import parse_htaccess, relevant
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text

MAX_FILE_BYTES = 1024 * 1024


@dataclass
class Scan:
    """The bounds and the state of one host's scan; one object is shared by all sites."""

    modules: Sequence[str]
    max_directories: int
    max_seconds: float
    name: str = ".htaccess"
    clock: Callable[[], float] = time.monotonic
    directories: int = 0
    reasons: list[str] = field(default_factory=list)
    started: float | None = None

    @property
    def seconds(self) -> float:
        """How long the scan has taken so far."""
        return 0.0 if self.started is None else round(self.clock() - self.started, 3)

    def find(self, root: str, allowed: Callable[[str], bool]) -> dict[str, list[Directive]]:
        """Read the .htaccess files of ``root``, of the folders above it and of those below it.

        ``allowed`` says whether AllowOverride lets a folder have one. Symlinks to folders are followed once each.
        """
        found: dict[str, list[Directive]] = {}
        if self.started is None:
            self.started = self.clock()
        above = root
        while above not in ("", "/"):
            above = os.path.dirname(above)  # noqa: PTH120
            if above and allowed(above):
                self._read(above, found)
        seen: set[tuple[int, int]] = set()
        waiting = [root]
        while waiting:
            folder = waiting.pop()
            if self.directories >= self.max_directories or self.seconds > self.max_seconds:
                self._say(
                    f"The search for {self.name} below {root} was cut after {self.directories} folders and "
                    f"{self.seconds} s: raise htaccess_max_directories or htaccess_max_seconds."
                )
                break
            waiting += self._folder(folder, seen, found, allowed)
        return found

    def _folder(
        self,
        folder: str,
        seen: set[tuple[int, int]],
        found: dict[str, list[Directive]],
        allowed: Callable[[str], bool],
    ) -> list[str]:
        below: list[str] = []
        has_file = False
        try:
            status = os.stat(folder)  # noqa: PTH116
            if (status.st_dev, status.st_ino) in seen:
                return []
            seen.add((status.st_dev, status.st_ino))
            self.directories += 1
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name == self.name:
                        has_file = True
                    elif entry.is_dir():
                        below.append(entry.path)
        except FileNotFoundError:
            return []
        except OSError as error:
            self._say(f"{folder} can't be read ({os.strerror(error.errno or 0)}): run the task with become.")
            return []
        if has_file and allowed(folder):
            self._read(folder, found)
        return sorted(below, reverse=True)

    def _read(self, folder: str, found: dict[str, list[Directive]]) -> None:
        path = folder.rstrip("/") + "/" + self.name
        try:
            text = read_text(path, MAX_FILE_BYTES)
        except Unreadable as error:
            if not error.missing:
                self._say(error.reason)
            return
        directives = parse_htaccess(text, path, self.modules)
        if relevant(directives):
            found[folder] = directives

    def _say(self, sentence: str) -> None:
        if sentence not in self.reasons and len(self.reasons) < 20:
            self.reasons.append(sentence)
