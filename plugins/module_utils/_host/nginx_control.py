# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Checks and reloads nginx, and sees that it took the configuration."""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Callable, Mapping, Optional

from ansible_collections.phpops.webhost.plugins.module_utils._host.apache_control import RunWith, children, running
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_bytes

MaybeText = Optional[str]
_STAMP = re.compile(r"^\d{4}/\d\d/\d\d [\d:]+ \[\w+\] \d+#\d+: ")


class NginxError(Exception):
    """nginx did not take a configuration; one sentence."""


class Nginx:
    """One host's nginx. Times are seconds; names are what the kernel calls its processes."""

    names = ("nginx",)

    def __init__(
        self,
        run: RunWith,
        config_root: str = "/etc/nginx",
        pid_file: str = "/run/nginx.pid",
        kill: Callable[[int, int], None] = os.kill,
    ):
        self._run, self._kill = run, kill
        self.config_root, self.pid_file = config_root, pid_file

    def complaint(self, config: MaybeText = None) -> MaybeText:
        """Return None when `nginx -t` passes, else what nginx says, on one line."""
        status, out, err = self._run(["nginx", "-t", "-q", *(["-c", config] if config else [])], {"LC_ALL": "C"})
        if status == 0:
            return None
        said = [line.strip() for line in (err + "\n" + out).splitlines() if line.strip()]
        kept = [line for line in said if "[warn]" not in line and "test failed" not in line] or said
        return " ".join(_STAMP.sub("", line) for line in kept) or f"status {status}"

    def staged_complaint(self, texts: Mapping[str, bytes], links: Mapping[str, str], gone: list[str]) -> MaybeText:
        """Return what nginx would say with these files, new symlinks and removed names; None when it passes.

        It is tried on a copy of the configuration's folder, in which absolute paths to that folder name the copy.
        """
        root = self.config_root.rstrip("/")
        with tempfile.TemporaryDirectory(prefix="phpops-stage-") as folder:
            stage = Path(folder) / "nginx"
            shutil.copytree(root, stage, symlinks=True)
            for path, text in texts.items():
                (stage / Path(path).relative_to(root)).write_bytes(text)
            for path in gone:
                place = stage / Path(path).relative_to(root)
                if place.is_symlink() or place.exists():
                    place.unlink()
            for path, goal in links.items():
                place = stage / Path(path).relative_to(root)
                if not place.is_symlink():
                    place.symlink_to(goal)
            self._point_to(stage, root)
            said = self.complaint(str(stage / "nginx.conf"))
            return said.replace(str(stage), root) if said else None

    @staticmethod
    def _point_to(stage: Path, root: str) -> None:
        for path in sorted(stage.rglob("*")):
            if path.is_symlink():
                goal = os.readlink(path)
                if goal.startswith(f"{root}/"):
                    path.unlink()
                    path.symlink_to(str(stage) + goal[len(root) :])
            elif path.is_file():
                try:
                    content = read_bytes(path, 4 * 1024 * 1024)
                except Unreadable:
                    continue
                named = content.replace(f"{root}/".encode(), f"{stage}/".encode())
                if named != content:
                    path.write_bytes(named)

    def parent(self) -> int:
        """Return the pid of the running master process, 0 when there is none."""
        return running(self.pid_file, self.names)

    def graceful(self, timeout_seconds: float) -> float:
        """Reload once and wait until the master has workers of the new configuration; return the seconds it took.

        nginx's master keeps the old configuration when it can't use the new one, and tells its error log alone.
        Raises NginxError then, and when the master is gone.
        """
        parent, before = self.parent(), time.monotonic()
        if not parent:
            raise NginxError(f"nginx is not running ({self.pid_file} names no process): start it first.")
        old = children(parent)
        self._kill(parent, signal.SIGHUP)
        while time.monotonic() - before < timeout_seconds:
            if self.parent() != parent:
                raise NginxError(f"nginx's master process {parent} ended at the reload: see its error log.")
            if children(parent) - old:
                return time.monotonic() - before
            time.sleep(0.02)
        raise NginxError(f"nginx did not take the configuration within {timeout_seconds:g} s: see its error log.")

    def start(self) -> str:
        """Start nginx again, after its master ended; return "" or a sentence that it is down."""
        status, _out, _err = self._run(["systemctl", "start", "nginx.service"], {})
        return "nginx could not be started again: see `journalctl -u nginx`." if status else ""
