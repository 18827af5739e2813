# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.fstab import parse_fstab
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir_fstab import (
    FstabRefused,
    managed,
    mounted_options,
    own_entry,
    put,
    shared_entry,
    size_option,
    take,
)
from hypothesis import given
from hypothesis import strategies as st

SHM = "/dev/shm"
ROOT = "UUID=1 / ext4 errors=remount-ro 0 1\n"
OLD = "tmpfs /dev/shm tmpfs defaults,noexec,nosuid,size=1g 0 0"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ROOT,
        ROOT.rstrip("\n"),
        f"{OLD}\n{ROOT}",
        f"{ROOT}{OLD}",
        f"# a comment\n\n{ROOT}{OLD}\n\n",
        f"{ROOT}\t{OLD}   \n",
    ],
)
def test_there_and_back(text: str) -> None:
    entry = shared_entry(text, SHM, 64 << 20)
    new = put(text, SHM, entry, "nosuid,nodev,exec,size=50%")
    assert [one.options for one in parse_fstab(new) if one.target == SHM] == [tuple(entry.split()[3].split(","))]
    assert managed(new)[SHM].mounted == "nosuid,nodev,exec,size=50%"
    # A second run, and one with another size, keep what was there first.
    assert put(new, SHM, shared_entry(new, SHM, 64 << 20), "other") == new
    larger = put(new, SHM, shared_entry(new, SHM, 128 << 20), "other")
    assert [one.options[-1] for one in parse_fstab(larger) if one.target == SHM] == ["size=128m"]
    assert managed(larger)[SHM].mounted == "nosuid,nodev,exec,size=50%"
    assert take(larger, SHM) == text


def test_the_options_of_an_older_entry_stay() -> None:
    assert shared_entry(OLD + "\n", SHM, 64 << 20) == "tmpfs /dev/shm tmpfs noexec,nosuid,nodev,size=64m 0 0"
    assert shared_entry(ROOT, SHM, 1000) == "tmpfs /dev/shm tmpfs nosuid,nodev,size=1000 0 0"
    assert "noexec,nosuid" in shared_entry(ROOT, SHM, 1000, "suid,dev,noexec,size=50%")


def test_two_entries_for_one_place_are_refused() -> None:
    with pytest.raises(FstabRefused, match="lines 1 and 3"):
        put(f"{OLD}\n{ROOT}{OLD}\n", SHM, "x", "")


def test_several_own_mounts_do_not_touch_each_other() -> None:
    text = ROOT
    for site in ("a", "b"):
        text = put(text, f"/t/{site}", own_entry(f"/t/{site}", 1 << 20, 7, 8, "0700"), "")
    assert sorted(managed(text)) == ["/t/a", "/t/b"]
    assert managed(take(text, "/t/a")).keys() == {"/t/b"}
    assert take(take(text, "/t/a"), "/t/b") == ROOT
    assert "uid=7,gid=8,nosuid,nodev,nofail" in text


def test_a_block_that_is_not_closed_is_none() -> None:
    assert managed("# BEGIN phpops.webhost tmpdir /dev/shm\nx /dev/shm tmpfs y\n") == {}


@pytest.mark.parametrize(("size", "option"), [(1 << 20, "size=1m"), (4096, "size=4k"), (5000, "size=5000")])
def test_sizes(size: int, option: str) -> None:
    assert size_option(size) == option


def test_how_it_was_mounted() -> None:
    assert mounted_options("rw,nosuid,nodev", "rw,inode64") == "nosuid,nodev,exec,size=50%"
    assert mounted_options("rw,noexec", "rw,size=64000k") == "suid,dev,noexec,size=64000k"


@given(st.text(max_size=300))
def test_any_text_comes_back(text: str) -> None:
    if SHM in text:
        return
    assert take(put(text, SHM, "tmpfs /dev/shm tmpfs size=1m 0 0", "x"), SHM) == text
