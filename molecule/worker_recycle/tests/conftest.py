# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One page by four ways to run PHP, and the program that looks after their workers."""

from __future__ import annotations

import itertools
import re
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "shared"))

from host_by_host import HostByHost
from load_client import LoadClient

SERVICE = "phpops-worker-recycle"
NUMBERS = itertools.count()
LINE = re.compile(r'^(recycled|left alone, it serves a request:) pid=(\d+) kind=(\S+) site=(\S+) pool="([^"]+)" (.*)$')


class Application:
    """The page on one host; its clients run on that host too."""

    def __init__(self, host):
        self.host = host

    def ask(self, way, **query):
        """Return the answer's body, "SAPI pid id"; anything but 200 fails."""
        words = "&".join(f"{name}={value}" for name, value in query.items())
        return self.host.check_output(
            f"curl --silent --fail-with-body --max-time 90 'localhost/{way}/page.php?{words}'"
        )

    def pid(self, answer):
        """Return the process that gave an answer."""
        return int(answer.split()[1])

    def alive(self, pid):
        """Return whether the process lives; mod_fcgid takes up to 3 s to notice that one has ended."""
        return self.host.run(f"grep -q '^State:.[^Z]' /proc/{pid}/status").rc == 0

    def clear(self):
        """Let every worker that earlier tests made large go."""
        self.wait(lambda: not self.recycle())

    def recycle(self):
        """Run the service once as its timer does; return what it said of each worker, {pid: words}."""
        cursor = self.host.check_output("journalctl --quiet --no-pager -n 0 --show-cursor").split("cursor: ")[1]
        self.host.run_expect([0], f"systemctl start {SERVICE}.service")
        command = f"journalctl --quiet --no-pager -o cat -u {SERVICE} --after-cursor '{cursor.strip()}'"
        found = [LINE.match(line) for line in self.host.check_output(command).splitlines()]
        return {int(line.group(2)): line for line in found if line}

    def wait(self, condition, seconds=30):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def hold(self, way, count=1, **query):
        """Begin requests that end when the file is there that the result's end() makes."""
        return Held(self, way, count, query)

    def load(self, way, **options):
        page = f"/{way}/page.php"
        words = {"url": "http://localhost/", "get": f"{page}?mib=60", "post": page, "clients": 4, "seconds": 900}
        return LoadClient(self.host, {**words, "log": "/srv/app/posts.log", **options})


class Held:
    """Requests in flight, one by each worker."""

    def __init__(self, app, way, count, query):
        self.app, self.name, self.answers = app, f"go-{next(NUMBERS)}", []
        asked = {**query, "wait": self.name}
        app.host.run_expect([0], f"rm -f /srv/app/{self.name}")
        before = self.begun()
        self.threads = [
            threading.Thread(target=lambda: self.answers.append(app.ask(way, **asked))) for _number in range(count)
        ]
        for thread in self.threads:
            thread.start()
        app.wait(lambda: self.begun() >= before + count)

    def begun(self):
        return int(self.app.host.check_output("cat /srv/app/begun.log 2>/dev/null | wc -l"))

    def end(self):
        """Let them end; return the processes that answered."""
        self.app.host.run_expect([0], f"touch /srv/app/{self.name}")
        for thread in self.threads:
            thread.join()
        return sorted(self.app.pid(answer) for answer in self.answers)


@pytest.fixture
def app(host):
    return Application(host)


def pytest_xdist_make_scheduler(config, log):
    return HostByHost(config, log)
