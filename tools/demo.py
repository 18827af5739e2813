# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the whole job on one real systemd host: diagnose, migrate under load, tune, deploy; then numbers and a report.

KEEP=1 leaves the host running, to be looked at with `podman exec -it demo-debian12 bash`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Iterator

from demo_deploy import HOST, deploys
from demo_table import render
from paths import ROOT, environment

sys.path.insert(0, str(ROOT / "tests" / "load"))
from client import Load, Result

# Site, page, clients: together more than the eleven processes of the field report that the collection starts from.
LOAD = (
    ("wiki.example.test", "/index.php?title=Main_Page", 4),
    ("docs.example.test", "/doku.php?id=start", 4),
    ("app.example.test", "/index.php?slow=0.1", 4),
)
# With it a php-cgi is busy most of the time, and all are idle now and then: the moment a reload waits for.
PAUSE_SECONDS = 0.6
# What diagnose leaves, before and after.
REPORT = ROOT / "demo" / "report"
STARTED = time.monotonic()


def say(text: str) -> None:
    """Print a line with the time since the start."""
    print(f"\n[{time.monotonic() - STARTED:4.0f} s] {text}", flush=True)


def settings() -> dict[str, str]:
    """Return the environment that reaches the host as the scenarios do."""
    return {
        **environment(),
        "ANSIBLE_SSH_ARGS": f"-F {ROOT}/molecule/shared/ssh_config -o ControlMaster=auto -o ControlPersist=60s",
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_INJECT_FACT_VARS": "0",
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "0",
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
    }


def play(playbook: str, *arguments: str, quiet: bool = False, times: Path | None = None) -> None:
    """Run a playbook on the demo's inventory; quiet shows its output only when it fails.

    times: a file for what each task took and returned.
    """
    timing = {
        "BENCH_TIMES": str(times),
        "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests" / "bench" / "callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "task_times",
    }
    command = ["ansible-playbook", "--inventory", "demo/inventory/", playbook, *arguments]
    print(f"$ {' '.join(command)}", flush=True)
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**settings(), **(timing if times else {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
        timeout=900,
        check=False,
    )
    if done.returncode:
        print(done.stdout or "")
        raise RuntimeError(f"{playbook} ended with {done.returncode}")


def measure(label: str, folder: Path) -> dict[str, Any]:
    """Read the host's shared memory and its budget."""
    file = folder / f"{label}.json"
    play("demo/measure.yml", "--extra-vars", f"demo_file={file}", quiet=True)
    numbers: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return numbers


def diagnose(label: str, before: str = "") -> Path:
    """Run the diagnosis with its report, compared with an earlier one, and return the page."""
    variables = {"diagnose_output_dir": str(REPORT / label)}
    if before:
        variables["diagnose_before_dir"] = str(REPORT / before)
    play("phpops.webhost.diagnose", "--extra-vars", json.dumps(variables))
    page = REPORT / label / "report.html"
    if not page.is_file():
        raise RuntimeError(f"diagnose left no {page}")
    return page


def address() -> str:
    """Return the address of the host on this machine's container network."""
    command = ["podman", "inspect", "--format", "{{.NetworkSettings.IPAddress}}", HOST]
    return subprocess.run(
        command, env=settings(), capture_output=True, text=True, timeout=30, check=True
    ).stdout.strip()


@contextmanager
def load() -> Iterator[list[Result]]:
    """Keep all sites busy; the list holds what each site's clients saw once the block has ended."""
    url = f"http://{address()}/"
    with ExitStack() as running:
        loads = [
            running.enter_context(Load(url, path, clients=count, host=name, pause_seconds=PAUSE_SECONDS))
            for name, path, count in LOAD
        ]
        yield [one.result for one in loads]


def lost(results: list[Result]) -> str:
    """Say what the load saw."""
    sent, failed, cut, hung = (sum(getattr(one, name) for one in results) for name in ("sent", "failed", "cut", "hung"))
    return f"{sent} requests sent, {failed} failed; of these {cut} cut, {hung} hung"


def job(folder: Path) -> None:
    """Set the host up, do the job, print the numbers."""
    say("Starting a Debian 12 host and installing MediaWiki, DokuWiki and a small application under mod_fcgid")
    shutil.rmtree(REPORT, ignore_errors=True)
    play("molecule/shared/create.yml", quiet=True)
    play("demo/host.yml", quiet=True)
    say("Load on all three sites; measuring and diagnosing in the middle of it: what is wrong with this host")
    with load():
        time.sleep(8)
        before = measure("before", folder)
        diagnose("before")
    say("migrate: all sites to PHP-FPM, while the load goes on")
    with load() as during:
        play("phpops.webhost.migrate")
        time.sleep(5)
        migrated = measure("migrated", folder)
    say("tune: OPcache sized by what the primed masters hold, applied by slot flips, while the load goes on")
    with load() as flips:
        play("phpops.webhost.tune")
        time.sleep(5)
        tuned = measure("tuned", folder)
    say("deploy: two releases of the documentation, while the load goes on")
    deployed = deploys(play, folder, f"http://{address()}/")
    say("diagnose: the same host under the same load, beside what it was")
    with load():
        time.sleep(8)
        page = diagnose("after", "before")
    print("\n" + render({"php-cgi": before, "migrated": migrated, "tuned": tuned}))
    print(f"\nDuring the migration: {lost(during)}.\nDuring the slot flips: {lost(flips)}.")
    print(f"\n{deployed}")
    print(f"\nThe report, before and after: {page}")


def main() -> int:
    """Run the demo and remove its host."""
    try:
        with TemporaryDirectory(prefix="phpops-demo-") as folder:
            job(Path(folder))
    except (RuntimeError, OSError, ValueError, subprocess.SubprocessError) as error:
        print(f"demo: FAILED: {error}", file=sys.stderr)
        return 1
    finally:
        if os.environ.get("KEEP") != "1":
            play("molecule/shared/destroy.yml", quiet=True)
    say("demo: done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
