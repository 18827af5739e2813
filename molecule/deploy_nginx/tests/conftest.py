# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site "app" behind nginx, each host tested by a worker of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"
sys.path[:0] = [str(SHARED), str(SHARED / "deploy"), os.environ["PHPOPS_TREE"]]

from deploy_app import DeployApp
from host_by_host import HostByHost
from killing import CONTROLLER, MODULE

# A crash is waited out in seconds, and no old master stays up, where a test is not about that.
QUICK = {"deploy_lease_seconds": 4, "deploy_keep_warm": 0}
# What a host has between two deploys, counted before its first test.
CLEAN: dict[str, dict[str, int]] = {}


class App(DeployApp):
    """The site, deployed with QUICK where a test says nothing else."""

    def start(self, release=None, changes=None, extra=(), **variables):
        return super().start(release, changes, extra, **{**QUICK, **variables})

    def deploy(self, *words, **variables):
        run = super().deploy(*words, **variables)
        assert run.rc == 0, run.output
        return run

    def rollback(self, extra=(), **variables):
        return super().rollback(extra, **{**QUICK, **variables})

    def roll(self, extra=(), **variables):
        return super().roll(extra, **{**QUICK, **variables})

    @property
    def clean(self):
        return CLEAN[self.name]


@pytest.fixture
def app(host):
    """The site as the test before left it, one master of it up."""
    app = App(host)
    if app.name not in CLEAN:
        app.deploy(app.next())
        app.deploy(app.next())
        CLEAN[app.name] = app.counted()
    return app


@pytest.fixture
def killed_by(app):
    """Which side of a deploy is killed on this host: one host takes the controller, the other the module."""
    return CONTROLLER if "debian12" in app.name else MODULE


def pytest_collection_modifyitems(items):
    """Leave a module's tests to the host that it names, where it names one."""
    items[:] = [item for item in items if getattr(item.module, "ONLY_ON", "") in item.nodeid]


def pytest_xdist_make_scheduler(config, log):
    return HostByHost(config, log)
