# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Swap on a real kernel: grown in use, over a boot, away again, through kills. The tests build on one another."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "shared" / "vm"))

from machine import Machine

MIB, PAGE = 1 << 20, 4096
HELD_MIB, OUT_MIB = 220, 200
FOLDER = "/var/lib/phpops-swap"
ONE, TWO = (f"{FOLDER}/phpops-{number}.swap" for number in (1, 2))
SEED = int(os.environ.get("PHPOPS_SEED") or random.SystemRandom().randrange(1 << 32))
KILLS = int(os.environ.get("PHPOPS_KILLS") or 1)


def swap(host, check=False, **options):
    return host.ansible("phpops.webhost.swap_file", json.dumps({"swappiness": 20, **options}), check=check)


# What a test compares, by one command: a machine may be slow to answer.
STATE = """import json, re
from pathlib import Path
rows = [line.split() for line in Path("/proc/swaps").read_text().splitlines()[1:]]
counts = dict(line.split() for line in Path("/proc/vmstat").read_text().splitlines())
available = re.search("MemAvailable: +([0-9]+)", Path("/proc/meminfo").read_text())[1]
folder = Path("/var/lib/phpops-swap")
print(json.dumps({
    "size": {row[0]: int(row[2]) << 10 for row in rows},
    "used": {row[0]: int(row[3]) << 10 for row in rows},
    "oom_kill": int(counts["oom_kill"]), "pswpin": int(counts["pswpin"]), "available": int(available) << 10,
    "swappiness": Path("/proc/sys/vm/swappiness").read_text().strip(),
    "fstab": Path("/etc/fstab").read_text(), "fstab before": Path("/root/fstab.before").read_text(),
    "files": {path.name: [oct(path.stat().st_mode), path.stat().st_size] for path in folder.glob("*")},
    "sysctl": Path("/etc/sysctl.d/60-phpops-swap.conf").exists(), "folder": folder.exists(),
}))
"""


def state(host):
    """Return what the host shows: swap areas, counters, memory, files."""
    return json.loads(host.check_output(f"python3 -c '{STATE}'"))


def wait_for(name, begin):
    """Return a shell command that waits for what a holder says, and prints it."""
    says = f"/run/{name}.says"
    return f"for turn in $(seq 600); do grep -qs '^{begin}' {says} && break; sleep 0.2; done; cat {says}"


def hold(host, name, size_mib):
    """Start a process that holds so much memory."""
    start = f"systemd-run --quiet --unit={name} python3 /root/holder.py {size_mib} /run/{name}.says"
    assert host.check_output(f"rm -f /run/{name}.says; {start}; {wait_for(name, 'ready')}") == "ready"


def intact(host, name):
    """Let it read all of its memory, and compare."""
    ask = f"rm /run/{name}.says; systemctl kill --signal=USR1 {name}; {wait_for(name, 'wrong')}"
    assert host.check_output(ask) == f"wrong 0 of {HELD_MIB * MIB // PAGE}"


def push_out(host, name):
    """Have the kernel swap OUT_MIB of a unit's memory out (memory.reclaim of cgroup v2)."""
    group = f"group=/sys/fs/cgroup$(systemctl show --property=ControlGroup --value {name})"
    left = f"left=$(($(sed -n 's/^anon //p' $group/memory.stat) - {(HELD_MIB - OUT_MIB) * MIB}))"
    # It says EAGAIN where it got less than it was asked for.
    turn = f"{left}; test $left -le 0 && exit 0; echo $((left + {MIB})) >$group/memory.reclaim || true"
    host.run_expect([0], f"{group}; for turn in $(seq 30); do {turn}; done; exit 1")


def test_the_role_gave_it_what_was_asked_for(host):
    now = state(host)
    assert now["size"] == {ONE: 256 * MIB}
    assert now["files"] == {"phpops-1.swap": ["0o100600", 256 * MIB + PAGE]}
    assert now["fstab"] == now["fstab before"] + f"{ONE} none swap sw,nofail 0 0\n"
    assert now["swappiness"] == "20"
    assert "[E]" not in host.run("findmnt --verify").stdout


def test_a_dry_run_says_what_would_be_added_and_adds_nothing(host):
    told = swap(host, check=True, size_bytes=1024 * MIB, swappiness=30)
    assert told["changed"]
    assert told["built"] == [{"path": TWO, "size_bytes": 768 * MIB + PAGE}]
    now = state(host)
    assert list(now["size"]) == [ONE]
    assert list(now["files"]) == ["phpops-1.swap"]
    assert TWO not in now["fstab"]
    assert now["swappiness"] == "20"


def test_it_grows_while_it_is_in_use(host):
    hold(host, "holder", HELD_MIB)
    push_out(host, "holder")
    before = state(host)
    assert before["used"][ONE] >= OUT_MIB * MIB
    done = swap(host, size_bytes=1024 * MIB)
    assert done["changed"] and not done["switched_off"]
    after = state(host)
    print(
        f"{before['used'][ONE] >> 20} MiB in use before, {after['used'][ONE] >> 20} after;"
        f" {after['pswpin'] - before['pswpin']} pages read back meanwhile; {done['summary']}"
    )
    assert after["size"] == {ONE: 256 * MIB, TWO: 768 * MIB}
    # What was swapped out stayed out.
    assert after["used"][ONE] > before["used"][ONE] - 20 * MIB
    intact(host, "holder")
    assert state(host)["oom_kill"] == before["oom_kill"]
    assert not swap(host, size_bytes=1024 * MIB)["changed"]


def test_it_is_refused_to_take_away_what_does_not_fit_into_memory(host):
    push_out(host, "holder")
    before = state(host)
    hold(host, "eater", before["available"] // MIB - 150)
    told = swap(host, state="absent")
    host.check_output("systemctl stop eater")
    print(told["msg"])
    assert "are in 2 swap files of this role, and of the" in told["msg"]
    after = state(host)
    assert [after[name] for name in ("size", "fstab", "oom_kill")] == [
        before[name] for name in ("size", "fstab", "oom_kill")
    ]


def test_it_is_there_after_the_power_failed(host):
    """Nothing had a chance to be written at an orderly end."""
    machine = Machine(host.backend.get_hostname())
    print(f"up again in {machine.reset():.0f} s")
    now = state(host)
    assert now["size"] == {ONE: 256 * MIB, TWO: 768 * MIB}
    assert now["swappiness"] == "20"
    assert not swap(host, size_bytes=1024 * MIB)["changed"]


def test_absent_gives_all_back(host):
    hold(host, "holder", HELD_MIB)
    push_out(host, "holder")
    before = state(host)
    assert sum(before["used"].values()) >= OUT_MIB * MIB
    told = swap(host, state="absent")
    assert told["changed"], told
    print(f"{sum(before['used'].values()) >> 20} MiB read back; {told['summary']}")
    intact(host, "holder")
    host.check_output("systemctl stop holder")
    after = state(host)
    assert (after["size"], after["folder"], after["sysctl"], after["swappiness"]) == ({}, False, False, "60")
    assert after["fstab"] == after["fstab before"]
    assert after["oom_kill"] == before["oom_kill"]
    assert not swap(host, state="absent")["changed"]


@pytest.fixture(scope="module")
def brought(host):
    """Have the module with its options on the host, for present and absent, as Ansible runs it."""
    paths = []
    for state in ("present", "absent"):
        host.check_output("rm -rf /root/.ansible/tmp")
        words = ["ansible", host.backend.get_hostname(), "-m", "phpops.webhost.swap_file"]
        words += ["-i", str(Path(__file__).resolve().parents[1] / "inventory")]
        words += ["-a", json.dumps({"state": state, "size_bytes": 64 * MIB, "swappiness": 20})]
        # Only then it comes as a file.
        as_file = {"ANSIBLE_PIPELINING": "false", "ANSIBLE_KEEP_REMOTE_FILES": "true"}
        program = str(Path(sys.executable).parent / words[0])
        done = subprocess.run(
            [program, *words[1:]],
            env={**os.environ, **as_file},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        paths.append(f"/root/{state}.py")
        host.check_output(f"cp /root/.ansible/tmp/*/AnsiballZ_swap_file.py {paths[-1]}")
    return paths


def test_what_a_killed_run_leaves_is_finished_by_the_next(host, brought):
    print(f"PHPOPS_SEED={SEED}")
    said = json.loads(host.check_output(f"python3 /root/kills.py {SEED} {KILLS} {' '.join(brought)}"))
    for kill in said["kills"]:
        print(kill)
    assert said["wrong"] == []
    assert len(said["kills"]) == 2 * KILLS
    assert [name for files, _on, _lines in [said["end"]] for name, _mode, _size in files] == ["phpops-1.swap"]
    assert said["none"] == [[], [], []]
    for kill in said["kills"]:
        assert [mode for _name, mode, _size in kill["left"][0] if mode != "0o600"] == []


def test_a_reset_in_the_middle_of_a_run_leaves_a_host_that_boots(host, brought):
    machine = Machine(host.backend.get_hostname())
    moment = random.Random(SEED).uniform(0, 4)
    machine.ssh(f"systemd-run --quiet python3 {brought[0]}")
    time.sleep(moment)
    print(f"reset {moment:.1f} s after its start, up again in {machine.reset():.0f} s; left: {state(host)}")
    done = swap(host, size_bytes=64 * MIB)
    assert "summary" in done, done
    now = state(host)
    assert now["size"] == {ONE: 64 * MIB}
    assert now["files"] == {"phpops-1.swap": ["0o100600", 64 * MIB + PAGE]}
    assert now["fstab"] == now["fstab before"] + f"{ONE} none swap sw,nofail 0 0\n"
