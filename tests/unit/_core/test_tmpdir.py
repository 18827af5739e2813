# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import tmpdir
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir import Directory, TmpdirError

MIB = 1 << 20
SHARED = Directory("wiki", "fpm", "/dev/shm/phpops-wiki", "wiki", "wiki", 1026, 1007, 64 * MIB)
OWN = dataclasses.replace(SHARED, path="/var/lib/phpops-tmp/wiki")


@pytest.mark.parametrize(
    ("mount", "site", "path", "file"),
    [
        ("shm", "wiki", "/dev/shm/phpops-wiki", "/etc/tmpfiles.d/phpops-wiki.conf"),
        ("own", "wiki", "/var/lib/phpops-tmp/wiki", "/etc/tmpfiles.d/phpops-wiki.conf"),
        ("shm", ".apache2", "/dev/shm/phpops.apache2", "/etc/tmpfiles.d/phpops.apache2.conf"),
        ("own", ".apache2", "/var/lib/phpops-tmp/.apache2", "/etc/tmpfiles.d/phpops.apache2.conf"),
    ],
)
def test_names(mount: str, site: str, path: str, file: str) -> None:
    assert (tmpdir.path_of(mount, site), tmpdir.tmpfiles_path(site)) == (path, file)


def test_the_folder_in_dev_shm_is_roots_and_one_elsewhere_the_sites() -> None:
    assert (SHARED.owner, OWN.owner) == ((0, 1007, 0o1770), (1026, 1007, 0o700))
    assert "d /dev/shm/phpops-wiki 1770 0 1007 1d -\n" in tmpdir.tmpfiles_text(SHARED, "1d", False)
    own = tmpdir.tmpfiles_text(OWN, "12h", True)
    assert "d /var/lib/phpops-tmp/wiki 0700 1026 1007 12h -\n" in own
    assert "d /var/lib/phpops-tmp/wiki/sessions 0700 1026 1007 12h -\n" in own
    assert own.startswith(tmpdir.HEADER + "\n")


def test_only_sites_with_slots_get_a_folder_for_sessions() -> None:
    assert "sessions" not in tmpdir.tmpfiles_text(dataclasses.replace(OWN, kind="php_cgi"), "1d", True)


def test_plain_values_there_and_back() -> None:
    assert tmpdir.directory_of({**SHARED.as_dict(), "more": 1}) == SHARED


@pytest.mark.parametrize("age", ["1d", "12h", "1d12h", "90min", "2w"])
def test_ages(age: str) -> None:
    tmpdir.check_age(age)


@pytest.mark.parametrize("age", ["", "-", "0", "0d", "1 d", "1y", "d", "1d\n", "~1d"])
def test_other_ages_are_refused(age: str) -> None:
    with pytest.raises(TmpdirError, match="give a time such as"):
        tmpdir.check_age(age)


def test_a_size_in_which_nothing_has_room_is_refused() -> None:
    tmpdir.check_size("It", MIB)
    with pytest.raises(TmpdirError, match="It is 1048575 bytes"):
        tmpdir.check_size("It", MIB - 1)


def test_who_shares_a_group() -> None:
    accounts = [("root", 0), ("wiki", 1007), ("web1", 5004), ("shop", 1007)]
    assert tmpdir.sharers("wiki", 1007, accounts, ["ftp", "wiki"]) == ["ftp", "shop"]
    assert tmpdir.sharers("web1", 5004, accounts, []) == []


def test_a_shared_group_is_refused_in_dev_shm_alone() -> None:
    tmpdir.refuse_sharers(OWN, ["shop"])
    tmpdir.refuse_sharers(SHARED, [])
    with pytest.raises(TmpdirError, match="group wiki is also the group of shop, who could read"):
        tmpdir.refuse_sharers(SHARED, ["shop"])
    apache = dataclasses.replace(SHARED, site=".apache2", kind="web_server", group="www-data")
    with pytest.raises(
        TmpdirError, match=r"^Apache: its group www-data is also .*tmpdir_mount: own.*tmpdir_web_server"
    ):
        tmpdir.refuse_sharers(apache, ["deploy"])


@pytest.mark.parametrize(
    ("used", "first", "said"),
    [
        (65 * MIB, False, "more than the new size"),
        (33 * MIB, True, "tmpdir_size_bytes: 69206016"),
        (65 * MIB, True, "mo"),
    ],
)
def test_a_crowded_dev_shm_is_refused(used: int, first: bool, said: str) -> None:
    with pytest.raises(TmpdirError, match=said):
        tmpdir.refuse_crowded(64 * MIB, used, first)


def test_a_dev_shm_with_room_is_not() -> None:
    tmpdir.refuse_crowded(64 * MIB, 32 * MIB, True)
    tmpdir.refuse_crowded(64 * MIB, 64 * MIB, False)


def test_a_memory_limit_that_pays_for_the_files_is_told() -> None:
    assert tmpdir.warnings(SHARED) == []
    assert tmpdir.warnings(dataclasses.replace(SHARED, memory_max_bytes=128 * MIB)) == []
    said = tmpdir.warnings(dataclasses.replace(SHARED, memory_max_bytes=96 * MIB))
    assert said == [
        "Site wiki: its memory limit of 96 MiB also pays for its files in /dev/shm/phpops-wiki, which may grow to"
        " 64 MiB."
    ]
