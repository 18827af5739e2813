# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the facts modules and the playbook say of real hosts; only the beancounters come from a dump."""

from __future__ import annotations

import json
import os
import re
import subprocess
from functools import lru_cache
from pathlib import Path

import pytest

INVENTORY = Path(__file__).resolve().parents[1] / "inventory" / "hosts.yml"
MIB = 2**20
# Verdicts that come or not with the machine's kernel, its control groups, and what else it has to do.
OF_THE_MACHINE = {
    *("oom_kills", "unit_ends_with_a_process", "reserved_near_limit", "memory_near_limit", "budget_overrun"),
    *("dentry_share", "dentry_growing", "tmpdir_on_disk", "memory_fragmented"),
    *("swap_near_full", "swap_missing", "tmpfs_near_full"),
}


def facts(host, module, arguments="", **options):
    """Return the facts of one of our modules, run as a user of the collection would."""
    result = host.ansible(f"phpops.webhost.{module}", arguments, check=False, **options)
    assert "ansible_facts" in result, result
    assert result["changed"] is False
    return result["ansible_facts"]["phpops_" + module[: -len("_facts")]]


def run_diagnose(*arguments, **environment):
    """Run the playbook from this machine; return its exit status and its output."""
    command = ["ansible-playbook", "phpops.webhost.diagnose", "--inventory", str(INVENTORY), *arguments]
    whole = {**os.environ, **environment}
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False, env=whole)
    return done.returncode, done.stdout + done.stderr


# One run tells of all hosts.
diagnose = lru_cache(maxsize=None)(run_diagnose)


def report(host, output):
    """Return the lines that the playbook showed for one host."""
    found = re.search(rf"^ok: \[{name_of(host)}\] => (\{{\n.*?^\}})", output, re.MULTILINE | re.DOTALL)
    assert found, output
    return json.loads(found.group(1))["msg"]


def name_of(host):
    return host.backend.get_hostname()


def kernels_numbers(host):
    """Return what the kernel says of its caches at this moment."""
    rows = [line.split() for line in host.check_output("cat /proc/slabinfo").splitlines()[2:]]
    (dentry,) = [row for row in rows if row[0] == "dentry"]
    reclaimable = host.check_output("awk '/^SReclaimable/ {print $2}' /proc/meminfo")
    state = [int(word) for word in host.check_output("cat /proc/sys/fs/dentry-state").split()]
    return {
        "caches": len({row[0] for row in rows}),
        "objects": int(dentry[2]),
        "bytes": int(dentry[14]) * int(dentry[5]) * 4096,
        "reclaimable": int(reclaimable) * 1024,
        "unused": state[1],
        "negative": state[4],
    }


def outside(told, before, after, share=0.1):
    """Return the numbers that are not between those of before and after, give or take a share."""
    return {
        key: (before[key], told[key], after[key])
        for key in before
        if not min(before[key], after[key]) * (1 - share) <= told[key] <= max(before[key], after[key]) * (1 + share)
    }


def test_slab_facts_are_the_kernels_own_numbers(host):
    # The machine has one kernel for all containers: others may fill and drop its caches meanwhile, but not always.
    for _turn in range(5):
        before = kernels_numbers(host)
        found = facts(host, "slab_facts", "top=0")
        dentry = found["dentry"]
        told = {"caches": found["cache_count"], "reclaimable": found["reclaimable_bytes"]}
        told.update({key: dentry[key] for key in ("objects", "bytes", "unused", "negative")})
        wrong = outside(told, before, kernels_numbers(host))
        if not wrong:
            break
    assert wrong == {}
    assert found["available"]
    assert found["version"] == "2.1"
    assert found["foreign_lines"] == 0
    # A container sees its host's kernel, and says so.
    assert found["container"] == "podman"
    assert "the kernel it shares" in found["notes"][0]


def test_top_is_taken_from_the_largest(host):
    found = facts(host, "slab_facts", "top=3")
    assert len(found["caches"]) == 3
    assert found["caches"][0]["bytes"] == max(cache["bytes"] for cache in found["caches"])
    assert found["cache_count"] > 50


def test_a_user_without_rights_is_told_what_to_do(host):
    options = {"become": True, "become_user": "visitor"}
    slab = facts(host, "slab_facts", **options)
    assert slab["available"] is False
    assert slab["reason"].startswith("/proc/slabinfo may not be read by the user with id ")
    assert slab["reason"].endswith("run the task with become.")
    # What any user may read is there all the same.
    assert slab["dentry"]["unused"] > 0
    assert slab["reclaimable_bytes"] > 0
    counters = facts(host, "beancounters_facts", "path=/root/user_beancounters", **options)
    assert counters["available"] is False
    assert "become" in counters["reason"]


def test_a_kernel_without_beancounters_is_no_failure(host):
    found = facts(host, "beancounters_facts")
    assert (found["available"], found["supported"]) == (False, False)
    assert "Only OpenVZ and Virtuozzo kernels have it." in found["reason"]


def test_simulated_beancounters_give_the_numbers_of_the_dump(host):
    found = facts(host, "beancounters_facts", "path=/root/user_beancounters")
    row = found["containers"]["101"]["resources"]["shmpages"]
    page = int(host.check_output("getconf PAGESIZE"))
    assert (row["held_bytes"], row["limit_bytes"], row["failcnt"]) == (247122 * page, 262144 * page, 10067)
    assert [item["resource"] for item in found["containers"]["101"]["at_risk"]] == ["shmpages"]


def test_the_policies_are_told_and_whether_the_host_honours_them(host):
    found = facts(host, "oom_policy_facts")
    assert found["available"] is True
    policies = {unit["unit"]: unit["oom_policy"] for unit in found["units"]}
    assert policies["apache2.service"] == "continue"
    assert [policy for unit, policy in policies.items() if unit.startswith("php")] == ["stop"]
    # What kind of control groups a container has is up to the machine that it runs on.
    has_v2 = host.file("/sys/fs/cgroup/cgroup.controllers").exists
    assert (found["cgroup"] == "v2") is has_v2
    assert found["honoured"] is (found["reason"] is None)
    assert has_v2 or "systemd hears of no OOM kill" in found["reason"]


@pytest.mark.parametrize("mode", [(), ("--check",)], ids=["run", "check"])
def test_the_playbook_names_the_problems_worst_first(host, mode):
    status, output = diagnose(*mode)
    assert status == 0, output
    assert re.search(rf"^{name_of(host)} .*changed=0 .*failed=0", output, re.MULTILINE), output
    lines = report(host, output)
    found = [re.match(r"\[(\w+)\] (\w+): (.*)", line).groups() for line in lines if line.startswith("[")]
    codes = [code for _severity, code, _sentence in found]
    sentences = {code: sentence for _severity, code, sentence in found}
    severities = [severity for severity, _code, _sentence in found]
    assert severities == sorted(severities, key=["critical", "warning", "info"].index)
    assert codes[0] == "shmpages_failing"
    assert sentences["shmpages_failing"] == (
        "shmpages holds 965.3 MiB, 94 % of its limit of 1 GiB; 10067 requests were refused."
    )
    # Real: mmap() refused PHP its segment. php-cgi says so while it starts, so it is in the server's own log.
    assert "512 MiB" in sentences["shm_allocation_errors"]
    assert "(Apache's own log " in sentences["shm_allocation_errors"]
    # Real: several php-cgi processes, a segment of 64 MiB each.
    counted = re.match(
        r"(\d+) php-cgi processes with (\d+) OPcache segments of their own, (\d+) MiB reserved; "
        r"under PHP-FPM 2 sites would take about 128 MiB\.$",
        sentences["opcache_segment_per_process"],
    )
    assert counted, sentences
    processes, segments, mib = (int(number) for number in counted.groups())
    assert processes == int(host.check_output("pgrep -c php-cgi")) >= 2
    assert (segments, mib) == (processes, processes * 64)
    command = f"    ansible-playbook phpops.webhost.migrate --limit {name_of(host)} --extra-vars "
    assert any(line.startswith(command) for line in lines)
    assert "facts_unavailable" not in codes


def test_the_playbook_wrote_nothing(host):
    assert diagnose()[0] == 0
    assert host.check_output("find /etc /srv /usr /opt /var/www -xdev -newer /root/prepared") == ""
    assert not host.file("/var/lib/phpops").exists


def test_an_unreachable_host_does_not_stop_the_others(host):
    status, output = diagnose("--inventory", "nowhere,")
    assert status != 0
    assert re.search(r"^nowhere .*unreachable=1", output, re.MULTILINE), output
    assert any(line.startswith("[critical] shmpages_failing") for line in report(host, output))


def test_the_report_has_all_hosts_and_those_that_were_not_there(host, tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    status, output = run_diagnose("--extra-vars", f"diagnose_output_dir={before}")
    assert status == 0, output
    arguments = ["--inventory", "nowhere,", "--extra-vars", f"diagnose_output_dir={after} diagnose_before_dir={before}"]
    status, output = run_diagnose(*arguments)
    assert status != 0
    assert f"{after}/report.html" in output
    kept = json.loads((after / "hosts" / f"{name_of(host)}.json").read_text(encoding="utf-8"))
    assert kept["state"] == "answered"
    assert "shmpages_failing" in [verdict["code"] for verdict in kept["verdicts"]]
    assert json.loads((after / "hosts" / "nowhere.json").read_text(encoding="utf-8"))["state"] == "unreachable"
    page = (after / "report.html").read_text(encoding="utf-8")
    assert page.count('<details class="host ') == 3
    held = kept["facts"]["phpops_beancounters"]["containers"]["101"]["resources"]["shmpages"]["held_bytes"]
    assert f'<data value="{held}" data-key="limit-used">' in page


def test_failures_since_the_last_run_are_told(host):
    state, dump = "/root/beancounters.json", "/root/user_beancounters"
    arguments = ["--limit", name_of(host), "--extra-vars", f"diagnose_state_path={state}"]
    assert run_diagnose(*arguments)[0] == 0
    assert host.file(state).mode == 0o600
    before = host.file(state).content_string
    host.check_output(f"sed -i 's/ 10067$/ 10072/' {dump}")
    _status, output = run_diagnose("--check", *arguments)
    host.check_output(f"sed -i 's/ 10072$/ 10067/' {dump}")
    told = (
        "[critical] shmpages_failing: shmpages holds 965.3 MiB, 94 % of its limit of 1 GiB; "
        "10072 requests were refused, 5 of them since the last run."
    )
    assert told in report(host, output)
    # Check mode reads the state and leaves it alone.
    assert host.file(state).content_string == before
    host.check_output(f"rm {state}")


def test_facts_of_an_earlier_run_are_judged_and_the_host_is_not_asked(host, tmp_path):
    cache = {"ANSIBLE_CACHE_PLUGIN": "jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(tmp_path / "cache")}
    arguments = ["--limit", name_of(host)]
    # Nobody answers at this name.
    cached = [*arguments, "--extra-vars", "diagnose_gather=false ansible_host=nowhere"]
    status, output = run_diagnose(*cached, **cache)
    assert status != 0
    assert "Ansible's fact cache has no facts of this host: run diagnose once" in output
    status, asked = run_diagnose(*arguments, **cache)
    assert status == 0, asked
    status, output = run_diagnose(*cached, "--extra-vars", f"diagnose_output_dir={tmp_path}/report", **cache)
    assert status == 0, output
    assert re.search(r"These facts are from Ansible's fact cache, \d+ \w+.* old \(20", output)

    def shown(text):
        return re.findall(r'^ +"(\[(?:critical|warning|info)\] .*)",?$', text, re.MULTILINE)

    assert shown(output) == shown(asked) != []
    kept = json.loads((tmp_path / "report" / "hosts" / f"{name_of(host)}.json").read_text(encoding="utf-8"))
    assert kept["time"] in output


def test_two_runs_tell_how_much_the_dentry_cache_grew(host):
    state = "/root/slab.json"
    assert facts(host, "slab_facts", f"state_path={state}")["dentry"]["growth"] is None
    growth = facts(host, "slab_facts", f"state_path={state}")["dentry"]["growth"]
    assert 0 < growth["seconds"] < 120
    assert isinstance(growth["objects"], int)
    host.check_output(f"rm {state}")


def test_the_web_servers_temporary_files_are_found(host):
    groups = {group["kind"]: group for group in facts(host, "shm_facts")["groups"]}
    mounted = host.check_output("findmnt --noheadings --output FSTYPE --target /tmp")
    for kind in ("apache", "php-cgi"):
        (folder,) = groups[kind]["temp_folders"]
        assert (folder["path"], folder["fstype"]) == ("/tmp", mounted)
    assert {user["user"] for user in groups["php-cgi"]["users"]} == {"www-data"}


def test_without_rights_the_playbook_says_what_it_could_not_read(host):
    status, output = diagnose("--extra-vars", "ansible_become_user=visitor")
    assert status == 0, output
    lines = report(host, output)
    found = {line.split(":")[0] for line in lines if line.startswith("[")}
    others = {code for code in found if code.split()[1] not in OF_THE_MACHINE}
    unreadable = {"[info] processes_unreadable", "[info] error_logs_unreadable", "[info] facts_unavailable"}
    # The distribution's own master runs.
    unreadable |= {"[info] opcache_unknown"}
    # How many processes there are, and what Apache is told, any user may read.
    assert others == {*unreadable, "[warning] idle_php_cgi_stay"}
    assert any("php-cgi" in line and "sums are too small" in line for line in lines)
    assert sum("run the task with become" in line for line in lines) >= 2


def test_a_threshold_is_checked_before_anything_is_read(host):
    status, output = diagnose("--extra-vars", "diagnose_near_limit=90")
    assert status != 0
    assert re.search(rf"^fatal: \[{name_of(host)}\]: .*near_limit is 90.0: give a share", output, re.MULTILINE)
    assert "gather |" not in output
