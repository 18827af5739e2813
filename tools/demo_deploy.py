# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's last part: DokuWiki, which the migration moved to PHP-FPM, is deployed twice under load."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any, Callable

from demo_table import render_deploys
from paths import ROOT, environment

sys.path.insert(0, str(ROOT / "tests" / "load"))
from client import Event, Load

HOST = "demo-debian12"
SITE, SERVER_NAME, PAGE = "docs-example-test", "docs.example.test", "/doku.php?id=start"
SOURCE, FOOTER = "/usr/share/dokuwiki", "lib/tpl/dokuwiki/tpl_footer.php"
# Enough that a deploy meets requests in flight all the time, and that the two processors aren't full without it.
CLIENTS, PAUSE_SECONDS = 6, 0.25
QUIET_SECONDS, AFTER_SECONDS = 6, 2
Play = Callable[..., None]


def checkout(folder: Path) -> Path:
    """Copy DokuWiki from the host as plain files, as a developer has them."""
    command = ["podman", "exec", HOST, "tar", "--create", "--dereference", "--directory", SOURCE, "."]
    done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, check=True, timeout=120)
    target = folder / "dokuwiki"
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(target)
    return target


def edit(code: Path, release: str) -> None:
    """Change one file: the page's footer names the release."""
    footer = code / FOOTER
    text = footer.read_text(encoding="utf-8").partition("<!-- main=")[0]
    footer.write_text(f"{text}<!-- main={release} -->\n", encoding="utf-8")


def deploy(play: Play, folder: Path, code: Path, release: str) -> dict[str, Any]:
    """Deploy the code, and return when that was and what the modules measured."""
    variables = {"deploy_site": {"name": SITE}, "deploy_source": {"directory": str(code)}, "deploy_release_id": release}
    edit(code, release)
    times = folder / f"{release}.jsonl"
    start = time.time()
    play("phpops.webhost.deploy", "--extra-vars", json.dumps(variables), times=times)
    end = time.time()
    rows = [json.loads(line) for line in times.read_text(encoding="utf-8").splitlines()]
    return {"start": start, "end": end, "returned": {row["action"].split(".")[-1]: row["returned"] for row in rows}}


def seen(events: list[Event], start: float, end: float) -> list[Event]:
    """Return the requests that were in flight in a time."""
    return [event for event in events if event.sent <= end and event.sent + event.seconds >= start]


def deploys(play: Play, folder: Path, url: str) -> str:
    """Give the site a virtual host that serves its pointer, deploy two releases under load, and return the numbers."""
    play("demo/vhost.yml")
    code = checkout(folder)
    with Load(url, PAGE, clients=CLIENTS, host=SERVER_NAME, pause_seconds=PAUSE_SECONDS, record=True) as running:
        time.sleep(1)
        quiet = time.time()
        time.sleep(QUIET_SECONDS)
        runs = {}
        for release in ("R1", "R2"):
            runs[release] = deploy(play, folder, code, release)
            time.sleep(AFTER_SECONDS)
    events = running.result.events
    columns = {"quiet": seen(events, quiet, quiet + QUIET_SECONDS)}
    for release, run in runs.items():
        columns[f"deploying {release}"] = seen(events, run["start"], run["end"] + AFTER_SECONDS)
    last = runs["R2"]
    stale = sum(event.sent > last["end"] and event.releases != ["R2"] for event in events)
    return render_deploys(columns, {release: run["returned"] for release, run in runs.items()}, stale)
