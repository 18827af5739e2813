# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role leaves on a host, and how it is taken away."""

from __future__ import annotations

import json


def module(host, name, **arguments):
    """Run a module of the collection."""
    check = arguments.pop("check", False)
    return host.ansible(f"phpops.webhost.{name}", json.dumps({"state": "present", **arguments}), check=check)


def limits(host):
    """Return MemoryHigh and MemoryMax of the live slot's unit, as systemd has them."""
    unit = "phpops-fpm@app-$(basename $(readlink /var/lib/phpops/app/ptr/live))"
    return host.check_output(f"systemctl show --value -p MemoryHigh -p MemoryMax {unit}").split()


def test_the_live_slot_has_its_limits(host):
    assert limits(host) == ["536870912", "671088640"]


def test_a_limit_that_has_no_effect_is_told(host):
    found = module(host, "site_memory_limit")
    assert not found["changed"]
    site = found["sites"][0]
    # The test hosts are containers: their cgroup has no limits of its own.
    assert not site["in_force"]
    assert "no cgroup v2" in site["reason"]


def test_a_dry_run_says_that_another_threshold_is_a_change_and_makes_none(host):
    assert module(host, "worker_recycle", threshold_bytes=2**20, interval_seconds=3600, check=True)["changed"]
    stored = json.loads(host.file("/etc/phpops/worker-recycle.json").content_string)
    assert (stored["threshold_bytes"], stored["sites"]) == (32 * 2**20, {"www": 48 * 2**20})


def test_settings_that_can_not_be_used_are_refused_by_name(host):
    for arguments, said in (
        ({"share": 1.5}, "share is 1.5"),
        ({"threshold_bytes": 0}, "threshold_bytes is 0"),
        ({"interval_seconds": 1}, "interval_seconds is 1"),
    ):
        assert said in module(host, "worker_recycle", check=True, **arguments)["msg"]


def test_absent_takes_all_of_it_away_and_gives_the_limits_back(host):
    module(host, "site_memory_limit", state="absent")
    assert limits(host) == ["infinity", "infinity"]
    module(host, "worker_recycle", state="absent")
    program = module(host, "host_program", program="worker_recycle", state="absent")
    assert program["changed"]
    left = "ls -d /usr/local/lib/phpops /etc/phpops/worker-recycle.json /run/phpops-worker-recycle"
    left += (
        " /var/lib/phpops/memory-limits.json /etc/systemd/system/phpops-worker-recycle* /etc/systemd/system/*/phpops-w*"
    )
    assert host.run(left).stdout == ""
    assert host.run("systemctl is-active phpops-worker-recycle.timer").stdout.strip() == "inactive"
    for name, arguments in (("worker_recycle", {}), ("host_program", {"program": "worker_recycle"})):
        assert not module(host, name, state="absent", **arguments)["changed"]
    assert not module(host, "site_memory_limit", state="absent")["changed"]
