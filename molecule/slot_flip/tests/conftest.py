# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One site behind Apache (port 80) and nginx (8080), and how to flip it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tests" / "load"))

from client import Load

# Four workers: the load is above that, so that requests always wait in the accept queue.
CLIENTS = 12


class Application:
    """The site "app" on one host."""

    def __init__(self, host):
        self.host = host
        self.address = host.check_output("hostname -I").split()[0]
        self.url = {"apache": f"http://{self.address}/", "nginx": f"http://{self.address}:8080/"}

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
        return Load(self.url[server], **{"get": "/work.php", "clients": CLIENTS, **options})

    def live(self):
        return self.host.check_output("basename $(readlink /var/lib/phpops/app/ptr/live)")

    def active_units(self):
        lines = self.host.check_output("systemctl list-units --plain --no-legend --state=active 'phpops-fpm@app-*'")
        return [line.split()[0] for line in lines.splitlines()]

    def posts(self):
        return self.host.check_output("cat /srv/app/posts.log 2>/dev/null || true")

    def curl(self, path, server="apache"):
        return self.host.check_output(f"curl --silent --show-error '{self.url[server]}{path}'")


@pytest.fixture
def app(host):
    """The site, serving release R1 from the slot that is live."""
    application = Application(host)
    application.release("R1")
    return application


@pytest.fixture(params=["apache", "nginx"])
def server(request):
    return request.param
