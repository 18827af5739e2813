# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads made-up and real /proc folders: processes, limits, and what the facts and the budget make of them."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import memory_limits
from ansible_collections.phpops.webhost.plugins.module_utils._host import memory_limits as host_limits
from ansible_collections.phpops.webhost.plugins.module_utils._host.budget import measure
from ansible_collections.phpops.webhost.plugins.module_utils._host.memory import Paths
from ansible_collections.phpops.webhost.plugins.module_utils._host.proc import scan
from ansible_collections.phpops.webhost.plugins.module_utils._host.shm_facts import shm_facts

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
MIB = 1024 * 1024
BEANCOUNTERS = """Version: 2.5
       uid  resource                     held              maxheld              barrier                limit  failcnt
      101:  kmemsize                  2670652              4000000             14372700             14790164        0
            shmpages                   247122               262144               262144               262144    10067
            physpages                  600000               900000                    0              2359296        0
            numfile                       200                  300                 9312                 9312        0
"""


def add_process(proc: Path, pid: int, name: str, parent: int = 1, maps: str | None = "", **files: str) -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    memory = "VmSize:\t  9000 kB\nVmSwap:\t  12 kB\nRssAnon:\t  4096 kB\n"
    (folder / "status").write_text(f"Name:\t{name}\nPPid:\t{parent}\nUid:\t33\t33\t33\t33\n{memory}")
    if maps is None:
        (folder / "maps").mkdir()
    else:
        (folder / "maps").write_text(maps)
    for file, text in {"cmdline": name, "cgroup": "", "smaps_rollup": "Pss:   2048 kB\n", **files}.items():
        (folder / file).write_text(text)


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A copy of a host: 11 php-cgi with a segment each, one php-fpm master with two workers, a kernel thread."""
    folder = tmp_path / "proc"
    cgi = (FIXTURES / "procmaps" / "01-php82-cgi-64.maps").read_text()
    fpm = (FIXTURES / "procmaps" / "03-php82-fpm-master-debian-default.maps").read_text()
    for number in range(11):
        add_process(folder, 100 + number, "php-cgi8.2", 50, cgi.replace("00:01 552 ", f"00:01 {700 + number} "))
    unit = "0::/system.slice/phpops-fpm@wiki-blue.service\n"
    title = "php-fpm: master process (/etc/phpops/wiki/blue/fpm.conf)\0"
    add_process(folder, 200, "php-fpm8.2", 1, fpm, cgroup=unit, cmdline=title)
    for pid in (201, 202):
        add_process(folder, pid, "php-fpm8.2", 200, fpm, cgroup=unit, cmdline="php-fpm: pool wiki\0")
    add_process(folder, 50, "apache2", 1, "")
    (folder / "2").mkdir()
    (folder / "2" / "status").write_text("Name:\tkthreadd\nPPid:\t0\n")
    (folder / "sys" / "vm").mkdir(parents=True)
    (folder / "sys" / "vm" / "overcommit_memory").write_text("2\n")
    (folder / "meminfo").write_text(
        "MemTotal: 10485760 kB\nMemAvailable: 9437184 kB\nShmem: 1024 kB\n"
        "CommitLimit: 4194304 kB\nCommitted_AS: 1048576 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n"
    )
    (folder / "user_beancounters").write_text(BEANCOUNTERS)
    (folder / "sysvipc").mkdir()
    (folder / "sysvipc" / "shm").write_text(
        "key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap\n"
        "5 9 600 4194304 50 50 0 33 33 0 0 0 0 0 1048576 0\n"
    )
    (folder / "self").mkdir()
    (folder / "self" / "mountinfo").write_text("25 24 0:23 / /dev/shm rw - tmpfs tmpfs rw,size=65536k\n")
    return folder


def test_facts_of_a_copied_host(proc: Path, tmp_path: Path) -> None:
    facts: Any = shm_facts(Paths(proc=str(proc), shm=str(tmp_path / "none")), 5)
    assert (facts["available"], facts["reason"]) == (True, None)
    assert facts["processes"] == {"seen": 15, "kernel_threads": 1, "vanished": 0, "unreadable": 0, "hidden": False}
    groups = {group["name"]: group for group in facts["groups"]}
    cgi, fpm = groups["php-cgi"], groups["php-fpm: phpops-fpm@wiki-blue.service"]
    assert (cgi["processes"], cgi["opcache_segments"], cgi["opcache_bytes"]) == (11, 11, 704 * MIB)
    assert (fpm["processes"], fpm["opcache_segments"], fpm["opcache_bytes"]) == (3, 1, 128 * MIB)
    assert fpm["config"] == "/etc/phpops/wiki/blue/fpm.conf"
    assert cgi["pss_bytes"] == 11 * 2 * MIB
    assert cgi["swap_bytes"] == 11 * 12 * 1024
    assert cgi["resident_bytes"] is None, "a copy has no map_files: unknown, not zero"
    assert len(facts["segments"]) == 5
    assert facts["totals"]["opcache_bytes"] == (704 + 128) * MIB
    assert facts["sysv"]["bytes"] == 4 * MIB
    assert facts["posix"]["available"] is False
    assert facts["tmpfs"][0]["size_bytes"] is None
    assert facts["memory"]["overcommit_memory"] == 2
    limits = {limit["name"]: limit for limit in facts["limits"]}
    assert set(limits) == {"shmpages", "physpages", "commit_limit", "ram", "tmpfs"}
    assert limits["shmpages"]["headroom_bytes"] == (262144 - 247122) * 4096
    assert (limits["shmpages"]["kind"], limits["physpages"]["kind"]) == ("reserved", "touched")
    assert limits["physpages"]["limit_bytes"] == 2359296 * 4096
    assert limits["commit_limit"]["headroom_bytes"] == 3072 * MIB
    assert limits["ram"]["used_bytes"] == 1024 * MIB


def test_private_memory_is_told_by_user(proc: Path) -> None:
    add_process(proc, 120, "php-cgi8.2", 50)
    memory = "VmSize:\t9 kB\nVmSwap:\t 1024 kB\n"
    (proc / "120" / "status").write_text(f"Name:\tphp-cgi8.2\nPPid:\t50\nUid:\t0\t0\t0\t0\n{memory}")
    facts: Any = shm_facts(Paths(proc=str(proc)), 5)
    (cgi,) = [group for group in facts["groups"] if group["name"] == "php-cgi"]
    others = {"uid": 33, "processes": 11, "anon_bytes": 11 * 4 * MIB, "swap_bytes": 11 * 12 * 1024}
    root = {"uid": 0, "processes": 1, "anon_bytes": 0, "swap_bytes": MIB}
    # The accounts of a copy's host are not known here.
    assert cgi["users"] == [{"user": None, **others}, {"user": None, **root}]


def test_the_users_of_this_host_have_names() -> None:
    facts: Any = shm_facts(Paths(), 1)
    names = {user["user"] for group in facts["groups"] for user in group["users"] if user["uid"] == 0}
    assert names <= {"root"}


def test_temporary_files_of_the_web_server_are_found_with_their_file_system(proc: Path) -> None:
    mounts = "1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 0:9 / /dev/shm rw - tmpfs tmpfs rw\n"
    for pid, environ in ((50, b"LANG=C\0TMPDIR=/dev/shm/phpops.apache2\0"), (100, b"LANG=C\0"), (101, b"TMPDIR=\0")):
        (proc / str(pid) / "environ").write_bytes(environ)
        (proc / str(pid) / "mountinfo").write_text(mounts)
    facts: Any = shm_facts(Paths(proc=str(proc)), 5)
    found = {group["name"]: group["temp_folders"] for group in facts["groups"]}
    assert found["apache2"] == [{"path": "/dev/shm/phpops.apache2", "fstype": "tmpfs", "processes": 1}]
    assert found["php-cgi"] == [{"path": "/tmp", "fstype": "ext4", "processes": 2}]
    assert found["php-fpm: phpops-fpm@wiki-blue.service"] is None


def test_old_caches_of_compiled_code_are_seen_in_the_maps(proc: Path) -> None:
    file = "7f0000000000-7f0000001000 r-xp 00000000 08:01 77   /usr/lib/php/20131226/{}.so\n"
    add_process(proc, 300, "php5-cgi", 50, file.format("opcache") + file.format("xcache"))
    add_process(proc, 301, "php5-cgi", 50, file.format("apc"))
    add_process(proc, 302, "php-cgi8.2", 50, file.format("apc") + file.format("apcu") + file.format("opcache"))
    add_process(proc, 303, "mysqld", 1, file.format("apc"))
    facts: Any = shm_facts(Paths(proc=str(proc)), 5)
    found = {group["name"]: group["opcode_caches"] for group in facts["groups"]}
    assert found["php-cgi"] == [
        {"name": "APC", "processes": 1, "beside_opcache": 0},
        {"name": "XCache", "processes": 1, "beside_opcache": 1},
    ]
    assert found["other"] == []


def test_the_budget_of_a_copied_host(proc: Path) -> None:
    host = measure(Paths(proc=str(proc)))
    assert [limit.name for limit in host.limits] == ["shmpages", "physpages", "commit_limit", "ram"]
    assert host.php_cgi is not None
    assert (host.php_cgi.processes, host.php_cgi.segment_bytes) == (11, 704 * MIB)
    assert host.php_cgi.private_bytes == 11 * 4 * MIB
    assert [(master.unit, master.segment_bytes) for master in host.masters] == [
        ("phpops-fpm@wiki-blue.service", 128 * MIB)
    ]
    assert ("SysV segments that nobody is attached to", "sysv", 4 * MIB, MIB) in host.others
    assert host.unknown == ("tmpfs /dev/shm: The mount is another host's.",)


def test_a_process_whose_maps_cannot_be_read_makes_its_group_unreadable(proc: Path) -> None:
    add_process(proc, 300, "php-cgi8.2", 50, None)
    facts: Any = shm_facts(Paths(proc=str(proc)), 5)
    cgi = next(group for group in facts["groups"] if group["name"] == "php-cgi")
    assert (cgi["readable"], cgi["unreadable_processes"], cgi["opcache_bytes"]) == (False, 1, None)
    assert cgi["reason"]
    assert facts["totals"]["segments_bytes"] is None
    assert facts["reason"].startswith("1 of 16 processes: ")
    assert measure(Paths(proc=str(proc))).unknown[0].startswith("The shared memory of 1 process.")


def test_a_process_that_ends_while_it_is_read_is_counted(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: [*real(path), "999"])
    found = scan(str(proc))
    assert (found.vanished, len(found.processes)) == (1, 15)


def test_no_proc_folder_is_not_available(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path):
        facts = shm_facts(Paths(proc=str(path)), 5)
        assert facts["available"] is False
        assert str(path) in str(facts["reason"])


def test_this_process_s_own_segment_is_found_and_its_touched_pages_counted() -> None:
    with mmap.mmap(-1, 16 * MIB) as area:
        area[: 5 * MIB] = b"x" * (5 * MIB)
        facts: Any = shm_facts(Paths(), 1000)
        own = [
            segment for segment in facts["segments"] if segment["bytes"] == 16 * MIB and "other" in segment["groups"]
        ]
        assert [segment["resident_bytes"] for segment in own] == [5 * MIB]
        assert own[0]["resident_source"] in ("map_files", "smaps")


def test_posix_segments_are_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    with (tmp_path / "sub" / "sparse").open("wb") as file:
        file.truncate(8 * MIB)
    facts: Any = shm_facts(Paths(shm=str(tmp_path)), 5)
    posix = facts["posix"]
    assert (posix["count"], posix["bytes"], posix["resident_bytes"]) == (1, 8 * MIB, 0)
    assert posix["files"][0]["path"].endswith("sub/sparse")


def test_beancounters_that_cannot_be_read_are_a_limit_that_is_not_known(tmp_path: Path) -> None:
    folder = tmp_path / "user_beancounters"
    folder.mkdir()
    limits = host_limits.beancounter_limits(str(folder), 4096)
    assert [(limit.name, limit.readable, limit.limit_bytes) for limit in limits] == [("shmpages", False, None)]
    assert limits[0].reason
    assert host_limits.beancounter_limits(str(tmp_path / "none"), 4096) == []


def _cgroup(folder: Path, **values: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in values.items():
        (folder / name.replace("_", ".", 1)).write_text(value)


def test_limits_of_cgroup_v2(tmp_path: Path) -> None:
    stat = f"anon 1\ninactive_file {100 * MIB}\nactive_file 0\n"
    _cgroup(tmp_path, memory_max="max\n", memory_current="1\n", memory_stat=stat)
    size = f"{1024 * MIB}\n"
    _cgroup(tmp_path / "system.slice", memory_max=size, memory_current=f"{600 * MIB}\n", memory_stat=stat)
    service = tmp_path / "system.slice" / "a.service"
    _cgroup(service, memory_max=f"{64 * MIB}\n", memory_current="0\n", memory_stat="")
    mount = memory_limits.Mount("0:1", "/", str(tmp_path), "rw", "cgroup2", "rw")
    limits = host_limits.cgroup_limits([mount], "0::/user.slice\n", {"a.service": "0::/system.slice/a.service\n"})
    assert [(limit.scope, limit.path, limit.limit_bytes, limit.used_bytes) for limit in limits] == [
        ("host", f"{tmp_path}/system.slice", 1024 * MIB, 500 * MIB),
        ("unit", str(service), 64 * MIB, 0),
    ]


def test_limits_of_cgroup_v1_in_a_container(tmp_path: Path) -> None:
    _cgroup(
        tmp_path,
        memory_limit_in_bytes=f"{512 * MIB}\n",
        memory_usage_in_bytes=f"{300 * MIB}\n",
        memory_stat=f"total_inactive_file {50 * MIB}\ntotal_active_file 0\n",
    )
    mount = memory_limits.Mount("0:1", "/libpod/abc", str(tmp_path), "rw", "cgroup", "rw,memory")
    limits = host_limits.cgroup_limits([mount], "4:memory:/libpod/abc\n", {})
    assert [(limit.scope, limit.headroom_bytes) for limit in limits] == [("host", 262 * MIB)]


def test_a_cgroup_file_without_a_number_is_not_known(tmp_path: Path) -> None:
    _cgroup(tmp_path, memory_max="much\n", memory_current="1\n", memory_stat="")
    mount = memory_limits.Mount("0:1", "/", str(tmp_path), "rw", "cgroup2", "rw")
    limits = host_limits.cgroup_limits([mount], "0::/\n", {})
    assert [(limit.readable, limit.limit_bytes) for limit in limits] == [(False, None)]


def test_a_tmpfs_that_is_mounted_twice_counts_once() -> None:
    mounts = [
        memory_limits.Mount("0:9", "/", "/dev/shm", "rw", "tmpfs", "rw"),
        memory_limits.Mount("0:9", "/", "/srv/again", "rw", "tmpfs", "rw"),
        memory_limits.Mount("0:8", "/null", "/proc/keys", "rw", "tmpfs", "rw"),
        memory_limits.Mount("0:7", "/", "/no/such/mount", "rw", "tmpfs", "rw"),
    ]
    found = host_limits.tmpfs_mounts(mounts)
    assert [mount["path"] for mount in found] == ["/dev/shm", "/no/such/mount"]
    assert found[1]["size_bytes"] is None
    assert found[1]["reason"]
