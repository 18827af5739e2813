# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import contextlib

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import memory_limits
from hypothesis import given
from hypothesis import strategies as st

MOUNTS = r"""24 27 0:6 / /dev rw,relatime - devtmpfs devtmpfs rw,size=12334460k,mode=755
25 24 0:23 / /dev/shm rw,relatime - tmpfs tmpfs rw,size=65536k
26 24 0:24 / /mnt/with\040blank rw,relatime shared:7 master:1 - tmpfs none rw
35 31 0:32 /libpod/abc /sys/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory
536 535 0:89 / /proc rw,nosuid - proc proc rw,hidepid=invisible
not a line
"""
V1 = "9:name=systemd:/system.slice/phpops-fpm@wiki-blue.service\n4:memory:/libpod/abc\n2:cpu,cpuacct:/x\n0::/y\n"


def test_mountinfo() -> None:
    mounts = memory_limits.parse_mountinfo(MOUNTS)
    assert [(mount.path, mount.fstype) for mount in mounts] == [
        ("/dev", "devtmpfs"),
        ("/dev/shm", "tmpfs"),
        ("/mnt/with blank", "tmpfs"),
        ("/sys/fs/cgroup/memory", "cgroup"),
        ("/proc", "proc"),
    ]
    assert mounts[3].root == "/libpod/abc"
    assert mounts[1].super_options == "rw,size=65536k"


@pytest.mark.parametrize(("device", "expected"), [("0:23", "00:17"), ("254:1", "fe:01"), ("x", ""), ("", "")])
def test_device_as_maps_prints_it(device: str, expected: str) -> None:
    assert memory_limits.hex_device(device) == expected


@pytest.mark.parametrize(
    ("option", "hidden"),
    [("hidepid=2", True), ("hidepid=invisible", True), ("hidepid=4", True), ("hidepid=0", False), ("hidepid=1", False)],
)
def test_hidepid(option: str, hidden: bool) -> None:
    mounts = memory_limits.parse_mountinfo(f"1 2 0:1 / /proc rw - proc proc rw,{option}\n")
    assert memory_limits.hides_processes(mounts) is hidden


@pytest.mark.parametrize(
    ("controller", "path"), [("memory", "/libpod/abc"), ("cpuacct", "/x"), ("", "/y"), ("pids", None)]
)
def test_cgroup_path(controller: str, path: str | None) -> None:
    assert memory_limits.cgroup_path(V1, controller) == path


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        (V1, "phpops-fpm@wiki-blue.service"),
        ("0::/system.slice/php8.2-fpm.service\n", "php8.2-fpm.service"),
        ("0::/system.slice/system-phpops\\x2dfpm.slice/phpops-fpm@a-blue.service\n", "phpops-fpm@a-blue.service"),
        ("0::/user.slice/user-0.slice/session-4.scope\n", "session-4.scope"),
        ("0::/user.slice/user-1.slice/user@1.service/app.slice/x.scope\n", "user@1.service"),
        ("0::/\n", None),
        ("", None),
    ],
)
def test_unit(text: str, unit: str | None) -> None:
    assert memory_limits.unit_of(text) == unit


@pytest.mark.parametrize(
    ("text", "value"), [("max\n", None), ("9223372036854771712\n", None), ("104857600\n", 104857600), ("0\n", 0)]
)
def test_cgroup_value(text: str, value: int | None) -> None:
    assert memory_limits.parse_cgroup_bytes(text) == value


def test_cgroup_value_of_no_number_is_an_error() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        memory_limits.parse_cgroup_bytes("lots\n")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("anon 5\nfile 900\nshmem 100\ninactive_file 300\nactive_file 200\n", 500),
        ("cache 9\ninactive_file 1\nactive_file 1\ntotal_inactive_file 40\ntotal_active_file 2\n", 42),
        ("", 0),
        ("inactive_file lots\nactive_file 7\n", 7),
    ],
)
def test_page_cache_of_a_cgroup(text: str, size: int) -> None:
    assert memory_limits.page_cache_bytes(text) == size


def test_sysvipc() -> None:
    header = "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid"
    new = header + "      atime      dtime      ctime                   rss                  swap\n"
    row = "        -1         65   600              33554432   528   529      2    33    33     0     0"
    assert memory_limits.parse_sysvipc_shm(new + row + " 1 2 3 2097152 4096\ncut off\n") == [
        {
            "shmid": 65,
            "key": -1,
            "bytes": 33554432,
            "resident_bytes": 2097152,
            "swap_bytes": 4096,
            "attached": 2,
            "creator_pid": 528,
            "uid": 33,
        }
    ]
    assert "resident_bytes" not in memory_limits.parse_sysvipc_shm(header + "\n" + row + "\n")[0]


def test_headroom() -> None:
    limit = memory_limits.Limit("ram", "touched", "host", "/x", 100, 130, "test")
    assert limit.headroom_bytes == 0
    assert memory_limits.Limit("ram", "touched", "host", "/x", None, 130, "test").as_dict()["headroom_bytes"] is None


@given(st.binary(max_size=600))
def test_any_bytes_never_crash(raw: bytes) -> None:
    text = raw.decode("utf-8", errors="replace")
    memory_limits.parse_mountinfo(MOUNTS + text)
    memory_limits.unit_of(text)
    memory_limits.parse_sysvipc_shm("key shmid size\n" + text)
    memory_limits.page_cache_bytes(text)
    with contextlib.suppress(ValueError):
        memory_limits.parse_cgroup_bytes(text)


@pytest.mark.parametrize(
    ("path", "fstype"),
    [("/tmp/x", "tmpfs"), ("/tmp", "tmpfs"), ("/tmpx", "ext4"), ("/", "ext4"), ("/dev/shm/a/b", "xfs"), ("x", None)],
)
def test_a_path_is_on_the_nearest_mount_and_the_one_on_top(path: str, fstype: str | None) -> None:
    lines = ["1 0 8:1 / / rw - ext4 a rw", "2 1 0:9 / /tmp rw - tmpfs t rw", "3 1 0:8 / /dev/shm rw - tmpfs t rw"]
    mounts = memory_limits.parse_mountinfo("\n".join([*lines, "4 3 8:2 / /dev/shm rw - xfs b rw"]))
    found = memory_limits.mount_of(mounts, path)
    assert (found.fstype if found else None) == fstype
