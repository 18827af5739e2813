# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Five deploys in a row under load: no request is failed, lost, doubled, mixed or stale, and nothing grows."""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import dataclass, field

import pytest
import releases
from deploy_app import ARCHIVES, PATH, DeployApp, held, source

# Beside the live one.
KEEP = 2


@dataclass
class Deploys:
    """What five deploys under load showed."""

    app: DeployApp
    names: list[str] = field(default_factory=list)
    runs: list = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    counts: list[dict] = field(default_factory=list)
    there: list[list[str]] = field(default_factory=list)
    old_sheets: list[int] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)
    loads: list = field(default_factory=list)
    slow_log: list = field(default_factory=list)
    quiet: dict = field(default_factory=dict)


def put(app, path, target):
    """Copy a file or folder of the controller to the host."""
    app.host.run_expect([0], f"rm -rf {target} && mkdir -p $(dirname {target})")
    subprocess.run(["podman", "cp", str(path), f"{app.name}:{target}"], check=True, timeout=60)


def sources(app, first):
    """Return deploy_source for five releases, one of each kind."""
    names = [f"R{first + number}" for number in range(5)]
    # A bare repository on the host: as good as a remote one, without a network.
    folder = releases.directory(ARCHIVES / app.name / "git", names[0])
    put(app, folder, "/srv/checkout")
    git = "git -c user.name=app -c user.email=app@example.org -c init.defaultBranch=main"
    app.host.run_expect(
        [0],
        f"cd /srv/checkout && chown -R root: . && {git} init -q && {git} add . && {git} commit -qm {names[0]}"
        " && rm -rf /srv/app.git && git clone -q --bare . /srv/app.git",
    )
    # The web server's own pages are those of another name.
    packed = releases.archive(ARCHIVES / app.name / "url", names[1])
    put(app, packed, f"/var/www/html/{names[1]}.tar.gz")
    digest = hashlib.sha256(packed.read_bytes()).hexdigest()
    return dict(
        zip(
            names,
            (
                {"git": "/srv/app.git", "version": "main"},
                {"url": f"http://127.0.0.1/{names[1]}.tar.gz", "sha256": digest},
                {"directory": str(releases.directory(ARCHIVES / app.name / "directory", names[2]))},
                source(names[3]),
                source(names[4]),
            ),
            strict=True,
        )
    )


@pytest.fixture(scope="module")
def five(host):
    """Five deploys, each with two slow requests in flight, while twelve clients keep four workers busy."""
    app = DeployApp(host)
    with held(app.name):
        seen = Deploys(app)
        wanted = sources(app, int(app.next()[1:]))
        seen.names = [app.release(), *wanted]
        app.host.run_expect(
            [0], f"echo '<?php return 42;' >{PATH}/shared/config.local.php; rm -f {PATH}/shared/var/slow.log"
        )
        # A queue worker of the oldest release: it must keep its files for as long as it runs.
        app.host.run_expect(
            [0], f"cd $(readlink -f {PATH}/current) && (setsid sleep 600 >/dev/null 2>&1 & echo $! >/srv/worker)"
        )
        with app.slow(8), app.slow(5), app.load() as quiet:
            quiet.wait_for(600)
        seen.quiet = quiet.result
        with app.slow(8) as eight, app.slow(5) as other, app.load() as load:
            seen.loads = [load, eight, other]
            load.wait_for(100)
            for number, (name, where) in enumerate(wanted.items()):
                if number == 4:
                    app.host.run_expect([0], "kill $(cat /srv/worker)")
                run = app.deploy(deploy_source=where, deploy_releases_keep=KEEP)
                assert run.rc == 0, run.output
                assert app.release() == name
                seen.runs.append(run)
                seen.moments.append(load.switched())
                for one in (eight, other):
                    one.switched()
                seen.counts.append(app.counted())
                seen.there.append(app.names_there())
                seen.old_sheets.append(app.status(releases.sheet(seen.names[number])))
                seen.tools.append(app.host.check_output(f"php {PATH}/current/bin/tool.php"))
                seen.settings.append(app.who()["setting"])
            load.wait_for(100)
        lines = app.host.check_output(f"cat {PATH}/shared/var/slow.log").splitlines()
        seen.slow_log = [(float(begun), float(ended), *names) for begun, ended, *names in map(str.split, lines)]
    return seen


def test_no_request_is_lost_doubled_mixed_or_stale(five, record_property):
    load = five.loads[0]
    print(five.app.name, "quiet", json.dumps(five.quiet), "deploying", json.dumps(load.result))
    record_property("load", json.dumps(load.result))
    assert [one.bad() for one in five.loads] == [{}, {}, {}]
    assert set(load.result["releases"]) == set(five.names)
    assert load.result["posts"] > 200
    assert load.result["stale"] == 0


def test_a_slow_request_is_in_flight_at_every_switch_and_ends_in_its_own_release(five):
    assert [line for line in five.slow_log if line[2] != line[3]] == []
    for moment, old in zip(five.moments, five.names[:-1], strict=True):
        across = {names[0] for begun, ended, *names in five.slow_log if begun < moment < ended}
        assert across == {old}, (moment, five.slow_log)


def test_nothing_grows(five):
    quiet, deploying = five.quiet["p99_seconds"], five.loads[0].result["p99_seconds"]
    print(five.app.name, f"p99 quiet {quiet} s, deploying {deploying} s,", [round(run.seconds, 1) for run in five.runs])
    print(json.dumps(five.counts, indent=1))
    second, last = five.counts[1], five.counts[4]
    assert {name: (second[name], now) for name, now in last.items() if now > second[name]} == {}
    assert last["failed units"] == 0


def test_old_releases_go_unless_a_process_uses_them(five):
    first = five.names[0]
    assert set(five.names[:2]) <= set(five.there[0])
    for number in range(1, 5):
        # The live one and two before it; and the first one for as long as its worker runs.
        wanted = {*five.names[number - 1 : number + 2], *([first] if number < 4 else [])}
        assert five.there[number] == sorted(wanted), number


def test_what_pages_and_jobs_hold_on_to_stays(five):
    assert five.old_sheets == [200] * 5
    assert five.tools == five.names[1:]
    assert five.settings == [42] * 5


def test_the_summary_says_what_was_deployed(five):
    for run, name in zip(five.runs, five.names[1:], strict=True):
        for word in ("release", "slot", "primed", "first request", "drain"):
            assert word in run.summary.lower(), (name, run.summary)


def test_no_other_user_reads_the_repository(five, host):
    """The URL in it may hold a token."""
    assert host.file(f"{PATH}/repository/config").mode == 0o600
    assert [host.file(f"{PATH}/{folder}").mode for folder in ("repository", "incoming")] == [0o700, 0o700]
