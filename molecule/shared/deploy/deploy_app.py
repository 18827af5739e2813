# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site "app" of the scenarios deploy_*: deploys of it as a user runs them, and load on it."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import re
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import releases
import yaml
from load_client import LoadClient

# The pool has six workers. Slow requests hold two of them; the load is above the other four, so that requests always
# wait in the accept queue.
CLIENTS = 12
NAME = "app.example.org"
POINTER = "/var/lib/phpops/app/ptr/live"
PATH = "/srv/www/app"
NUMBERS = itertools.count()
ARCHIVES = Path(tempfile.mkdtemp(prefix="phpops-releases-"))


@dataclass
class Run:
    """What one run of a playbook said; seconds: how long the command took."""

    rc: int
    output: str
    seconds: float

    @property
    def summary(self):
        """The lines of the role's summary, as the terminal showed them."""
        shown = re.search(r"^TASK \[[^\]]*Show[^\]]*\][^\n]*\n(.*?)(?=^TASK |^PLAY |\Z)", self.output, re.M | re.S)
        return shown.group(1).strip() if shown else ""

    @property
    def changed(self):
        """How many tasks changed something, by host."""
        return {host: int(count) for host, count in re.findall(r"^([\w-]+) +: ok=.*? changed=(\d+)", self.output, re.M)}

    @property
    def reasons(self):
        """The sentences with which hosts failed, in their order: (host, sentence)."""
        found = re.findall(r"^(?:\[ERROR\]: .*|fatal: \[([\w-]+)\]: \w+! => (\{.*?\}))$", self.output, re.M)
        # A task whose result is not shown says nothing; a sentence has one line or more, and may lack its full stop.
        told = [(host, json.loads(result).get("msg", "")) for host, result in found if host]
        return [(host, " ".join(text.split()).rstrip(".") + ".") for host, text in told if text]


class Running:
    """A playbook of the collection that runs for these hosts, started as a user starts it."""

    def __init__(self, name, hosts, variables, extra=()):
        inventory = os.environ["MOLECULE_SCENARIO_DIRECTORY"] + "/inventory/"
        command = ["ansible-playbook", f"phpops.webhost.{name}", "--inventory", inventory, "--limit", ",".join(hosts)]
        # A file: a pipe that nobody reads would hold the run up.
        self.output = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self.started = time.time()
        self.process = subprocess.Popen(
            [*command, "--extra-vars", json.dumps(variables), *extra],
            stdout=self.output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            # A long line of a result in one piece, and no colours in it.
            env={
                **os.environ,
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_FORCE_COLOR": "0",
                "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            },
        )

    def wait(self, seconds=300):
        """Wait for its end; returns a Run."""
        try:
            rc = self.process.wait(seconds)
        finally:
            self.process.kill()
        took = time.time() - self.started
        with self.output:
            self.output.seek(0)
            return Run(rc, self.output.read(), took)


@contextmanager
def held(*names):
    """Keep other tests away from these hosts: each host's tests may run in a process of their own."""
    with ExitStack() as stack:
        for name in sorted(names):
            path = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / f"{name}.lock"
            fcntl.flock(stack.enter_context(path.open("w")), fcntl.LOCK_EX)
        yield


def playbook(name, hosts, variables, extra=()):
    """Run a playbook of the collection for these hosts to its end; returns a Run."""
    return Running(name, hosts, variables, extra).wait()


def source(release, changes=None):
    """Return deploy_source for a release such as R7, built on the controller; changes as of releases.files."""
    folder = ARCHIVES / f"{next(NUMBERS)}" if changes else ARCHIVES
    return {"archive": str(releases.archive(folder, release, changes))}


class DeployApp:
    """The site on one host. Its clients run on that host too: the test network is shared, and may stall."""

    def __init__(self, host, others=()):
        """host: of testinfra; others: the names of hosts that a deploy takes along."""
        self.host = host
        self.name = host.backend.get_hostname()
        self.names = [self.name, *others]

    def deploy(self, release=None, changes=None, extra=(), **variables):
        """Deploy a release such as R7; variables: the role's. Without a release: what deploy_source says."""
        return self.start(release, changes, extra, **variables).wait()

    def start(self, release=None, changes=None, extra=(), **variables):
        """Start what deploy() does; returns a Running."""
        if release:
            variables = {"deploy_source": source(release, changes), **variables}
        return Running("deploy", self.names, variables, extra)

    def rollback(self, extra=(), **variables):
        return playbook("rollback", self.names, variables, extra)

    def roll(self, extra=(), **variables):
        return playbook("roll", self.names, variables, extra)

    def load(self, **options):
        """Return load of GET and POST, half each, to be used in with."""
        return Load(self, {"get": "/work.php", "post": "/post.php", "clients": CLIENTS, **options})

    def slow(self, seconds=8):
        """Return one client whose requests take so long each: one is always in flight, but for moments."""
        return Load(self, {"get": f"/slow.php?seconds={seconds}", "clients": 1})

    def live(self):
        """The live slot: blue or green."""
        return self.host.check_output(f"basename $(readlink {POINTER})")

    def idle(self):
        return {"blue": "green", "green": "blue"}[self.live()]

    def release(self):
        """The name of the live release, such as R7."""
        return self.host.check_output(f"cat {POINTER}/release/RELEASE")

    def release_id(self):
        return self.host.check_output(f"basename $(readlink -f {POINTER}/release)")

    def ids(self):
        """The ids of the releases that are there."""
        return sorted(
            self.host.check_output(
                f"cd {PATH}/releases && find . -mindepth 1 -maxdepth 1 -type d -printf '%f\n'"
            ).split()
        )

    def names_there(self):
        """The names of the releases that are there, such as R7."""
        return sorted(self.host.check_output(f"cat {PATH}/releases/*/RELEASE").split())

    def switched_at(self):
        """When the pointer was switched last, by the wall clock: rename(2) sets the time of the link's own inode.

        Not the time of its content, which is that of the link before it was renamed.
        """
        return float(self.host.check_output(f"stat --format=%.9Z {POINTER}"))

    def active_units(self):
        return self._units("--state=active", "phpops-fpm@app-*")

    def timers(self):
        """The timers of ours, those of the site's slots among them."""
        return self._units("--type=timer", "--all", "phpops*")

    def _units(self, *words):
        lines = self.host.check_output(f"systemctl list-units --plain --no-legend {' '.join(repr(w) for w in words)}")
        return [line.split()[0] for line in lines.splitlines()]

    def lease(self):
        """The lease of the site as a dictionary, None when it is free."""
        text = self.host.run("cat /run/phpops/lease/app.json").stdout
        return json.loads(text) if text.strip() else None

    def idle_files(self):
        """What is left of the idle slot: files of its configuration, its links."""
        idle = self.idle()
        return self.host.check_output(
            f"find /etc/phpops/app/{idle} /var/lib/phpops/app/slots/{idle} 2>/dev/null || true"
        )

    def state(self):
        """All files that make the site what it is, with their times, to tell that nothing was touched."""
        places = "/etc/phpops /var/lib/phpops /etc/systemd/system /etc/apache2 /etc/nginx"
        return self.host.check_output(f"find {places} -not -type d -printf '%p %T@ %l\n' | sort")

    def counted(self):
        """What a deploy could leave behind, by name: processes, memory, descriptors, files, units (count_host.py)."""
        return json.loads(self.host.check_output("python3 /srv/count_host.py app"))

    def next(self):
        """A name that no release of the site has had: one above the highest that is there."""
        return f"R{max(int(name[1:]) for name in self.names_there()) + 1}"

    def site(self, **options):
        """deploy_site with some options changed."""
        variables = yaml.safe_load((Path(__file__).parent / "group_vars/php_hosts.yml").read_text(encoding="utf-8"))
        return {**variables["deploy_site"], **options}

    def wait_on_host(self, condition, seconds=60):
        """Wait until a shell condition holds on the host."""
        loop = f"for turn in $(seq {seconds * 20}); do if {condition}; then exit 0; fi; sleep 0.05; done; exit 1"
        self.host.run_expect([0], loop)

    def curl(self, path, words=""):
        """The body of a page, whatever its status."""
        return self.host.check_output(
            f"curl --silent --show-error {words} --header 'Host: {NAME}' 'http://localhost/{path}'"
        )

    def status(self, path):
        return int(self.curl(path, "--output /dev/null --write-out '%{http_code}'"))

    def who(self):
        """Who answers: the master's process, its release, its cache."""
        return json.loads(self.curl("who.php"))


class Load(LoadClient):
    """The load client of the site, on its host; it learns of each switch, and the site notes its POSTs in a file."""

    def __init__(self, app, options):
        self.app, self.log = app, f"{PATH}/shared/var/posts.log" if "post" in options else None
        log = {"log": self.log} if self.log else {}
        words = {"url": "http://localhost/", "host": NAME, "seconds": 240, "timeout": 60}
        super().__init__(app.host, {**words, **log, **options})
        self.command += f" --switches {self.name}.switches"

    def __enter__(self):
        made = f"install -o app -g app /dev/null {self.log}" if self.log else "true"
        self.host.run_expect([0], f"touch {self.name}.switches; {made}")
        return super().__enter__()

    def switched(self):
        """Note that the live release is live since the pointer's last switch; returns the moment."""
        moment, release = self.app.switched_at(), self.app.release()
        self.host.run_expect([0], f"echo '{moment:.6f} {release}' >>{self.name}.switches")
        return moment

    def bad(self):
        """What went wrong, {} when nothing did: all that a deploy must not do to a request."""
        kinds = ("failed", "cut", "hung", "wrong_status", "mixed", "lost", "doubled", "unacknowledged", "stale")
        return {kind: self.result[kind] for kind in kinds if self.result.get(kind)}
