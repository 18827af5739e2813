# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One site behind Apache (port 80) and nginx (8080), and how to flip it."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "shared"))

from host_by_host import HostByHost
from load_client import LoadClient

# Four workers: the load is above that, so that requests always wait in the accept queue.
CLIENTS = 12
URLS = {"apache": "http://localhost/", "nginx": "http://localhost:8080/"}
POSTS = "/srv/app/posts.log"
# What Application.state() says of each host before its first test.
FRESH: dict[str, str] = {}


class Application:
    """The site "app" on one host. Its clients run on that host too: the test network is shared, and may stall."""

    def __init__(self, host):
        self.host = host

    def flip(self, options=None, **settings):
        """Run site_slot for the site; returns (the module's result, the site's)."""
        arguments = {"sites": [{"name": "app", **(options or {})}], **settings}
        result = self.host.ansible("phpops.webhost.site_slot", json.dumps(arguments), check=False)
        assert result.get("sites"), result
        return result, result["sites"][0]

    def release(self, name, **settings):
        """Flip to a release; a site that already serves it is left alone."""
        entry = [{"path": "/work.php", "contains": f"main={name}"}]
        _result, site = self.flip({"document_root": f"/srv/app/{name}", "entry_points": entry}, **settings)
        assert not site["failed"], site["msg"]
        return site

    def load(self, server="apache", **options):
        return Load(self.host, {"url": URLS[server], "get": "/work.php", "clients": CLIENTS, **options})

    def in_flight(self, server="apache", count=1):
        return InFlight(self, server, count)

    def live(self):
        return self.host.check_output("basename $(readlink /var/lib/phpops/app/ptr/live)")

    def state(self):
        """Return the stored options and which masters run: equal texts mean that a run would change nothing."""
        units = "systemctl is-active phpops-fpm@app-blue phpops-fpm@app-green | sort"
        return self.host.check_output(f"cat /etc/phpops/app/site.json; {units}")

    def active_units(self):
        lines = self.host.check_output("systemctl list-units --plain --no-legend --state=active 'phpops-fpm@app-*'")
        return [line.split()[0] for line in lines.splitlines()]

    def wait_on_host(self, condition, seconds=60):
        """Wait until a shell condition holds on the host."""
        loop = f"for turn in $(seq {seconds * 20}); do if {condition}; then exit 0; fi; sleep 0.05; done; exit 1"
        self.host.run_expect([0], loop)

    def curl(self, path, server="apache"):
        return self.host.check_output(f"curl --silent --show-error '{URLS[server]}{path}'")


class Load(LoadClient):
    """The load client of the site, on its host; the site notes its POSTs in a file."""

    def __init__(self, host, options):
        super().__init__(host, {"seconds": 180, "timeout": 30, "log": POSTS, **options})

    def __enter__(self):
        self.host.run_expect([0], f"install -o app -g app /dev/null {POSTS}")
        return super().__enter__()


class InFlight:
    """Requests that have begun and end only when end() is called; answers are (status, body)."""

    def __init__(self, app, server, count):
        self.app, self.answers = app, []
        app.host.run_expect([0], "rm -f /srv/app/go /srv/app/begun")
        command = f"curl --silent --max-time 90 --write-out ' %{{http_code}}' {URLS[server]}slow.php"
        self.threads = [threading.Thread(target=self._ask, args=(command,)) for _number in range(count)]
        for thread in self.threads:
            thread.start()
        app.wait_on_host(f"test $(cat /srv/app/begun 2>/dev/null | wc -l) -ge {count}")

    def _ask(self, command):
        body, _blank, status = self.app.host.run(command).stdout.rpartition(" ")
        self.answers.append((int(status), body))

    def end(self):
        self.app.host.run_expect([0], "touch /srv/app/go")
        for thread in self.threads:
            thread.join()
        return self.answers


@pytest.fixture
def site(host):
    """The site as the test before left it."""
    return Application(host)


@pytest.fixture
def app(site):
    """The site, serving release R1 from the slot that is live, with the scenario's options."""
    name = site.host.backend.get_hostname()
    if name not in FRESH or site.state() != FRESH[name]:
        site.release("R1")
        FRESH.setdefault(name, site.state())
    return site


@pytest.fixture(params=["apache", "nginx"])
def server(request):
    return request.param


def pytest_xdist_make_scheduler(config, log):
    return HostByHost(config, log)
