# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dentry cache of a real kernel: what deleted files leave in it, and what the role does about that."""

from __future__ import annotations

import json

FILES = 30_000
MAKE = (
    "import os\n"
    "os.makedirs('/srv/many', exist_ok=True)\n"
    f"for number in range({FILES}):\n"
    "    os.close(os.open(f'/srv/many/{os.getpid()}-{number}', os.O_CREAT | os.O_WRONLY))\n"
    "    os.unlink(f'/srv/many/{os.getpid()}-{number}')\n"
)
PRESSURE, NEGATIVE = "/proc/sys/vm/vfs_cache_pressure", "fs.dentry-negative"


def dentry_cache(host, check=False, **options):
    done = host.ansible("phpops.webhost.dentry_cache", json.dumps(options), check=check)
    assert "summary" in done, done
    return done


def unused(host):
    return int(host.check_output("cut -f 2 /proc/sys/fs/dentry-state"))


def make_and_delete(host):
    """Make and delete files; returns by how many the unused dentries grew."""
    before = unused(host)
    host.run_expect([0], f'python3 -c "{MAKE}"')
    return unused(host) - before


def test_the_role_set_what_this_kernel_has(host):
    assert host.file(PRESSURE).content_string.strip() == "200"
    lines = host.file("/etc/sysctl.d/60-phpops-dentry.conf").content_string
    assert "# before: vm.vfs_cache_pressure = 100\nvm.vfs_cache_pressure = 200\n" in lines
    assert NEGATIVE not in lines


def test_a_kernel_without_the_younger_setting_is_told_of(host):
    told = dentry_cache(host, check=True, vfs_cache_pressure=200, negative=True)
    assert not told["changed"]
    assert [note.partition(", which")[0] for note in told["notes"]] == [
        f"This kernel ({host.check_output('uname -r')}) has no {NEGATIVE}"
    ]


def test_deleted_files_leave_dentries(host):
    """The pressure changes nothing while memory is there; the role tmpdir does."""
    grown = make_and_delete(host)
    print(f"{FILES} files made and deleted: {grown} unused dentries more")
    assert grown > FILES * 0.9


def test_they_are_dropped_over_the_threshold_only_and_never_in_a_dry_run(host):
    options = {"vfs_cache_pressure": 200, "negative": False, "drop": True}
    there = unused(host)
    high = dentry_cache(host, **options, drop_over_bytes=512 << 20)
    assert not high["changed"] and not high["dropped"]
    dry = dentry_cache(host, check=True, **options, drop_over_bytes=4 << 20)
    assert dry["changed"] and not dry["dropped"]
    assert unused(host) > there * 0.9
    done = dentry_cache(host, **options, drop_over_bytes=4 << 20)
    print(done["summary"])
    assert done["changed"] and done["dropped"]
    assert done["before"]["unused"] > FILES * 0.9
    assert done["after"]["unused"] < FILES * 0.3
    assert done["freed_bytes"] > FILES * 0.6 * 192
    assert not dentry_cache(host, **options, drop_over_bytes=4 << 20)["changed"]


def test_absent_gives_the_settings_back(host):
    assert dentry_cache(host, state="absent")["changed"]
    assert host.file(PRESSURE).content_string.strip() == "100"
    assert not host.file("/etc/sysctl.d/60-phpops-dentry.conf").exists
    assert not dentry_cache(host, state="absent")["changed"]
