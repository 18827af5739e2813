# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same load under the same limit: php-cgi is refused segments while most memory is free, PHP-FPM never."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

MIB = 2**20
LOAD = Path(__file__).resolve().parents[1] / "files" / "load.sh"


@pytest.fixture(scope="module")
def before(host):
    """What was counted and diagnosed before the sites were moved."""
    return json.loads(host.file("/root/before.json").content_string)


@pytest.fixture(scope="module")
def after(host):
    """The counts of the same load, now."""
    return json.loads(host.run_expect([0], LOAD.read_text(encoding="utf-8")).stdout)


def shown(label, counts):
    failed = counts["not_2xx"] + 96 - counts["answered"]
    print(
        f"{label}: {failed} of 96 requests failed, {counts['refused']} segments refused; "
        f"{counts['free_bytes'] // MIB} MiB free, "
        f"{counts['committed_bytes'] // MIB} of {counts['limit_bytes'] // MIB} MiB promised"
    )
    return failed


def test_php_cgi_was_refused_segments_while_most_memory_was_free(before):
    counts = before["counts"]
    assert shown("php-cgi", counts) > 0
    assert counts["refused"] > 0
    assert counts["free_bytes"] > 1024 * MIB
    # Apache itself is well: it serves what takes no PHP.
    assert counts["static"] == 200


def test_the_facts_and_the_diagnosis_named_it(before):
    (cgi,) = [group for group in before["shm"]["groups"] if group["kind"] == "php-cgi"]
    assert cgi["opcache_segments"] == cgi["processes"] >= 4
    assert cgi["opcache_bytes"] == cgi["processes"] * 64 * MIB
    (limit,) = [limit for limit in before["shm"]["limits"] if limit["name"] == "commit_limit"]
    assert limit["limit_bytes"] == before["counts"]["limit_bytes"]
    verdicts = {verdict["code"]: verdict for verdict in before["verdicts"]}
    print(*(f"{code}: {verdict['sentence']}" for code, verdict in verdicts.items()), sep="\n")
    for code in ("shm_allocation_errors", "opcache_segment_per_process"):
        assert verdicts[code]["cure"]["play"] == "phpops.webhost.migrate"


def test_php_fpm_is_refused_nothing_under_the_same_load_and_limit(before, after):
    assert shown("PHP-FPM", after) == 0
    assert after["refused"] == 0
    assert after["limit_bytes"] == before["counts"]["limit_bytes"]
    assert after["committed_bytes"] < before["counts"]["committed_bytes"]
    assert (after["php_cgi"], after["static"]) == (0, 200)


def test_apache_was_not_restarted(before, after):
    assert after["apache_pid"] == before["counts"]["apache_pid"]


def test_the_pages_come_from_one_master_with_one_segment(host, after):
    page = host.check_output("curl --silent -H 'Host: shop.example.test' http://127.0.0.1/index.php")
    assert page == "served by fpm-fcgi"
    shm = host.ansible("phpops.webhost.shm_facts")["ansible_facts"]["phpops_shm"]
    (fpm,) = [group for group in shm["groups"] if group["kind"] == "php-fpm"]
    assert fpm["opcache_segments"] == 1
