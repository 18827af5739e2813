# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""With a systemd that is played; its start of the service is the exporter's run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.host_timer import units
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_settings import Settings, settings
from ansible_collections.phpops.webhost.plugins.module_utils._host.metrics_timer import (
    Exported,
    Paths,
    absent,
    metrics_timer,
    present,
)
from ansible_collections.phpops.webhost.tests.unit._host.played_timer import timer_folder

__all__ = ["timer_folder"]

PROGRAM = "/usr/local/lib/phpops/metrics.pyz"
PROBE = {"probe": "slab", "success": False, "reason": "closed", "available": True, "series": 0, "dropped": 0}


class Host:
    """A host whose exporter writes its file, unless it is ``broken``, into the folder that its settings name."""

    def __init__(self, top: Path) -> None:
        self.paths = Paths(str(top / "units"), str(top / "etc" / "metrics.json"), str(top / "last.json"))
        self.chosen = Settings(textfile_directory=str(top / "prom"), probes=("slab",))
        Path(self.chosen.textfile_directory).mkdir()
        self.running = self.broken = self.mute = False
        self.log: list[str] = []

    def run(self, words: list[str]) -> tuple[int, str, str]:
        words = [word for word in words if word not in ("--no-pager", "--quiet")]
        if words[0] == "journalctl":
            return 0, "metrics: no folder\n", ""
        if words[1] == "show":
            state = f"ActiveState={'active' if self.running else 'inactive'}\nUnitFileState=enabled\n"
            state += "Result=success\nExecMainExitTimestamp=today\n"
            return 0, f"{state}\n{state}", ""
        self.log.append(" ".join(words[1:]))
        if words[1:] == ["start", "phpops-metrics.service"]:
            if self.broken:
                return 1, "", "Job failed."
            if not self.mute:
                folder = settings(Path(self.paths.config).read_text()).textfile_directory
                (Path(folder) / "phpops.prom").write_text("phpops_x 1\n")
                Path(self.paths.last).write_text(json.dumps({"series": 1, "probes": [PROBE]}))
        if words[1] in ("start", "restart", "stop") and words[2].endswith(".timer"):
            self.running = words[1] != "stop"
        return 0, "", ""

    def present(self, check_mode: bool = False) -> Exported:
        return present(self.run, PROGRAM, self.chosen, check_mode, self.paths)

    def absent(self, check_mode: bool = False) -> Exported:
        return absent(self.run, PROGRAM, self.chosen, check_mode, self.paths)


@pytest.fixture(name="host")
def _host(timer_folder: Path) -> Host:
    return Host(timer_folder)


def test_the_exporter_runs_at_once_and_tells_what_it_did(host: Host) -> None:
    done = host.present()
    assert done.placed.changed
    assert host.log[-1] == "start phpops-metrics.service"
    assert done.summary() == [
        "phpops-metrics.timer is active and enabled; its last run, today, ended with success.",
        f"{host.chosen.textfile_directory}/phpops.prom: 1 series from 1 probes; failed: slab (closed)",
    ]
    assert settings(Path(host.paths.config).read_text()) == host.chosen
    again = host.present()
    assert (again.placed.changed, again.last) == (False, done.last)


def test_check_mode_runs_nothing(host: Host) -> None:
    done = host.present(check_mode=True)
    assert (done.placed.changed, done.last, host.log) == (True, None, [])
    assert done.summary()[1] == "The exporter has not run yet."


def test_a_host_without_the_collectors_folder_is_told_what_to_install(host: Host) -> None:
    Path(host.chosen.textfile_directory).rmdir()
    assert host.present(check_mode=True).placed.changed
    with pytest.raises(StepFailed, match="install prometheus-node-exporter"):
        host.present()
    assert not Path(host.paths.config).exists()


def test_an_exporter_that_can_not_run_is_a_failure_with_its_own_words(host: Host) -> None:
    host.broken = True
    with pytest.raises(StepFailed, match="The exporter could not run: metrics: no folder"):
        host.present()


def test_an_exporter_that_leaves_nothing_is_a_failure(host: Host) -> None:
    host.mute = True
    with pytest.raises(StepFailed, match=r"left no .*/phpops\.prom"):
        host.present()


def test_another_folder_takes_the_metrics_out_of_the_first(host: Host, tmp_path: Path) -> None:
    host.present()
    old = Path(host.chosen.textfile_directory) / "phpops.prom"
    (tmp_path / "other").mkdir()
    host.chosen = Settings(textfile_directory=str(tmp_path / "other"), probes=("slab",))
    assert any(entry["before_header"] == str(old) for entry in host.present(check_mode=True).placed.diff)
    assert old.exists()
    assert host.present().placed.changed
    assert (old.exists(), (tmp_path / "other" / "phpops.prom").exists()) == (False, True)
    assert not host.present().placed.changed


def test_absent_takes_the_metrics_as_well_wherever_they_are(host: Host, tmp_path: Path) -> None:
    host.present()
    file = Path(host.chosen.textfile_directory) / "phpops.prom"
    host.chosen = Settings(textfile_directory=str(tmp_path / "elsewhere"))
    assert host.absent(check_mode=True).placed.changed
    assert file.exists()
    assert host.absent().placed.changed
    assert not file.exists()
    assert not Path(host.paths.config).exists()
    assert not host.absent().placed.changed


def test_the_service_may_write_to_its_folders_only() -> None:
    chosen = Settings(opcache_folders=("/home/wiki/tmp",))
    service = units(metrics_timer(PROGRAM, chosen))["phpops-metrics.service"].splitlines()
    assert "ReadWritePaths=-/var/lib/prometheus/node-exporter -/var/lib/phpops -/home/wiki/tmp" in service
    assert "ProtectSystem=strict" in service
    assert "ProtectHome=read-only" in service
    assert not any("CAP_SYS_ADMIN" in line for line in service)
    assert f"TimeoutStartSec={chosen.run_seconds}" in service
