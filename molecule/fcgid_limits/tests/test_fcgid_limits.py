# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Apache reads, what its processes do under load, what a busy php-cgi gets, and the way back."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

VARIABLES = yaml.safe_load((Path(__file__).parents[1] / "inventory" / "hosts.yml").read_text())["php_hosts"]["vars"]
SERVER, SITES = VARIABLES["fcgid_limits_server"], VARIABLES["fcgid_limits_sites"]
OWN = SITES[0]["limits"]
DIGEST = "cd /etc/apache2 && find . -type f -exec sha256sum {} + | sort | sha256sum"
DOCS = "http://docs.example.test/pid.php"


def set_limits(host, check=False, **options):
    """Run the module with the scenario's limits and these options; returns its answer."""
    arguments = {"server": SERVER, "sites": SITES, **options}
    return host.ansible("phpops.webhost.fcgid_limits", json.dumps(arguments), check=check, become=True)


def ask(host, query=""):
    """Ask for the page that tells its process; returns (pid, status)."""
    pid, status = host.check_output(f"curl -s -m 300 -w ' %{{http_code}}' '{DOCS}?{query}'").split()
    return int(pid), int(status)


def ask_at_once(host, number, milliseconds):
    """Ask so many times at once, from the host itself; returns (statuses, the most php-cgi seen meanwhile)."""
    count = "ps -u web1 -o stat=,comm= | grep -v ^Z | grep -c php-cgi"
    curl = f"curl -s -m 300 -o /dev/null -w '%{{http_code}}\\n' '{DOCS}?ms={milliseconds}'"
    script = (
        f"for i in $(seq {number}); do {curl} & done >/root/statuses;"
        f" while [ $(wc -l </root/statuses) -lt {number} ]; do {count}; sleep 0.1; done >/root/counts;"
        " wait; cat /root/statuses; echo; sort -n /root/counts | tail -1"
    )
    statuses, most = host.check_output(script).split("\n\n")
    return statuses.split(), int(most)


def children(host):
    """Return how many php-cgi of the site run; one that ended and was not taken note of yet counts for none."""
    states = host.run("ps -u web1 -o stat=,comm=").stdout.splitlines()
    return len([line for line in states if "php-cgi" in line and not line.startswith("Z")])


def wait_for_none(host, seconds):
    """Return how many seconds it took until no php-cgi of the site was there, None when some stay."""
    script = (
        f"for i in $(seq {seconds * 4}); do pgrep -u web1 php-cgi >/dev/null || {{ echo $i; exit; }}; sleep 0.25; done"
    )
    turns = host.check_output(script)
    return int(turns) / 4 if turns else None


def facts(host):
    found = host.ansible("phpops.webhost.php_sites_facts", check=False, become=True)
    sites = found["ansible_facts"]["phpops_php_sites"]["sites"]
    return {site["name"]: site["fcgid"]["directives"] for site in sites}


def test_apache_reads_what_was_asked(host):
    now = facts(host)
    for limit, value in SERVER.items():
        assert now["app.example.test"][limit]["value"] == value
    assert {limit: now["docs.example.test"][limit]["value"] for limit in OWN} == OWN
    # Its own line wins there, with the name of today.
    assert now["wiki.example.test"]["FcgidIOTimeout"]["value"] == 9999
    assert now["wiki.example.test"]["FcgidMinProcessesPerClass"]["value"] == 0
    old = "grep -rniE '^[[:space:]]*(MaxProcessCount|IPCCommTimeout|FCGIWrapper)' /etc/apache2/*-enabled/"
    assert host.run(old).stdout == ""


def test_what_wins_over_the_server_is_told(host):
    told = set_limits(host)
    assert told["changed"] is False
    (winner,) = told["overridden"]
    path = "/etc/apache2/sites-available/wiki.example.test.conf"
    assert (winner["limit"], winner["value"], winner["vhost"], winner["file"]) == (
        "FcgidIOTimeout",
        "9999",
        "wiki.example.test",
        path,
    )
    assert host.file(path).content_string.splitlines()[winner["line"] - 1] == "FcgidIOTimeout 9999"
    assert {one["file"].rpartition("/")[2] for one in told["lines"]} == {
        "zz-old.conf",
        "docs.example.test.conf",
        "wiki.example.test.conf",
    }


def test_a_class_has_no_more_processes_than_its_limit_under_load(host):
    statuses, most = ask_at_once(host, 10, 500)
    assert statuses == ["200"] * 10
    assert most == OWN["FcgidMaxProcessesPerClass"]


def test_a_process_goes_after_its_requests(host):
    assert wait_for_none(host, 30) is not None
    answers = host.check_output(f"for i in $(seq 12); do curl -s -m 60 -w ' %{{http_code}}\\n' {DOCS}; done")
    pids = [line.split() for line in answers.splitlines()]
    assert {status for _pid, status in pids} == {"200"}
    assert max(Counter(pid for pid, _status in pids).values()) == OWN["FcgidMaxRequestsPerProcess"]


def test_idle_processes_stay_with_the_default_and_go_with_zero(host):
    """FcgidProcessLifeTime 5 alone lets nothing go: FcgidMinProcessesPerClass keeps three of each class."""
    kept = set_limits(host, server={**SERVER, "FcgidMinProcessesPerClass": 3})
    assert (kept["changed"], kept["reload"]["state"]) == (True, "done")
    assert ask_at_once(host, 6, 500)[0] == ["200"] * 6
    before = children(host)
    assert 2 <= before <= 3
    assert wait_for_none(host, 10) is None
    assert children(host) == before
    gone = set_limits(host)
    assert (gone["reload"]["state"], gone["reload"]["php_cgi_before"] >= before) == ("done", True)
    ask(host)
    took = wait_for_none(host, 30)
    print(f"{before} idle php-cgi stayed for 10 s; with FcgidMinProcessesPerClass 0 the last one went after {took} s")
    assert took is not None


def test_a_busy_php_cgi_is_not_cut_and_the_next_run_reloads(host):
    host.check_output("touch /srv/hold")
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(ask, host, "hold=1")
        try:
            host.check_output("for i in $(seq 80); do pgrep -u web1 php-cgi && exit; sleep 0.25; done; exit 1")
            busy = set_limits(host, server={**SERVER, "FcgidIdleTimeout": 77}, idle_timeout_seconds=1)
        finally:
            host.check_output("rm /srv/hold")
        assert slow.result()[1] == 200
    assert (busy["changed"], busy["reload"]["state"], busy["reload"]["busy"]) == (True, "busy", 1)
    assert any("was not reloaded" in line for line in busy["summary"])
    parent = host.check_output("cat /run/apache2/apache2.pid")
    due = set_limits(host, check=True, server={**SERVER, "FcgidIdleTimeout": 77})
    assert (due["changed"], due["files"], due["reload"]["state"]) == (True, [], "due")
    later = set_limits(host, server={**SERVER, "FcgidIdleTimeout": 77})
    assert (later["changed"], later["files"], later["reload"]["state"]) == (True, [], "done")
    assert set_limits(host, server={**SERVER, "FcgidIdleTimeout": 77})["changed"] is False
    assert host.check_output("cat /run/apache2/apache2.pid") == parent


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"server": {"FcgidMaxRequestsPerProcess": 2000}}, "set FcgidMaxRequestsPerProcess to 1 up to 1000"),
        ({"sites": [{"name": "gone.example.test", "limits": {}}]}, "has no PHP site gone.example.test"),
    ],
)
def test_what_can_not_hold_is_refused_before_a_byte_changes(host, options, said):
    before = host.check_output(DIGEST)
    assert said in set_limits(host, **options)["msg"]
    assert host.check_output(DIGEST) == before


def test_a_configuration_that_is_broken_already_stays_as_it_is(host):
    host.check_output("echo Nonsense >/etc/apache2/conf-enabled/broken.conf")
    before = host.check_output(DIGEST)
    try:
        said = set_limits(host, server={"FcgidMaxProcesses": 9})["msg"]
        assert host.check_output(DIGEST) == before
    finally:
        host.check_output("rm /etc/apache2/conf-enabled/broken.conf")
    assert said.startswith("Nothing was changed.")
    assert "Nonsense" in said


def test_absent_gives_back_every_byte(host):
    host.check_output("echo '# mine' >>/etc/apache2/sites-available/wiki.example.test.conf")
    answer = set_limits(host, state="absent")
    assert (answer["changed"], answer["reload"]["state"]) == (True, "done")
    wiki = "/etc/apache2/sites-available/wiki.example.test.conf"
    assert [path for path, same in answer["restored"].items() if not same] == [wiki]
    host.check_output(f"sed -i '/^# mine$/d' {wiki}")
    assert host.check_output("diff -r /root/before /etc/apache2") == ""
    listing = "find . -printf '%p %m %u %g %l\\n' | sort"
    assert host.check_output(f"cd /etc/apache2; {listing}") == host.check_output(f"cd /root/before; {listing}")
    assert host.run("ls /var/lib/phpops/backup/apache/fcgid_limits.json").rc == 2
    assert facts(host)["app.example.test"]["FcgidMaxProcesses"]["value"] == 10
    assert set_limits(host, state="absent")["changed"] is False
    assert ask(host)[1] == 200
    # As the playbook leaves it, for a test that is run again.
    assert set_limits(host)["changed"] is True
