# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What node_exporter serves of a real host, what promtool says of it, and what one broken probe costs."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path

import pytest

FILE = "/var/lib/prometheus/node-exporter/phpops.prom"
LINE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
PROBES = {"beancounters", "slab", "shm", "tmpfs", "swap", "oom", "opcache", "sites", "budget", "error_logs"}
# As the scenario's inventory has them.
OPTIONS = {"interval_seconds": 3600, "beancounters_path": "/root/user_beancounters"}
# What these judge is the machine's that the containers run on, whoever else uses it.
MACHINES = {
    *("PhpopsOomKills", "PhpopsSwapNearlyFull", "PhpopsDentriesGrowing"),
    *("PhpopsMemoryLimitNear", "PhpopsBudgetOverrun"),
}
REFUSED = "Unable to allocate shared memory segment of 67108864 bytes: mmap: Cannot allocate memory (12)"


def exporter(host, check=False, **options):
    """Run the module on top of the scenario's options."""
    return host.ansible(
        "phpops.webhost.metrics_exporter", json.dumps({"state": "present", **OPTIONS, **options}), check=check
    )


def parse(text):
    """Return {(name, labels): value}; a line with a timestamp does not match.

    An empty label is the same as none, and node_exporter adds them where the series of a family have different labels.
    """
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, labels, value = LINE.match(line).groups()
            key = (name, frozenset(pair for pair in LABEL.findall(labels or "") if pair[1]))
            assert key not in found, line
            found[key] = float(value)
    return found


def value(series, name, **labels):
    """Return the value of the one series that has these labels."""
    wanted = set(labels.items())
    (one,) = [value for (other, has), value in series.items() if other == name and wanted <= has]
    return one


@pytest.fixture
def written(host):
    return parse(host.file(FILE).content_string)


@pytest.fixture
def served(host):
    return parse(host.check_output("curl --silent --fail http://localhost:9100/metrics"))


def test_node_exporter_serves_every_series(host, written, served):
    assert value(served, "node_textfile_scrape_error") == 0
    assert value(served, "node_textfile_mtime_seconds", file=FILE) > 0
    assert len(written) > 100
    assert {key: served.get(key) for key in written} == written


def test_every_probe_succeeds_and_tells_how_long_it_took(written):
    probes = {dict(labels)["probe"] for (name, labels) in written if name == "phpops_probe_success"}
    assert probes == PROBES
    assert {name: value(written, "phpops_probe_success", probe=name) for name in PROBES} == dict.fromkeys(PROBES, 1)
    assert all(0 < value(written, "phpops_probe_duration_seconds", probe=name) < 10 for name in PROBES)
    assert all(value(written, "phpops_exporter_dropped_series", probe=name) == 0 for name in PROBES)


def test_promtool_has_nothing_against_the_metrics(host):
    checked = host.run(f"promtool check metrics <{FILE}")
    assert (checked.rc, checked.stdout, checked.stderr) == (0, "", "")


def test_the_file_is_readable_by_all_and_nothing_else_is_left_there(host):
    file = host.file(FILE)
    assert (file.mode, file.user) == (0o644, "root")
    assert host.check_output("ls -A /var/lib/prometheus/node-exporter | grep -i phpops") == "phpops.prom"


def test_the_numbers_are_those_of_the_host(host, written):
    cgi = int(host.check_output("pgrep --count --exact php-cgi"))
    assert cgi >= 2
    where = {"group": "php-cgi", "kind": "php-cgi"}
    assert value(written, "phpops_process_group_processes", **where) == cgi
    assert value(written, "phpops_process_group_opcache_segments", **where) == cgi
    slot = host.check_output("basename $(readlink /var/lib/phpops/app/ptr/live)")
    assert value(written, "phpops_site_slot_live", site="app", slot=slot) == 1
    assert value(written, "phpops_site_slot_active", site="app", slot=slot) == 1
    assert value(written, "phpops_opcache_up", site="app", slot=slot) == 1
    assert value(written, "phpops_opcache_size_bytes", site="app") == 16 * 2**20
    assert 0 < value(written, "phpops_opcache_used_bytes", site="app") < 16 * 2**20
    assert value(written, "phpops_opcache_scripts", site="app") >= 1
    assert value(written, "phpops_fpm_max_children", site="app", pool="app") >= 1
    unit = f"phpops-fpm@app-{slot}.service"
    assert value(written, "phpops_process_group_opcache_segments", group=f"php-fpm: {unit}") == 1
    total = int(host.check_output("sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo")) * 1024
    assert value(written, "phpops_memory_size_bytes") == total
    assert value(written, "phpops_dentry_cache_objects") > 1000
    assert value(written, "phpops_budget_fits") in (0, 1)


def test_pages_of_beancounters_are_bytes(written):
    where = {"container": "101", "resource": "shmpages"}
    assert value(written, "phpops_beancounter_held_bytes", **where) == 247122 * 4096
    assert value(written, "phpops_beancounter_limit_bytes", **where) == 262144 * 4096
    assert value(written, "phpops_beancounter_failures_total", **where) == 10067


def test_the_distributions_pool_is_seen_as_well(host, written):
    (unit,) = {dict(labels)["unit"] for (name, labels) in written if name == "phpops_opcache_up"} - {
        dict(labels)["unit"] for (name, labels) in written if name == "phpops_opcache_up" and "site" in dict(labels)
    }
    assert re.fullmatch(r"php8\.\d-fpm\.service", unit)
    assert value(written, "phpops_fpm_workers", unit=unit, pool="www", state="idle") >= 1


def test_one_broken_probe_costs_no_other(host, written):
    """The slab caches can't be read and the beancounters are none; all other series stay."""
    broken = exporter(host, slabinfo_path="/root/missing", beancounters_path="/etc/passwd")
    failed = {one["probe"]: one["reason"] for one in broken["probes"] if not one["success"]}
    assert set(failed) == {"slab", "beancounters"}
    assert "There is no file /root/missing" in failed["slab"]
    assert "failed: beancounters (/etc/passwd" in broken["summary"][1]
    now = parse(host.file(FILE).content_string)
    assert value(now, "phpops_probe_success", probe="slab") == 0
    assert value(now, "phpops_probe_success", probe="shm") == 1
    lost = {name for name, _labels in written} - {name for name, _labels in now}
    assert lost
    assert all(re.match(r"phpops_(slab_cache|slab_size|dentry_cache|beancounter)", name) for name in lost), lost
    assert host.run(f"promtool check metrics <{FILE}").rc == 0
    cured = exporter(host)
    assert cured["changed"]
    assert cured["summary"][1].endswith("none failed.")


def test_refused_segments_are_counted_across_a_rotation(host):
    log = "/var/log/apache2/refused-error.log"

    def count():
        host.run_expect([0], "systemctl start phpops-metrics.service")
        return value(parse(host.file(FILE).content_string), "phpops_segments_refused_total", log=log)

    host.run_expect([0], f"echo '{REFUSED}' >{log}")
    assert count() == 1
    assert count() == 1
    host.run_expect([0], f"echo '{REFUSED}' >>{log} && mv {log} {log}.1 && echo '{REFUSED}' >{log}")
    assert count() == 3
    host.run_expect([0], f"rm {log} {log}.1")


def test_a_run_makes_nobody_complain_of_a_slot_that_was_never_made(host):
    cursor = host.check_output("journalctl --quiet --no-pager -n 0 --show-cursor").split("cursor: ")[1].strip()
    host.run_expect([0], "systemctl start phpops-metrics.service")
    said = host.check_output(f"journalctl --quiet --no-pager --after-cursor '{cursor}'")
    assert "none failed." in said
    assert "phpops-fpm@app-green" not in said


def test_systemd_has_nothing_against_the_units(host):
    units = " ".join(f"/etc/systemd/system/phpops-metrics.{kind}" for kind in ("service", "timer"))
    found = host.run(f"systemd-analyze verify --man=no --recursive-errors=no {units}")
    assert (found.rc, found.stderr) == (0, "")
    timer = host.service("phpops-metrics.timer")
    assert timer.is_running
    assert timer.is_enabled


def test_the_service_can_write_where_it_has_to_and_nowhere_else(host):
    properties = "ProtectSystem,NoNewPrivileges,CapabilityBoundingSet,ReadWritePaths"
    found = host.check_output(f"systemctl show -p {properties} phpops-metrics.service")
    assert "ProtectSystem=strict" in found
    assert "NoNewPrivileges=yes" in found
    assert "cap_sys_admin" not in found
    assert "/var/lib/prometheus/node-exporter" in found


def test_promtool_accepts_the_rules_and_each_alert_fires_and_keeps_quiet(host):
    for path in ("/etc/prometheus/rules/phpops.yml", "/srv/rules/phpops.rules.yml"):
        host.run_expect([0], f"promtool check rules {path}")
    tested = host.run("cd /srv/rules && promtool test rules rules_test.yml")
    assert tested.rc == 0, tested.stdout + tested.stderr
    assert "SUCCESS" in tested.stdout + tested.stderr


def test_prometheus_judges_the_host_by_the_rules(host):
    """Alerts that wait for their time to be over: php-cgi with caches of their own, and simulated shmpages at 94 %."""
    server = "prometheus --config.file=/srv/rules/prometheus.yml --storage.tsdb.path=/run/metrics-prometheus"
    host.run_expect([0], f"systemd-run --unit=metrics-prometheus {server} --web.listen-address=127.0.0.1:9090")
    wanted = {"PhpopsOwnSegments", "PhpopsShmpagesNearLimit"}
    deadline = time.monotonic() + 60
    alerts, rules = {}, []
    while time.monotonic() < deadline and not wanted <= set(alerts):
        time.sleep(1)
        told = host.run("curl --silent --fail 'http://127.0.0.1:9090/api/v1/rules?type=alert'")
        groups = json.loads(told.stdout)["data"]["groups"] if told.rc == 0 else []
        rules = [rule for group in groups for rule in group["rules"]]
        alerts = {rule["name"]: rule["alerts"] for rule in rules if rule["alerts"]}
    host.run("systemctl stop metrics-prometheus")
    assert len(rules) >= 20
    assert {rule["name"]: rule["lastError"] for rule in rules if rule.get("lastError")} == {}
    assert wanted <= set(alerts), alerts
    (own,) = alerts["PhpopsOwnSegments"]
    assert own["state"] == "pending"
    assert own["labels"]["instance"] == "localhost:9100"
    assert float(own["value"]) == int(host.check_output("pgrep --count --exact php-cgi"))
    # Nothing else is wrong here.
    assert {rule["name"] for rule in rules} >= MACHINES
    assert set(alerts) - wanted <= MACHINES, alerts


def test_the_installed_rules_lead_to_the_given_documentation(host):
    rules = host.file("/etc/prometheus/rules/phpops.yml").content_string
    links = re.findall(r"runbook_url: (\S+)", rules)
    assert len(links) >= 20
    assert all(link.startswith("https://docs.example.test/webhost/docsite/guide_metrics.html#") for link in links)


def test_settings_that_can_not_be_used_are_refused_by_name(host):
    for options, said in (
        ({"interval_seconds": 1}, "interval_seconds is 1"),
        ({"probe_timeout_seconds": 0}, "probe_timeout_seconds is 0"),
        ({"opcache_folders": ["relative folder"]}, "opcache_folders"),
        ({"textfile_directory": "/root/missing"}, "There is no folder /root/missing"),
    ):
        assert said in exporter(host, **options)["msg"]


def test_a_dry_run_changes_nothing(host):
    before = host.check_output("cat /etc/phpops/metrics.json")
    dry = exporter(host, check=True, probe_timeout_seconds=5)
    assert dry["changed"]
    assert dry["series"] > 100
    assert host.check_output("cat /etc/phpops/metrics.json") == before


def test_what_the_image_has_of_prometheus_starts_nowhere_by_itself(host):
    for name in ("prometheus", "prometheus-node-exporter"):
        assert host.file(f"/usr/bin/{name}").exists
        assert not host.service(name).is_enabled
    assert not host.service("prometheus").is_running


def test_absent_takes_all_of_it_away(host):
    """By the role, with the rules."""
    name = host.backend.get_hostname()
    scenario = Path(__file__).resolve().parents[1]
    command = ["ansible-playbook", str(scenario / "converge.yml"), "--inventory", str(scenario / "inventory")]
    command += ["--limit", name, "--extra-vars", "metrics_state=absent"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "phpops-metrics.timer is not active and not enabled" in done.stdout
    assert not exporter(host, state="absent")["changed"]
    paths = f"{FILE} /etc/phpops/metrics.json /usr/local/lib/phpops/metrics.pyz /run/phpops-metrics"
    paths += " /var/lib/phpops-metrics /etc/systemd/system/phpops-metrics.* /etc/prometheus/rules/phpops.yml"
    assert host.run(f"ls -d {paths}").stdout == ""
    gone = parse(host.check_output("curl --silent --fail http://localhost:9100/metrics"))
    assert not [metric for metric, _labels in gone if metric.startswith("phpops_")]
