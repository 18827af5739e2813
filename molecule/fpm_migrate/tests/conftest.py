# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose sites were moved, and how to run the playbook on it again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCENARIO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SCENARIO.parents[1] / "tests" / "load"))


PAGES = {
    "wiki": "http://wiki.example.test/index.php?title=Main_Page",
    "docs": "http://docs.example.test/doku.php",
    "phtml": "http://app.example.test/page.phtml",
    "double": "http://app.example.test/p.php.de",
    "missing": "http://app.example.test/missing.php",
    "css": "http://app.example.test/style.css",
    "broken": "http://broken.example.test/index.php",
}


# Values of environment variables of a site that can't be moved and of one that is, in FcgidInitialEnv and wrappers.
SECRETS = ("open-sesame-4711", "token-0815-hidden", "100% $plain")


class Host:
    """One host of the scenario; names and addresses as a visitor has them."""

    def __init__(self, host):
        self.host = host
        self.pages = PAGES
        self.secrets = SECRETS
        self.name = host.backend.get_hostname()

    def run(self, command):
        return self.host.check_output(command)

    def curl(self, url, *options):
        """Return (status, body) as the host itself gets them."""
        words = " ".join(f"'{option}'" for option in ("--silent", "--write-out", "\n%{http_code}", *options, url))
        body, _newline, status = self.run(f"curl --connect-to ::127.0.0.1: {words}").rpartition("\n")
        return int(status), body

    def app(self, query):
        status, body = self.curl(f"http://app.example.test/index.php?{query}")
        assert status == 200, body
        return json.loads(body)

    def before(self, page):
        """Return (status, body) of before the migration."""
        status, body = self.run(f"cat /root/before/{page}.status; cat /root/before/{page}").split("\n", 1)
        return int(status), body

    def units(self):
        """Return the distribution's own masters with their states, as before.sh wrote them."""
        lines = self.run("cat /root/before/units").splitlines()
        return [line.split() for line in lines], [
            [unit, *(self.host.run(f"systemctl {verb} {unit}").stdout.strip() for verb in ("is-active", "is-enabled"))]
            for unit in (line.split()[0] for line in lines)
        ]

    def php_cgi(self):
        # Apache takes note of an ended process within seconds; until then it is defunct.
        return [line for line in self.run("pgrep -a php-cgi || true").splitlines() if "<defunct>" not in line]


@pytest.fixture(scope="session")
def play():
    """Return a function that runs a playbook on all hosts, or on one, and returns what it said."""

    def run(limit="all", playbook="migrate", status=0, **variables):
        command = [str(Path(sys.executable).parent / "ansible-playbook"), f"phpops.webhost.{playbook}"]
        command += ["--inventory", str(SCENARIO / "inventory"), "--limit", limit, "-v", "--diff"]
        command += ["--extra-vars", json.dumps(variables)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == status, done.stdout[-3000:] + done.stderr[-1000:]
        said = done.stdout + done.stderr
        assert [secret for secret in SECRETS if secret in said] == []
        return said

    return run


@pytest.fixture
def moved(host):
    """Return the host in the state that the migration leaves."""
    return Host(host)
