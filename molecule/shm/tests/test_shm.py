# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts against what the kernel says: 11 php-cgi hold 11 segments, one php-fpm master with 11 workers holds one."""

from __future__ import annotations

import json

import pytest

MIB = 1024 * 1024


def gather(host, **become):
    return host.ansible("phpops.webhost.shm_facts", "top=100", **become)["ansible_facts"]["phpops_shm"]


@pytest.fixture(scope="module")
def facts(host):
    """What root sees; one gathering for the tests that change nothing."""
    return gather(host)


def group(facts, kind):
    found = [one for one in facts["groups"] if one["kind"] == kind]
    assert len(found) == 1, [one["name"] for one in facts["groups"]]
    return found[0]


def inodes_in_maps(host, pattern):
    """Return the inodes of 64 MiB shared mappings, counted by shell tools alone."""
    script = (
        f"for pid in $(pgrep {pattern}); do cat /proc/$pid/maps; done | awk '$2 ~ /s$/ && $6 ~ /zero/ "
        '{split($1, range, "-"); print range[1], range[2], $5}\' | sort -u'
    )
    rows = [line.split() for line in host.check_output(script).splitlines()]
    return {inode for start, end, inode in rows if int(end, 16) - int(start, 16) == 64 * MIB}


def test_php_cgi_reserves_eleven_times_what_php_fpm_does(host, facts):
    assert (facts["available"], facts["processes"]["unreadable"]) == (True, 0)
    cgi, fpm = group(facts, "php-cgi"), group(facts, "php-fpm")
    assert (cgi["processes"], cgi["opcache_segments"], cgi["opcache_bytes"]) == (11, 11, 704 * MIB)
    assert (fpm["processes"], fpm["opcache_segments"], fpm["opcache_bytes"]) == (12, 1, 64 * MIB)
    assert cgi["opcache_bytes"] >= 10 * fpm["opcache_bytes"]
    assert (fpm["unit"], fpm["pools"]) == (f"php{version(host)}-fpm.service", ["www"])
    assert len(inodes_in_maps(host, "php-cgi")) == 11
    assert len(inodes_in_maps(host, "php-fpm")) == 1


def version(host):
    return host.check_output("ls /etc/php")


def test_touched_is_what_smaps_and_the_kernel_count(host, facts):
    for kind in ("php-cgi", "php-fpm"):
        found = group(facts, kind)
        assert 0 < found["resident_bytes"] < found["segments_bytes"]
        assert found["pss_bytes"] > 0
    segments = [one for one in facts["segments"] if one["kind"] == "opcache"]
    assert len(segments) == 12
    assert {one["resident_source"] for one in segments} == {"map_files"}
    # Nothing but php-cgi itself touches its segment, so its Rss of that mapping is the whole of it.
    pid = group(facts, "php-cgi")["pids"][0]
    script = f"awk '/-s .*zero|rw-s .*zero/ {{hit=1}} hit && /^Rss:/ {{print $2, inode; hit=0}}' /proc/{pid}/smaps"
    rss = sorted(int(line.split()[0]) * 1024 for line in host.check_output(script).splitlines())[-1]
    assert rss in {one["resident_bytes"] for one in segments}


def test_a_stopped_master_gives_its_segment_back(host, facts):
    unit = f"php{version(host)}-fpm"
    host.run_expect([0], f"systemctl stop {unit}")
    after = gather(host)
    host.run_expect([0], f"systemctl start {unit}")
    assert after["totals"]["opcache_bytes"] == facts["totals"]["opcache_bytes"] - 64 * MIB
    assert not [one for one in after["groups"] if one["kind"] == "php-fpm"]


def test_what_another_user_may_not_read_is_null_and_says_so(host):
    seen = gather(host, become=True, become_user="nobody")
    cgi = group(seen, "php-cgi")
    assert (cgi["readable"], cgi["processes"], cgi["unreadable_processes"]) == (False, 11, 11)
    for key in ("segments", "segments_bytes", "opcache_segments", "opcache_bytes", "resident_bytes", "pss_bytes"):
        assert cgi[key] is None
    assert "become" in cgi["reason"]
    assert seen["totals"]["segments_bytes"] is None
    assert "become" in seen["reason"]


def test_tmpfs_and_sysv_segments(facts):
    mount = next(one for one in facts["tmpfs"] if one["path"] == "/srv/tmp")
    assert (mount["size_bytes"], mount["used_bytes"]) == (32 * MIB, 5 * MIB)
    assert (facts["sysv"]["count"], facts["sysv"]["bytes"]) == (1, 4 * MIB)
    assert facts["sysv"]["segments"][0]["attached"] == 0
    assert "ram" in {limit["name"] for limit in facts["limits"]}


def test_a_file_in_dev_shm_is_a_posix_segment(host):
    host.run_expect([0], "head -c 3145728 /dev/zero >/dev/shm/shm-test")
    posix = gather(host)["posix"]
    host.run_expect([0], "rm /dev/shm/shm-test")
    found = next(one for one in posix["files"] if one["path"] == "/dev/shm/shm-test")
    assert (found["bytes"], found["resident_bytes"]) == (3 * MIB, 3 * MIB)


@pytest.fixture
def budget(host):
    def ask(**options):
        return host.ansible("phpops.webhost.memory_budget_info", json.dumps(options))

    return ask


def test_the_budget_counts_what_runs(budget):
    answer = budget(php_cgi_leaves=True)
    cgi = next(line for line in answer["lines"] if line["kind"] == "opcache" and line["name"].startswith("php-cgi"))
    assert (cgi["bytes"], cgi["after_bytes"]) == (704 * MIB, 0)
    master = next(line for line in answer["lines"] if line["name"].startswith("php-fpm: php"))
    assert master["bytes"] == 64 * MIB
    tmpfs = next(line for line in answer["lines"] if line["name"] == "tmpfs /srv/tmp")
    assert tmpfs["bytes"] == 32 * MIB


def test_a_plan_that_is_larger_than_the_host_is_refused_with_a_way_out_that_fits(budget, host):
    ram = int(host.check_output("awk '/^MemTotal:/ {print $2}' /proc/meminfo")) * 1024
    sites = [{"name": f"site{number}", "segment_bytes": ram // 10 // MIB * MIB} for number in range(20)]
    refused = budget(sites=sites)
    assert (refused["fits"], refused["ways_out"][0]["fits"]) == (False, True)
    assert "ram" in refused["message"]
    assert refused["ways_out"][0]["action"] == "smaller_segments"
    # A little less than proposed: what other programs of this machine use changes between the two calls.
    smaller = refused["ways_out"][0]["sites"]
    cured = [{**site, "segment_bytes": smaller[site["name"]]["segment_bytes"] * 4 // 5} for site in sites]
    assert budget(sites=cured)["fits"] is True
