# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_catalogue import METRICS, PROBES, bound

UNITS = ("bytes", "seconds", "total", "objects", "items", "segments", "processes", "keys", "scripts", "workers")
# Sizes that are counts by name, states that are 0 or 1, and a name that the kernel uses.
OTHERS = {
    *("phpops_probe_success", "phpops_probe_available", "phpops_exporter_dropped_series", "phpops_budget_fits"),
    *("phpops_dentry_unused", "phpops_dentry_negative", "phpops_processes_unreadable", "phpops_oom_recent_events"),
    *("phpops_opcache_up", "phpops_opcache_full", "phpops_opcache_restart_pending", "phpops_opcache_size_disagrees"),
    *("phpops_fpm_max_children", "phpops_fpm_listen_queue"),
    *("phpops_site_slot_live", "phpops_site_slot_active", "phpops_site_lease_held"),
}


@pytest.mark.parametrize("name", METRICS)
def test_a_name_begins_with_ours_and_ends_with_its_unit(name: str) -> None:
    assert re.fullmatch(r"phpops(_[a-z0-9]+)+", name)
    assert name.endswith(UNITS) != (name in OTHERS)


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda one: one.name)
def test_each_family_says_what_it_is_and_whose(metric: object) -> None:
    assert metric.help.endswith(".")  # type: ignore[attr-defined]
    assert metric.probe in ("", *PROBES)  # type: ignore[attr-defined]


def test_every_probe_has_a_family_and_a_host_a_bound() -> None:
    assert {metric.probe for metric in METRICS.values()} == {"", *PROBES}
    assert bound() == sum(metric.most for metric in METRICS.values())
    assert bound() < 10_000
