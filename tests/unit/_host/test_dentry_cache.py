# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dentry cache of a host that is played: settings made, a drop over the threshold only, and never a dry one."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.dentry_plan import Threshold
from ansible_collections.phpops.webhost.plugins.module_utils._host.dentry_cache import Options, apply, gather
from ansible_collections.phpops.webhost.plugins.module_utils._host.sysctl import Sysctl

MIB = 1 << 20
DROP = Options("present", 200, True, True, Threshold(0.1, None))


class Played:
    """A host of 1000 MiB whose unused dentries are gone once vm.drop_caches was written."""

    def __init__(self, root: Path, unused: int) -> None:
        self.unused = unused
        self.triggers = root / "proc/sys/vm/drop_caches"
        for name, text in (("vm/vfs_cache_pressure", "100\n"), ("fs/dentry-negative", "0\n"), ("vm/drop_caches", "")):
            path = root / "proc/sys" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.sysctl = Sysctl(str(root))

    def look(self) -> dict:
        unused = 10 if self.triggers.read_text() else self.unused
        size = (unused + 1000) * 192
        dentry = {"objects": unused + 1000, "active": unused + 1000, "bytes": size, "unused": unused, "negative": 5}
        return {"dentry": dentry, "reclaimable_bytes": size, "memory_total_bytes": 1000 * MIB}

    def apply(self, options: Options, check_mode: bool = False) -> dict:
        return apply(options, check_mode, self.sysctl, self.look, "6.13.1")


@pytest.fixture
def played(tmp_path: Path) -> Played:
    return Played(tmp_path, 1_000_000)


def test_settings_and_a_drop_with_numbers(played):
    told = played.apply(DROP)
    assert told["changed"] and told["dropped"]
    assert {(item["key"], item["value"]) for item in told["settings"]} == {
        ("vm.vfs_cache_pressure", "200"),
        ("fs.dentry-negative", "1"),
    }
    assert (told["before"]["unused"], told["after"]["unused"], told["freed_dentries"]) == (1_000_000, 10, 999_990)
    assert told["freed_bytes"] == 999_990 * 192
    assert told["summary"] == (
        "Unused dentries hold 183.1 MiB, 18 % of the memory: more than 10 %. They were dropped:"
        " 1000000 unused dentries before, 10 after; 183.1 MiB of slab memory came back."
    )
    again = played.apply(DROP)
    assert not again["changed"] and not again["dropped"]


def test_check_mode_drops_nothing(played):
    told = played.apply(DROP, check_mode=True)
    assert told["changed"] and not told["dropped"]
    assert played.triggers.read_text() == ""
    assert told["summary"].endswith("They would be dropped.")
    assert told["diff"][-1] == {
        "before_header": "unused dentries",
        "after_header": "unused dentries",
        "before": "1000000\n",
        "after": "dropped\n",
    }


def test_below_the_threshold_nothing_is_dropped(tmp_path):
    played = Played(tmp_path, 1000)
    assert not played.apply(DROP)["dropped"]
    assert not played.apply(DROP)["changed"]


def test_absent_restores_and_drops_nothing(played):
    played.apply(Options("present", 300, True, False, Threshold(None, None)))
    told = played.apply(Options("absent", 300, True, True, Threshold(0.1, None)))
    assert told["changed"] and not told["dropped"]
    assert played.sysctl.read("vm.vfs_cache_pressure") == "100"
    assert played.sysctl.read("fs.dentry-negative") == "0"


def test_a_kernel_without_the_younger_setting(played):
    (played.sysctl.root / "proc/sys/fs/dentry-negative").unlink()
    told = played.apply(DROP)
    assert told["notes"] == [
        "This kernel (6.13.1) has no fs.dentry-negative, which came with Linux 6.13: each deleted file leaves a dentry"
        " until memory is short; put temporary files on a tmpfs."
    ]
    assert [item["key"] for item in told["settings"]] == ["vm.vfs_cache_pressure"]


def test_this_kernel_counts_its_unused_dentries():
    facts = gather()
    assert facts["dentry"]["unused"] > 0
    assert facts["memory_total_bytes"] > 0
