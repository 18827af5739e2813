# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One page by four ways to run PHP, and the program that looks after their workers."""

from __future__ import annotations

import itertools
import json
import re
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "shared"))

from host_by_host import HostByHost

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
        return Load(self.host, way, options)


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


class Load:
    """The load client, from start to stop; then ``result`` is what it counted."""

    def __init__(self, host, way, options):
        self.host, self.result = host, {}
        self.name = f"/srv/load-{next(NUMBERS)}"
        host.run_expect([0], f"rm -f {self.name}.*")
        page = f"/{way}/page.php"
        words = {"url": "http://localhost/", "get": f"{page}?mib=60", "post": page, "clients": 4, **options}
        files = f"--until {self.name}.stop --progress {self.name}.count --log /srv/app/posts.log"
        options = " ".join(f"--{name} '{value}'" for name, value in words.items())
        self.command = f"python3 /srv/client.py --seconds 900 {files} {options}"
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        self.result = json.loads(self.host.run_expect([0, 1], self.command).stdout)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_error):
        self.host.run_expect([0], f"touch {self.name}.stop")
        self.thread.join()

    def wait_for(self, answers):
        """Wait until so many more requests were answered."""
        count = f"$(cat {self.name}.count 2>/dev/null || echo 0)"
        loop = f"begun={count}; for turn in $(seq 1200); do test {count} -ge $((begun + {answers})) && exit 0;"
        self.host.run_expect([0], f"{loop} sleep 0.05; done; exit 1")


@pytest.fixture
def app(host):
    return Application(host)


def pytest_xdist_make_scheduler(config, log):
    return HostByHost(config, log)
