# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site of the deploys, and how the two hosts are tested at the same time."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import testinfra

SHARED = Path(__file__).resolve().parents[2] / "shared"
sys.path[:0] = [str(SHARED), str(SHARED / "deploy")]

from deploy_app import DeployApp, held
from host_by_host import HostByHost

FIRST, SECOND = "deploy-apache-debian12", "deploy-apache-debian13"


@pytest.fixture
def app(host):
    """The site as the test before left it: some release is live, and no deploy runs."""
    site = DeployApp(host)
    with held(site.name):
        yield site


@pytest.fixture
def both():
    """The site on both hosts: (first, second). A deploy of the first takes the second along."""
    inventory = os.environ["MOLECULE_SCENARIO_DIRECTORY"] + "/inventory/hosts.yml"
    hosts = [testinfra.get_host(f"ansible://{name}", ansible_inventory=inventory) for name in (FIRST, SECOND)]
    with held(FIRST, SECOND):
        yield DeployApp(hosts[0], [SECOND]), DeployApp(hosts[1])


def pytest_xdist_make_scheduler(config, log):
    return HostByHost(config, log)
