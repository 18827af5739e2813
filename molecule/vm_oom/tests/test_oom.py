# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel kills, what systemd then does, and who goes on answering. The tests build on one another."""

from __future__ import annotations

import json
import threading

import pytest

KILLS = 20
STOP = "/run/vm-oom/stop"
ERROR_LOG = "/var/log/apache2/error.log"
SLOT = "phpops-fpm@shop-blue.service"
# unit: (the site whose request eats memory, the killed process, another site of the same service)
SERVICES = {
    "apache2.service": ("cgi.test", "php-cgi", "other-cgi.test"),
    "php8.2-fpm.service": ("fpm.test", "php-fpm8.2", "other-fpm.test"),
}


def show(host, unit, *names):
    """Return properties of a unit; a single one as itself."""
    lines = host.check_output(f"systemctl show --property={','.join(names)} '{unit}'").splitlines()
    found = dict(line.split("=", 1) for line in lines)
    return found[names[0]] if len(names) == 1 else [found[name] for name in names]


def policy(host, **options):
    """Run the module; return (whether it changed something, the policies that systemd has then)."""
    done = host.ansible("phpops.webhost.unit_oom_policy", json.dumps(options) if options else "", check=False)
    assert done["msg"] == "", done
    return done["changed"], {unit["unit"]: unit["oom_policy"] for unit in done["units"]}


def status(host, site, page="page.php"):
    """Ask a page; return the status, 0 where nobody answered."""
    command = f"curl --silent --output /dev/null --max-time 60 --write-out '%{{http_code}}' -H 'Host: {site}' "
    return int(host.run(f"{command} http://127.0.0.1/{page}").stdout)


def eaters(host):
    """Return the processes that ate memory since this was asked before, in their order."""
    pids = [int(pid) for pid in host.check_output("cat /run/vm-oom/eaters").split()]
    host.check_output("truncate --size 0 /run/vm-oom/eaters")
    return pids


def now(host):
    """Return the host's time as oom_facts takes it, a second later than whatever was before."""
    return host.check_output("sleep 1; date '+%Y-%m-%d %H:%M:%S'")


def events(host, since):
    found = host.ansible("phpops.webhost.oom_facts", json.dumps({"source": "journal", "since": since}), check=False)
    facts = found["ansible_facts"]["phpops_oom"]
    assert facts["available"], facts["reason"]
    return facts


class Others:
    """Asks other sites all the time; ``counts`` says afterwards how often each answered and how often it did not."""

    def __init__(self, host, *sites):
        self.host, self.counts = host, {}
        self.command = f"timeout 300 python3 /srv/ask.py {STOP} {' '.join(sites)}"
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        self.counts = json.loads(self.host.check_output(self.command))

    def __enter__(self):
        self.host.check_output(f"rm -f {STOP}")
        self.thread.start()
        return self

    def __exit__(self, *_error):
        self.host.run(f"touch {STOP}")
        self.thread.join()
        print(self.counts)

    def failures(self):
        assert min(count["answered"] for count in self.counts.values()) > KILLS / 4, self.counts
        return {site: count["errors"] for site, count in self.counts.items() if count["failed"]}


def test_the_kernel_can_show_it(host):
    assert host.check_output("stat --file-system --format=%T /sys/fs/cgroup") == "cgroup2fs"
    facts = host.ansible("phpops.webhost.oom_policy_facts", check=False)["ansible_facts"]["phpops_oom_policy"]
    assert (facts["available"], facts["honoured"], facts["reason"], facts["cgroup"]) == (True, True, None, "v2")
    policies = {unit["unit"]: unit["oom_policy"] for unit in facts["units"]}
    assert {unit: policies[unit] for unit in (*SERVICES, SLOT)} == dict.fromkeys((*SERVICES, SLOT), "continue")
    drop_ins = {unit["unit"]: [path.rpartition("/")[2] for path in unit["drop_ins"]] for unit in facts["units"]}
    assert drop_ins["apache2.service"] == ["10-stop.conf", "20-limit.conf", "50-phpops-oom.conf"]
    # The collection's own unit has the policy without the role.
    assert "50-phpops-oom.conf" not in drop_ins[SLOT]


def test_absent_brings_back_what_was_there(host):
    changed, policies = policy(host, state="absent")
    assert changed
    assert {unit: policies[unit] for unit in SERVICES} == dict.fromkeys(SERVICES, "stop")
    assert host.check_output("find /etc/systemd/system -name '50-phpops-oom.conf'") == ""
    assert policy(host, state="absent")[0] is False


@pytest.mark.parametrize("unit", SERVICES)
def test_without_the_role_one_request_ends_the_whole_service(host, unit):
    site, _comm, other = SERVICES[unit]
    assert status(host, other) == 200
    assert status(host, site, "eat.php") in (0, 500, 502, 503)
    for _turn in range(20):
        if show(host, unit, "ActiveState") == "failed":
            break
        host.check_output("sleep 0.5")
    assert show(host, unit, "ActiveState", "Result") == ["failed", "oom-kill"]
    assert status(host, other) in (0, 503)
    assert len(eaters(host)) == 1
    host.check_output(f"systemctl reset-failed {unit}; systemctl start {unit}")
    assert status(host, other) == 200


@pytest.mark.parametrize("unit", SERVICES)
def test_the_policy_counts_for_a_service_that_runs_already(host, unit):
    before = show(host, unit, "MainPID", "OOMPolicy")
    assert before[1] == "stop"
    changed, policies = policy(host, units=[unit])
    assert (changed, policies) == (True, {unit: "continue"})
    site, _comm, other = SERVICES[unit]
    assert status(host, site, "eat.php") in (500, 502, 503)
    assert show(host, unit, "MainPID", "OOMPolicy", "ActiveState") == [before[0], "continue", "active"]
    assert status(host, other) == 200
    assert len(eaters(host)) == 1


@pytest.mark.parametrize("unit", SERVICES)
def test_twenty_kills_in_a_row_end_one_process_each_and_nothing_else(host, unit):
    site, comm, other = SERVICES[unit]
    main, since = show(host, unit, "MainPID"), now(host)
    eaters(host)
    eat = f"curl --silent --output /dev/null --max-time 60 --write-out '%{{http_code}} ' -H 'Host: {site}'"
    with Others(host, other, "shop.test") as others:
        answers = host.check_output(f"time for n in $(seq {KILLS}); do {eat} http://127.0.0.1/eat.php; done")
    facts = events(host, since)
    assert others.failures() == {}, (host.check_output(f"tail -30 {ERROR_LOG}"), facts["events"])
    assert len(answers.split()) == KILLS
    assert set(answers.split()) <= {"500", "502", "503"}
    assert show(host, unit, "ActiveState", "Result", "NRestarts", "MainPID") == ["active", "success", "0", main]
    victims = [event["victim"] for event in facts["events"] if event["unit"] == unit]
    assert [(victim["comm"], victim["pid"]) for victim in victims] == [(comm, pid) for pid in eaters(host)]
    assert (len(facts["events"]), len(victims)) == (KILLS, KILLS)
    assert {event["kind"] for event in facts["events"]} == {"memcg"}
    assert [found["result"] for found in facts["units"] if found["unit"] == unit] == [None]


def test_a_site_over_its_limit_loses_that_worker_and_nothing_else(host):
    assert show(host, SLOT, "MemoryMax") == "67108864"
    main, since = show(host, SLOT, "MainPID"), now(host)
    before = set(host.check_output(f"pgrep -P {main}").split())
    with Others(host, "other-cgi.test", "other-fpm.test", "shop.test") as others:
        assert status(host, "shop.test", "eat.php") in (502, 503)
        host.check_output("sleep 2")
    (eater,) = eaters(host)
    assert others.failures() == {}
    assert show(host, SLOT, "ActiveState", "NRestarts", "MainPID") == ["active", "0", main]
    after = set(host.check_output(f"pgrep -P {main}").split())
    assert (len(before), len(after), before - after) == (2, 2, {str(eater)})
    (event,) = events(host, since)["events"]
    assert (event["kind"], event["unit"], event["victim"]["pid"]) == ("memcg", SLOT, eater)
    assert event["limit_cgroup"].endswith(f"/{SLOT}")


def test_a_later_drop_in_of_somebody_else_is_named(host):
    host.check_output("install -d /etc/systemd/system/php8.2-fpm.service.d")
    later = "/etc/systemd/system/php8.2-fpm.service.d/90-local.conf"
    host.check_output(f"printf '[Service]\\nOOMPolicy=kill\\n' >{later}; systemctl daemon-reload")
    done = host.ansible("phpops.webhost.unit_oom_policy", "", check=False)
    host.check_output(f"rm {later}; systemctl daemon-reload")
    assert f"php8.2-fpm.service: {later} sets OOMPolicy=kill and is read after" in done["msg"]
    assert policy(host) == (
        False,
        {**dict.fromkeys(SERVICES, "continue"), "nginx.service": "continue", SLOT: "continue"},
    )
