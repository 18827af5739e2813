# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to deploy that the benchmark compares: each brings a release to the host and goes back to the one before."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy_releases import Releases
from host import BenchHost

PLAYBOOKS = Path(__file__).resolve().parent / "deploy"
WORKERS = 4
# The same for all arms. JIT is off on every arm: Debian's own setting.
OPCACHE = {
    "opcache.memory_consumption": "128",
    "opcache.interned_strings_buffer": "16",
    "opcache.max_accelerated_files": "10000",
    "opcache.validate_timestamps": "0",
    "opcache.file_update_protection": "0",
    "opcache.jit": "disable",
}
# What each application wants to be asked before traffic comes.
ENTRY_POINTS = {
    "small": [{"path": "/work.php", "contains": "main="}],
    "wiki": [
        {"path": "/index.php", "query": "title=Main_Page", "contains": "main="},
        {"path": "/index.php", "query": "title=Special:RecentChanges"},
    ],
}


@dataclass
class Took:
    """One run of a playbook: from when to when (seconds since 1970), and what its tasks took."""

    start: float
    end: float
    tasks: list[dict[str, Any]]

    def of(self, action: str) -> float:
        """Sum what the tasks of a module took."""
        return float(sum(row["seconds"] for row in self.tasks if row["action"].endswith(action)))

    def returned(self, action: str) -> float:
        """Sum the seconds that the tasks of a module returned."""
        return float(sum(row["returned"]["seconds"] for row in self.tasks if row["action"].endswith(action)))


class Arm:
    """A way to deploy; the release's name is R0001 and on."""

    title = ""
    site = ""

    def __init__(self, host: BenchHost, releases: Releases, folder: Path) -> None:
        self.host, self.releases, self.folder = host, releases, folder

    def run(self, playbook: str, **variables: Any) -> Took:
        """Run a playbook as its user would, and time the whole command."""
        times = self.folder / "deploy_times.jsonl"
        times.unlink(missing_ok=True)
        start = time.time()
        self.host.playbook(playbook, times, **variables)
        end = time.time()
        return Took(start, end, [json.loads(line) for line in times.read_text(encoding="utf-8").splitlines()])

    def prepare(self, app: str) -> None:
        """Bring the arm's own servers up, outside of what is measured."""

    def deploy(self, app: str, release: str) -> Took:
        """Bring a new release to the host."""
        raise NotImplementedError

    def rollback(self, app: str, release: str) -> Took:
        """Go back to the release before."""
        raise NotImplementedError


class Usual(Arm):
    """A release unpacked, a symlink renamed, php-fpm reloaded."""

    title, site, timeout = "symlink + reload", "usual", ""

    def prepare(self, app: str) -> None:
        """Start Debian's FPM with this arm's process_control_timeout: a reload would take it one reload late."""
        setting = f"process_control_timeout = {self.timeout}" if self.timeout else ";process_control_timeout = 0"
        edit = f"s/^;*process_control_timeout *=.*/{setting}/"
        self.host.run(f"sed -i '{edit}' /etc/php/8.2/fpm/php-fpm.conf && systemctl restart php8.2-fpm")

    def deploy(self, app: str, release: str) -> Took:
        """Run the playbook for it."""
        archive = str(self.releases.archive(app, release))
        root = f"/srv/usual-{app}"
        return self.run(str(PLAYBOOKS / "usual.yml"), deploy_root=root, deploy_release=release, deploy_archive=archive)

    def rollback(self, app: str, release: str) -> Took:
        """Run the playbook for it."""
        return self.run(str(PLAYBOOKS / "usual_rollback.yml"), deploy_root=f"/srv/usual-{app}", deploy_release=release)


class Waiting(Usual):
    """The same, but workers may end their requests."""

    title, timeout = "the same, timeout=30", "30s"


class Ours(Arm):
    """The collection's playbooks."""

    title, site = "phpops.webhost.deploy", "ours"

    def variables(self, app: str) -> dict[str, Any]:
        """Return what a user's inventory would hold."""
        return {
            "deploy_site": {
                "name": app,
                "user": "app",
                "php_version": "8.2",
                "opcache": OPCACHE,
                "process_manager": {"mode": "static", "max_children": WORKERS},
                "entry_points": [{"host": f"{app}-ours.example.test", **point} for point in ENTRY_POINTS[app]],
            },
        }

    def deploy(self, app: str, release: str) -> Took:
        """Run the playbook for it."""
        source = {"archive": str(self.releases.archive(app, release))}
        return self.run("phpops.webhost.deploy", **self.variables(app), deploy_source=source, deploy_release_id=release)

    def rollback(self, app: str, release: str) -> Took:
        """Run the playbook for it: it finds the release before by itself."""
        return self.run("phpops.webhost.rollback", **self.variables(app))
