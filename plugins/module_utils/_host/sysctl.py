# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Kernel settings of a role: one file in /etc/sysctl.d, applied at once, read back, and taken back by `absent`."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core.sysctl import last_setting, parse_before, render
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import (
    Unreadable,
    fsync_dir,
    read_text,
    write_atomic,
)

# By precedence, sysctl.d(5). procps also reads /etc/sysctl.conf, which Debian 12 links as 99-sysctl.conf.
FOLDERS = ("etc/sysctl.d", "run/sysctl.d", "usr/local/lib/sysctl.d", "usr/lib/sysctl.d")
_MAX_BYTES = 1024 * 1024


class SysctlError(Exception):
    """A setting could not be made; the text says which one and why. The file is as it was before."""


@dataclass
class Outcome:
    """What was done: ``settings`` holds {key, before, value, wanted}, value being what the kernel says afterwards."""

    changed: bool = False
    settings: list[dict[str, Any]] = field(default_factory=list)
    diff: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def _diff(header: str, before: str, after: str) -> dict[str, str]:
    return {"before_header": header, "after_header": header, "before": before, "after": after}


class Sysctl:
    """The settings of one host; ``root`` is for tests."""

    def __init__(self, root: str = "/") -> None:
        self.root = Path(root)

    def _proc(self, key: str) -> Path:
        return self.root / "proc/sys" / key.replace(".", "/")

    def path(self, name: str) -> Path:
        """Return the file of a role's settings."""
        return self.root / FOLDERS[0] / f"60-phpops-{name}.conf"

    def exists(self, key: str) -> bool:
        """Return whether this kernel has the setting."""
        return self._proc(key).exists()

    def read(self, key: str) -> str:
        """Return the value in force, blanks between several numbers made single. Raises Unreadable."""
        return " ".join(read_text(self._proc(key), _MAX_BYTES).split())

    def _write(self, key: str, value: str) -> None:
        try:
            with self._proc(key).open("w", encoding="ascii") as stream:
                stream.write(value)
        except OSError as error:
            raise SysctlError(f"The kernel refuses {key} = {value} ({error.strerror or error}).") from error

    def write_only(self, key: str, value: str) -> None:
        """Write a trigger, such as vm.drop_caches, which is no setting. Raises SysctlError."""
        self._write(key, value)

    def _text(self, name: str) -> str:
        try:
            return read_text(self.path(name), _MAX_BYTES)
        except Unreadable as error:
            if error.missing:
                return ""
            raise

    def _store(self, name: str, text: str) -> None:
        path = self.path(name)
        if text:
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            write_atomic(path, text, 0o644)
        else:
            with suppress(FileNotFoundError):
                path.unlink()
                fsync_dir(path.parent)

    def _note_winner(self, name: str, key: str, value: str, notes: list[str]) -> None:
        """Say so when a file that is read later sets the key to something else at the next boot."""
        ours = str(self.path(name))
        # Ours as it will be, also in check mode.
        files = [(ours, f"{key} = {value}")]
        for folder in FOLDERS:
            for path in sorted((self.root / folder).glob("*.conf")):
                real = os.path.realpath(path)
                with suppress(Unreadable):
                    if str(path) != ours:
                        # What is masked hides its namesakes, too.
                        files.append((str(path), "" if real == os.devnull else read_text(real, _MAX_BYTES)))
        # A file that is named as ours in another folder is hidden by it, so ours comes first.
        last = last_setting(files, key)
        if last and last[0] != ours and last[1].split() != value.split():
            notes.append(
                f"{last[0]} sets {key} = {last[1]} and is read after {ours}: it wins at the next boot; remove it."
            )

    def apply(self, role: str, name: str, values: Mapping[str, str], check_mode: bool) -> Outcome:
        """Set the values, now and at each boot; a key that the file had and that is not wanted any more is restored.

        The file is written before the values, since it remembers the old ones; it goes back if the kernel refuses one.
        An empty ``values`` restores all. Raises SysctlError, Unreadable, OSError.
        """
        outcome = Outcome()
        text = self._text(name)
        known = parse_before(text)
        lacking = [key for key in values if not self.exists(key)]
        if lacking:
            raise SysctlError(f"This kernel has no {lacking[0]}: leave the option out.")
        now = {key: self.read(key) for key in {**known, **values} if self.exists(key)}
        before = {key: known.get(key, now[key]) for key in values}
        # What left the file goes back to what it was; a key of the file without a remembered value stays as it is.
        wanted = {**{key: value for key, value in known.items() if key in now}, **values}
        new = render(role, values, before) if values else ""
        writes = {key: value for key, value in sorted(wanted.items()) if now[key] != value}
        outcome.changed = bool(writes) or new != text
        if new != text:
            outcome.diff.append(_diff(str(self.path(name)), text, new))
        if writes:
            lines = ["".join(f"{key} = {of[key]}\n" for key in writes) for of in (now, wanted)]
            header = "sysctl (running kernel)"
            outcome.diff.append(
                {"before_header": header, "after_header": header, "before": lines[0], "after": lines[1]}
            )
        if not check_mode:
            # What leaves the file goes back first: until then the file is what remembers its old value.
            self._put({key: value for key, value in writes.items() if key not in values}, now)
            if new != text:
                self._store(name, new)
            try:
                self._put({key: value for key, value in writes.items() if key in values}, now)
            except SysctlError:
                if new != text:
                    self._store(name, text)
                raise
        for key, value in sorted(wanted.items()):
            in_force = now[key] if check_mode else self.read(key)
            if not check_mode and in_force != value:
                outcome.notes.append(
                    f"{key} is {in_force} although {value} was written: the kernel took another value."
                )
            outcome.settings.append({"key": key, "before": now[key], "value": in_force, "wanted": value})
        for key, value in values.items():
            self._note_winner(name, key, value, outcome.notes)
        return outcome

    def _put(self, writes: Mapping[str, str], now: Mapping[str, str]) -> None:
        """Write all values or none."""
        done: list[str] = []
        try:
            for key, value in writes.items():
                self._write(key, value)
                done.append(key)
        except SysctlError:
            for key in done:
                with suppress(SysctlError):
                    self._write(key, now[key])
            raise
