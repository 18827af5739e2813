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

testinfra_hosts = ["ansible://vm-swap-debian12"]

MIB, PAGE = 1 << 20, 4096
HELD_MIB, OUT_MIB = 220, 200
FOLDER = "/var/lib/phpops-swap"
ONE, TWO = (f"{FOLDER}/phpops-{number}.swap" for number in (1, 2))
SEED = int(os.environ.get("PHPOPS_SEED") or random.SystemRandom().randrange(1 << 32))
KILLS = int(os.environ.get("PHPOPS_KILLS") or 4)


def swap(host, check=False, **options):
    return host.ansible("phpops.webhost.swap_file", json.dumps({"swappiness": 20, **options}), check=check)


def areas(host):
    """Return {path: (size, used)} of what is on, in bytes."""
    rows = [line.split() for line in host.check_output("cat /proc/swaps").splitlines()[1:]]
    return {row[0]: (int(row[2]) << 10, int(row[3]) << 10) for row in rows}


def vmstat(host, name):
    return int(host.check_output(f"sed -n 's/^{name} //p' /proc/vmstat"))


def memory(host, name):
    return int(host.check_output(f"sed -n 's/^{name}: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo")) << 10


def says(host, name, begin):
    """Wait for what a holder says, and return it."""
    for _turn in range(240):
        text = host.run(f"cat /run/{name}.says").stdout
        if text.startswith(begin):
            return text
        time.sleep(0.5)
    raise AssertionError(f"{name} says {text!r}")


def hold(host, name, size_mib):
    """Start a process that holds so much memory."""
    host.check_output(f"rm -f /run/{name}.says")
    host.check_output(f"systemd-run --quiet --unit={name} python3 /root/holder.py {size_mib} /run/{name}.says")
    says(host, name, "ready")


def intact(host, name):
    """Let it read all of its memory, and compare."""
    host.check_output(f"rm /run/{name}.says; systemctl kill --signal=USR1 {name}")
    pages = HELD_MIB * MIB // PAGE
    assert says(host, name, "wrong") == f"wrong 0 of {pages}"


def push_out(host, name, size_mib):
    """Have the kernel swap so much of a unit's memory out (memory.reclaim of cgroup v2)."""
    group = "/sys/fs/cgroup" + host.check_output(f"systemctl show --property=ControlGroup --value {name}")
    out = f"sed -n 's/^anon //p' {group}/memory.stat"
    for _turn in range(20):
        left = int(host.check_output(out)) - (HELD_MIB - size_mib) * MIB
        if left <= 0:
            return
        # It says EAGAIN where it got less than it was asked for.
        host.run(f"echo {left + MIB} > {group}/memory.reclaim")
    raise AssertionError(f"{name} still has {left} bytes more in memory than it should")


def test_the_role_gave_it_what_was_asked_for(host):
    assert {path: size for path, (size, _used) in areas(host).items()} == {ONE: 256 * MIB}
    file = host.file(ONE)
    assert (file.mode, file.user, file.size) == (0o600, "root", 256 * MIB + PAGE)
    assert host.check_output("diff /root/fstab.before /etc/fstab | sed -n 's/^[<>] //p'; true") == (
        f"{ONE} none swap sw,nofail 0 0"
    )
    assert host.check_output("cat /proc/sys/vm/swappiness") == "20"
    assert host.check_output("findmnt --verify | tail -1").startswith("0 parse errors, 0 errors")


def test_a_dry_run_says_what_would_be_added_and_adds_nothing(host):
    told = swap(host, check=True, size_bytes=1024 * MIB, swappiness=30)
    assert told["changed"]
    assert told["built"] == [{"path": TWO, "size_bytes": 768 * MIB + PAGE}]
    assert list(areas(host)) == [ONE]
    assert not host.file(TWO).exists
    assert TWO not in host.file("/etc/fstab").content_string
    assert host.check_output("cat /proc/sys/vm/swappiness") == "20"


def test_it_grows_while_it_is_in_use(host):
    killed = vmstat(host, "oom_kill")
    hold(host, "holder", HELD_MIB)
    push_out(host, "holder", OUT_MIB)
    used = areas(host)[ONE][1]
    assert used >= OUT_MIB * MIB
    back = vmstat(host, "pswpin")
    done = swap(host, size_bytes=1024 * MIB)
    print(f"{used >> 20} MiB in use; pages read back meanwhile: {vmstat(host, 'pswpin') - back}; {done['summary']}")
    assert done["changed"] and not done["switched_off"]
    now = areas(host)
    assert [size for size, _used in now.values()] == [256 * MIB, 768 * MIB]
    # What was swapped out stayed out.
    assert now[ONE][1] > used - 20 * MIB
    intact(host, "holder")
    assert vmstat(host, "oom_kill") == killed
    assert not swap(host, size_bytes=1024 * MIB)["changed"]


def test_it_is_refused_to_take_away_what_does_not_fit_into_memory(host):
    killed = vmstat(host, "oom_kill")
    push_out(host, "holder", OUT_MIB)
    hold(host, "eater", memory(host, "MemAvailable") // MIB - 150)
    told = swap(host, state="absent")
    print(told["msg"])
    assert told["failed"]
    assert "are in 2 swap files of this role, and of the" in told["msg"]
    assert list(areas(host)) == [ONE, TWO]
    assert host.file("/etc/fstab").content_string.count("phpops-") == 2
    host.check_output("systemctl stop eater")
    assert vmstat(host, "oom_kill") == killed


def test_it_is_there_after_a_reboot(host):
    machine = Machine(host.backend.get_hostname())
    print(f"rebooted in {machine.reboot():.0f} s")
    assert sorted(size for size, _used in areas(host).values()) == [256 * MIB, 768 * MIB]
    assert host.check_output("cat /proc/sys/vm/swappiness") == "20"
    assert not swap(host, size_bytes=1024 * MIB)["changed"]


def test_absent_gives_all_back(host):
    killed = vmstat(host, "oom_kill")
    hold(host, "holder", HELD_MIB)
    push_out(host, "holder", OUT_MIB)
    used = sum(used for _size, used in areas(host).values())
    started = time.monotonic()
    told = swap(host, state="absent")
    print(f"{used >> 20} MiB read back in {time.monotonic() - started:.1f} s")
    assert told["changed"], told
    intact(host, "holder")
    host.check_output("systemctl stop holder")
    assert vmstat(host, "oom_kill") == killed
    assert areas(host) == {}
    assert not host.file(FOLDER).exists
    assert not host.file("/etc/sysctl.d/60-phpops-swap.conf").exists
    assert host.check_output("cat /proc/sys/vm/swappiness") == "60"
    host.check_output("cmp /root/fstab.before /etc/fstab")
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
    print(f"reset {moment:.1f} s after its start, up again in {machine.reset():.0f} s; left: {areas(host)}")
    done = swap(host, size_bytes=64 * MIB)
    assert not done.get("failed"), done
    assert {path: size for path, (size, _used) in areas(host).items()} == {ONE: 64 * MIB}
    assert [file for file in host.file(FOLDER).listdir() if file != "phpops-1.swap"] == []
