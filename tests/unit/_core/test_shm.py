# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import procmaps, shm

MIB = 1024 * 1024


def _maps(inode: int, size: int = 64 * MIB, path: str = "/dev/zero (deleted)") -> list[procmaps.Mapping]:
    return procmaps.shared_mappings(f"{MIB:x}-{MIB + size:x} rw-s 00000000 00:01 {inode} {path}\n")


def _process(pid: int, name: str, parent: int = 1, inode: int | None = None, **more: object) -> shm.Process:
    mappings = [] if inode is None else _maps(inode)
    return shm.Process(pid=pid, parent=parent, name=name, **{"mappings": mappings, "swap_bytes": 0, **more})


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("php-cgi", "php-cgi"),
        ("php-cgi8.2", "php-cgi"),
        ("php5-cgi", "php-cgi"),
        ("php72-cgi", "php-cgi"),
        ("php.fcgi", "php-cgi"),
        ("php-fpm8.4", "php-fpm"),
        ("php-fpm", "php-fpm"),
        ("php5-fpm", "php-fpm"),
        ("php", "php-cli"),
        ("php8.2", "php-cli"),
        ("apache2", "apache"),
        ("httpd", "apache"),
        ("httpd.worker", "apache"),
        ("nginx", "nginx"),
        ("phpmyadmin-sync", "other"),
        ("sshd", "other"),
        ("", "other"),
    ],
)
def test_kind_by_name(name: str, kind: str) -> None:
    assert shm.kind_of(name) == kind


def test_apache_with_libphp_is_mod_php() -> None:
    assert shm.kind_of("apache2", has_libphp=True) == "mod_php"
    assert shm.kind_of("nginx", has_libphp=True) == "nginx"


def test_eleven_php_cgi_hold_eleven_segments_and_one_master_holds_one() -> None:
    cgi = [_process(100 + number, "php-cgi8.2", parent=50, inode=500 + number) for number in range(11)]
    title = "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)"
    master = _process(200, "php-fpm8.2", inode=900, title=title, unit="php8.2-fpm.service")
    workers = [_process(201 + n, "php-fpm8.2", parent=200, inode=900, title="php-fpm: pool www") for n in range(11)]
    groups = shm.group_processes([*cgi, master, *workers, _process(50, "apache2")])
    segments = shm.find_segments(groups)
    facts = {group["name"]: group for group in map(shm.describe_group, groups)}
    assert list(facts) == ["php-cgi", "php-fpm: php8.2-fpm.service", "apache2"]
    assert (facts["php-cgi"]["opcache_segments"], facts["php-cgi"]["opcache_bytes"]) == (11, 704 * MIB)
    fpm = facts["php-fpm: php8.2-fpm.service"]
    assert (fpm["processes"], fpm["opcache_segments"], fpm["opcache_bytes"]) == (12, 1, 64 * MIB)
    assert (fpm["master_pid"], fpm["pools"], fpm["config"]) == (200, ["www"], "/etc/php/8.2/fpm/php-fpm.conf")
    assert facts["apache2"]["segments_bytes"] == 0
    assert shm.segment_sums(segments, True)["opcache_bytes"] == 768 * MIB


def test_masters_are_told_apart() -> None:
    first = _process(10, "php-fpm8.2", title="php-fpm: master process (/etc/a.conf)", inode=1)
    second = _process(20, "php-fpm8.2", title="php-fpm: master process (/etc/a.conf)", inode=2)
    worker = _process(21, "php-fpm8.2", parent=20, inode=2)
    child_of_worker = _process(22, "php-fpm8.2", parent=21, inode=2)
    groups = shm.group_processes([first, second, worker, child_of_worker])
    assert [group.name for group in groups] == ["php-fpm: /etc/a.conf", "php-fpm: /etc/a.conf (pid 20)"]
    assert [len(group.processes) for group in groups] == [1, 3]


def test_what_cannot_be_read_is_null_never_zero() -> None:
    closed = _process(30, "php-cgi", mappings=None, reason="May not be read.")
    group = shm.describe_group(shm.group_processes([closed, _process(31, "php-cgi", inode=5)])[0])
    assert (group["readable"], group["unreadable_processes"], group["reason"]) == (False, 1, "May not be read.")
    for key in ("segments", "segments_bytes", "opcache_segments", "opcache_bytes", "resident_bytes", "pss_bytes"):
        assert group[key] is None, key


def test_a_segment_of_two_groups_counts_once_in_the_total() -> None:
    groups = shm.group_processes([_process(1, "nginx", inode=7), _process(2, "php-cgi", inode=7)])
    segments = shm.find_segments(groups)
    assert len(segments) == 1
    assert segments[0].groups == ["php-cgi", "nginx"]
    assert [shm.describe_group(group)["segments_bytes"] for group in groups] == [64 * MIB, 64 * MIB]
    assert shm.segment_sums(segments, True)["segments_bytes"] == 64 * MIB


def test_an_anonymous_inode_and_a_sysv_id_of_one_number_are_two_segments() -> None:
    both = [*_maps(0), *_maps(0, path="/SYSV0052e2c1 (deleted)")]
    groups = shm.group_processes([_process(1, "postgres", mappings=both)])
    assert sorted(segment.backing for segment in shm.find_segments(groups)) == ["anonymous", "sysv"]


def test_sysv_ids_of_two_ipc_namespaces_are_two_segments() -> None:
    maps = _maps(0, path="/SYSV00000001 (deleted)")
    groups = shm.group_processes(
        [
            _process(1, "a", mappings=maps, ipc_namespace="ipc:[1]"),
            _process(2, "b", mappings=maps, ipc_namespace="ipc:[2]"),
        ]
    )
    assert len(shm.find_segments(groups)) == 2


def test_resident_is_null_when_one_segment_is_unknown() -> None:
    groups = shm.group_processes([_process(1, "php-cgi", inode=1), _process(2, "php-cgi", inode=2)])
    segments = shm.find_segments(groups)
    segments[0].resident_bytes = 4096
    assert shm.describe_group(groups[0])["resident_bytes"] is None
    segments[1].resident_bytes = 8192
    assert shm.describe_group(groups[0])["resident_bytes"] == 12288
