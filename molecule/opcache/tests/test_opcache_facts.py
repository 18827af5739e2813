# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""opcache_facts asks real masters: two slots, and the distribution's own with the pools that make it hard."""

from __future__ import annotations

import json
import re

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import judge

MIB = 1024 * 1024
SITES = {"wiki": "wiki", "shop": "web1"}
# The master starts with 128 MiB and 223 keys. Pool odd says otherwise, starts no worker before it is asked, and lets
# the API be used below /tmp/allowed- only; the ini keeps all pools out of the folders that the module tries first.
INI = "open_basedir = /tmp:/srv/odd\nopcache.max_accelerated_files = 200\nopcache.memory_consumption = 128\n"
ODD = """[odd]
user = www-data
group = www-data
listen = /run/php/odd.sock
pm = ondemand
pm.max_children = 2
pm.status_path = /odd-status
php_admin_value[opcache.memory_consumption] = 512
php_admin_value[opcache.restrict_api] = /tmp/allowed-
[tcp]
user = www-data
group = www-data
listen = 127.0.0.1:9101
pm = static
pm.max_children = 1
pm.status_path = /tcp-status
"""
ALL = "<?php foreach (glob('/srv/odd/f*.php') as $file) { include $file; }\n"
PLACES = "/run /tmp /var/tmp /usr/share/php /var/lib /srv"
PROBES = rf"find {PLACES} -regextype posix-extended -regex '.*/(\.phpops-|allowed-)[0-9a-f]{{32}}\.php' || true"


def facts(host, **options):
    result = host.ansible("phpops.webhost.opcache_facts", json.dumps(options) if options else "", check=False)
    assert "ansible_facts" in result, result
    assert result["changed"] is False
    return result["ansible_facts"]["phpops_opcache"]


def of_unit(found, unit):
    (master,) = [one for one in found["masters"] if one["unit"] == unit]
    return master


def of_site(host, site):
    """Return what the live slot of a site says."""
    live = host.check_output(f"basename $(readlink /var/lib/phpops/{site}/ptr/live)")
    (master,) = [one for one in facts(host)["masters"] if (one["site"], one["slot"]) == (site, live)]
    return master


def shared_bytes(host, pid):
    """Return the size of a process's shared anonymous memory but for FPM's scoreboard, as the kernel tells it."""
    maps = host.file(f"/proc/{pid}/maps").content_string
    lines = re.findall(r"^(\w+)-(\w+) ...s .*/dev/zero", maps, re.MULTILINE)
    return sum(size for size in (int(end, 16) - int(start, 16) for start, end in lines) if size > MIB)


def ask(host, socket, script, query=""):
    """Send one request by FastCGI and return its answer with the headers."""
    name = script.rsplit("/", 1)[1]
    return host.check_output(
        f"SCRIPT_FILENAME={script} SCRIPT_NAME=/{name} REQUEST_URI=/{name} REQUEST_METHOD=GET QUERY_STRING='{query}' "
        f"cgi-fcgi -bind -connect {socket}"
    )


@pytest.fixture(scope="module", name="unit")
def _unit(host):
    """Start the distribution's master with odd pools and a /tmp of its own; as before afterwards."""
    version = "8.2" if host.exists("php8.2") else "8.4"
    unit, config = f"php{version}-fpm.service", f"/etc/php/{version}/fpm"
    drop_in = f"/etc/systemd/system/{unit}.d"
    was_up = host.run(f"systemctl is-active {unit}").rc == 0
    host.run_expect([0], f"mkdir -p {drop_in} /srv/odd")
    for path, text in {
        f"{drop_in}/private.conf": "[Service]\nPrivateTmp=yes\n",
        f"{config}/pool.d/odd.conf": ODD,
        f"{config}/conf.d/99-odd.ini": INI,
        "/srv/odd/all.php": ALL,
    }.items():
        host.run_expect([0], f"cat >{path} <<'TEXT'\n{text}TEXT\nchmod 644 {path}")
    host.run_expect([0], f"systemctl daemon-reload && systemctl restart {unit}")
    yield unit
    host.run_expect([0], f"rm -r {drop_in} /srv/odd {config}/pool.d/odd.conf {config}/conf.d/99-odd.ini")
    host.run_expect([0], f"systemctl daemon-reload && systemctl {'restart' if was_up else 'stop'} {unit}")


def test_every_master_is_found_and_answers(host, unit):
    found = facts(host)
    assert (found["available"], found["reason"]) == (True, None)
    slots = {(one["site"], one["user"]) for one in found["masters"] if one["site"]}
    assert slots == set(SITES.items())
    assert of_unit(found, unit)["site"] is None
    for master in found["masters"]:
        assert master["php_version"].startswith(unit[3:6])
        assert master["segment_bytes"] == shared_bytes(host, master["master_pid"])
        assert master["scripts"] <= master["keys"] <= master["max_keys"]


@pytest.mark.parametrize("site", SITES)
def test_a_slots_numbers_add_up_to_its_segment(host, unit, site):
    master = of_site(host, site)
    assert master["unit"] == f"phpops-fpm@{site}-{master['slot']}.service"
    assert (master["directives_disagree"], master["healthy"], master["problems"]) == (False, True, [])
    assert master["used_bytes"] + master["free_bytes"] + master["wasted_bytes"] == master["memory_bytes"]
    assert master["segment_bytes"] == master["reported_bytes"]
    stored = json.loads(host.file(f"/etc/phpops/{site}/site.json").content_string)
    assert master["config"]["opcache.memory_consumption"] == stored["opcache"]["opcache.memory_consumption"]
    assert master["fpm"]["max_children"] == stored["process_manager"]["max_children"]
    (pool,) = master["pools"]
    assert (pool["fpm"]["source"], pool["fpm"]["listen_queue"]) == ("status", 0)


def test_a_pool_that_says_another_size_is_flagged_and_computed(host, unit):
    master = of_unit(facts(host), unit)
    assert master["pool"] == "odd"
    assert master["directives_disagree"] is True
    assert master["memory_bytes"] == 128 * MIB
    assert master["reported_bytes"] >= 512 * MIB
    assert 0 < master["used_bytes"] < 64 * MIB
    assert "a pool sets opcache.memory_consumption" in master["notes"][0]


def test_the_odd_pools_are_asked_where_they_can_be(host, unit):
    """The master has a /tmp of its own, which is the only folder that open_basedir and restrict_api both allow."""
    master = of_unit(facts(host), unit)
    assert host.check_output(f"readlink /proc/{master['master_pid']}/ns/mnt") != host.check_output(
        "readlink /proc/self/ns/mnt"
    )
    pools = {pool["pool"]: pool for pool in master["pools"]}
    assert set(pools) == {"odd", "tcp", "www"}
    assert pools["tcp"]["sockets"] == ["127.0.0.1:9101"]
    assert [pools[name]["fpm"]["source"] for name in ("odd", "tcp", "www")] == ["status", "status", "processes"]
    assert [pools[name]["fpm"]["max_children"] for name in ("odd", "tcp")] == [2, 1]
    (worker,) = pools["tcp"]["fpm"]["memory_by_worker"]
    assert worker["pss_bytes"] > 0 and worker["requests"] >= 1


def test_one_master_can_be_named_by_its_socket(host, unit):
    found = facts(host, sockets=["/run/php/odd.sock", "/run/php/none.sock"])
    assert [one["unit"] for one in found["masters"]] == [unit, None]
    assert "listens on /run/php/none.sock" in found["masters"][1]["reason"]


def test_asking_again_adds_nothing_to_a_release(host, unit):
    """OPcache keeps what it sees once where it looks at no times: the probe's name stays the same."""
    counts = []
    for _turn in range(3):
        shop = of_site(host, "shop")
        counts.append((shop["scripts"], shop["keys"]))
    assert counts[1] == counts[2]


@pytest.fixture(scope="module", name="full_unit")
def _full_unit(host, unit):
    """Take all keys of the distribution's master."""
    host.run_expect([0], "for n in $(seq 300); do echo '<?php' >/srv/odd/f$n.php; done")
    host.run_expect([0], "touch -d '1 hour ago' /srv/odd/*.php")
    ask(host, "127.0.0.1:9101", "/srv/odd/all.php")
    return unit


def test_a_full_cache_that_will_not_restart_is_not_healthy(host, full_unit):
    master = of_unit(facts(host), full_unit)
    assert (master["max_keys"], master["cache_full"], master["healthy"]) == (223, True, False)
    assert master["oom_restarts"] + master["hash_restarts"] + master["manual_restarts"] == 0
    assert "all keys are taken" in master["problems"][0]


def test_the_verdicts_name_the_full_cache_and_the_directive_without_effect(host, full_unit):
    judged = [verdict for verdict in judge({"phpops_opcache": facts(host)}) if full_unit in verdict["sentence"]]
    # That a pool of one worker was busy is told as well, where it was.
    found = [verdict for verdict in judged if verdict["code"].startswith("opcache_")]
    severities = {verdict["code"]: verdict["severity"] for verdict in found if verdict["severity"] != "info"}
    assert severities == {"opcache_keys_full": "critical", "opcache_directive_ineffective": "warning"}
    (wrong,) = [verdict for verdict in found if verdict["code"] == "opcache_directive_ineffective"][:1]
    assert "opcache.memory_consumption=512, the cache has 128 MiB" in wrong["sentence"]


def test_php_cgi_is_named_with_its_memory_and_not_asked(host, unit):
    binary = host.check_output("ls /usr/bin/php-cgi8.*")
    host.run_expect([0], f"systemd-run --unit=lone-cgi {binary} -d opcache.jit=disable -b /run/lone-cgi.sock")
    try:
        host.run_expect([0], "timeout 10 sh -c 'until test -S /run/lone-cgi.sock; do sleep 0.1; done'")
        (cgi,) = [one for one in facts(host)["not_asked"] if one["kind"] == "php-cgi"]
        pid = host.check_output("systemctl show --property=MainPID --value lone-cgi.service")
    finally:
        host.run_expect([0], "systemctl stop lone-cgi.service; rm -f /run/lone-cgi.sock")
    assert int(pid) in cgi["pids"]
    assert cgi["opcache_segments"] == cgi["processes"]
    assert cgi["opcache_bytes"] >= 128 * MIB
    assert "can ask one of them" in cgi["reason"]


def test_nothing_is_left_behind(host, unit):
    facts(host)
    assert host.check_output(PROBES) == ""
