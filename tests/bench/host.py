# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container host for the benchmark, reached by SSH as the scenarios' hosts are, and playbooks timed on it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "localhost/phpops-host:bookworm"
BOOT_SECONDS = 60


def _podman(*words: str, feed: str | None = None) -> str:
    done = subprocess.run(["podman", *words], check=True, text=True, input=feed, stdout=subprocess.PIPE, timeout=120)
    return done.stdout.strip()


@dataclass(frozen=True)
class Timed:
    """One task of a playbook run."""

    task: str
    action: str
    seconds: float
    changed: bool


class BenchHost:
    """Starts on entry, is removed on exit."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder

    def __enter__(self) -> BenchHost:
        """Boot the container and let us in."""
        _podman("rm", "--force", "--ignore", self.name)
        words = ["run", "-d", "--name", self.name, "--hostname", self.name, "--systemd=always"]
        words += ["--cap-add", "SYS_ADMIN", "--cap-add", "SYS_PTRACE"]
        words += ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096", IMAGE, "/lib/systemd/systemd"]
        _podman(*words)
        key = (Path(os.environ["PHPOPS_CACHE"]) / "id_ed25519.pub").read_text(encoding="utf-8")
        script = "install -d -m 700 /root/.ssh && cat >/root/.ssh/authorized_keys"
        _podman("exec", "-i", self.name, "sh", "-c", script, feed=key)
        deadline = time.monotonic() + BOOT_SECONDS
        while self.run("systemctl is-system-running || true") not in ("running", "degraded"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name} did not boot within {BOOT_SECONDS} s: see podman logs {self.name}")
            time.sleep(0.5)
        return self

    def __exit__(self, *_error: object) -> None:
        """Remove the container."""
        try:
            _podman("rm", "--force", "--ignore", "--time", "1", self.name)
        except subprocess.CalledProcessError:
            # On a busy machine podman's own record lags behind the end that it has just brought about.
            time.sleep(3)
            _podman("rm", "--force", "--ignore", self.name)

    def run(self, script: str) -> str:
        """Run a shell script on the host, not by SSH."""
        return _podman("exec", self.name, "sh", "-c", script)

    def spawn(self, number: int, what: str) -> None:
        """Start that many processes and wait until all of them sleep."""
        _podman("cp", str(ROOT / "tests" / "bench" / "spawn.py"), f"{self.name}:/root/spawn.py")
        self.run("rm -f /run/bench-ready")
        _podman("exec", "-d", self.name, "python3", "/root/spawn.py", str(number), what)
        deadline = time.monotonic() + 180
        while not self.run("cat /run/bench-ready 2>/dev/null || true").startswith(f"{number} "):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{number} processes ({what}) did not start on {self.name} within 180 s")
            time.sleep(0.5)

    def end_spawned(self) -> None:
        """End them."""
        self.run("kill $(cut -d ' ' -f 2 /run/bench-ready); sleep 1; rm -f /run/bench-*")

    def play(self, tasks: list[dict[str, Any]]) -> list[Timed]:
        """Run tasks in one play over one SSH connection and return what each of them took."""
        playbook, times = self.folder / "bench.json", self.folder / "times.jsonl"
        playbook.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
        times.unlink(missing_ok=True)
        self.playbook(str(playbook), times)
        rows = [json.loads(line) for line in times.read_text(encoding="utf-8").splitlines()]
        return [Timed(row["task"], row["action"], row["seconds"], row["changed"]) for row in rows]

    def playbook(self, name: str, times: Path, **variables: Any) -> None:
        """Run a playbook with extra variables; its tasks' times are added to the file."""
        environment = {
            **os.environ,
            "BENCH_TIMES": str(times),
            "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests" / "bench" / "callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "task_times",
            "ANSIBLE_COLLECTIONS_PATH": os.environ["PHPOPS_TREE"],
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_SSH_ARGS": f"-F {ROOT}/molecule/shared/ssh_config -o ControlMaster=auto -o ControlPersist=60s",
            "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
        }
        command = ["ansible-playbook", "--inventory", f"{self.name},", name, "--extra-vars", json.dumps(variables)]
        done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=600, check=False)
        if done.returncode:
            raise RuntimeError(f"{name} failed:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
