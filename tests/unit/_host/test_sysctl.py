# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role's kernel settings: written, applied, read back, restored, also when a run is killed in between."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host.sysctl import Sysctl, SysctlError

KEY, OTHER = "vm.swappiness", "vm.vfs_cache_pressure"


class Killed(BaseException):
    """Nothing may catch this, as nothing catches SIGKILL."""


@pytest.fixture
def host(tmp_path: Path) -> Sysctl:
    (tmp_path / "proc/sys/vm").mkdir(parents=True)
    (tmp_path / "proc/sys/vm/swappiness").write_text("60\n")
    (tmp_path / "proc/sys/vm/vfs_cache_pressure").write_text("100\n")
    return Sysctl(str(tmp_path))


def values(host: Sysctl) -> tuple[str, str]:
    return host.read(KEY), host.read(OTHER)


def test_set_again_change_and_restore(host):
    first = host.apply("swap", "swap", {KEY: "10"}, False)
    assert first.changed
    assert first.settings == [{"key": KEY, "before": "60", "value": "10", "wanted": "10"}]
    assert not host.apply("swap", "swap", {KEY: "10"}, False).changed
    assert host.apply("swap", "swap", {KEY: "20"}, False).changed
    assert "# before: vm.swappiness = 60\nvm.swappiness = 20\n" in host.path("swap").read_text()
    gone = host.apply("swap", "swap", {}, False)
    assert gone.changed
    assert values(host) == ("60", "100")
    assert not host.path("swap").exists()
    assert not host.apply("swap", "swap", {}, False).changed


def test_a_key_that_is_not_wanted_any_more_goes_back(host):
    host.apply("dentry_cache", "dentry", {KEY: "10", OTHER: "200"}, False)
    host.apply("dentry_cache", "dentry", {OTHER: "200"}, False)
    assert values(host) == ("60", "200")
    assert KEY not in host.path("dentry").read_text()


def test_check_mode_writes_nothing_and_shows_all(host):
    outcome = host.apply("swap", "swap", {KEY: "10"}, True)
    assert outcome.changed
    assert [part["after"].splitlines()[-1] for part in outcome.diff] == ["vm.swappiness = 10"] * 2
    assert outcome.settings[0]["value"] == "60"
    assert values(host) == ("60", "100")
    assert not host.path("swap").exists()


def test_a_value_that_somebody_changed_is_set_again(host):
    host.apply("swap", "swap", {KEY: "10"}, False)
    (host.root / "proc/sys/vm/swappiness").write_text("33\n")
    assert host.apply("swap", "swap", {KEY: "10"}, False).changed
    assert values(host)[0] == "10"
    host.apply("swap", "swap", {}, False)
    assert values(host)[0] == "60"


def test_a_file_that_is_read_later_is_told_of(host):
    link = host.root / "etc/sysctl.d/99-sysctl.conf"
    link.parent.mkdir(parents=True)
    (host.root / "etc/sysctl.conf").write_text("vm.swappiness = 1\n")
    link.symlink_to(host.root / "etc/sysctl.conf")
    for check_mode in (True, False):
        notes = host.apply("swap", "swap", {KEY: "10"}, check_mode).notes
        assert len(notes) == 1
        assert "99-sysctl.conf sets vm.swappiness = 1 and is read after" in notes[0]


def test_a_file_that_is_masked_is_not_told_of(host):
    for folder in ("etc", "usr/lib"):
        (host.root / folder / "sysctl.d").mkdir(parents=True)
    (host.root / "usr/lib/sysctl.d/99-swap.conf").write_text("vm.swappiness = 1\n")
    assert len(host.apply("swap", "swap", {KEY: "10"}, True).notes) == 1
    (host.root / "etc/sysctl.d/99-swap.conf").symlink_to("/dev/null")
    assert host.apply("swap", "swap", {KEY: "10"}, True).notes == []


def test_what_the_kernel_refuses_leaves_no_file(host, monkeypatch):
    def refuse(_self, key, value):
        raise SysctlError(f"The kernel refuses {key} = {value}.")

    monkeypatch.setattr(Sysctl, "_write", refuse)
    with pytest.raises(SysctlError):
        host.apply("swap", "swap", {KEY: "999"}, False)
    assert not host.path("swap").exists()


def test_a_setting_that_this_kernel_lacks_is_refused(host):
    with pytest.raises(SysctlError, match=r"This kernel has no fs\.dentry-negative"):
        host.apply("swap", "swap", {"fs.dentry-negative": "1"}, False)


@pytest.mark.parametrize("wanted", [{KEY: "20", OTHER: "300"}, {OTHER: "300"}, {}])
@pytest.mark.parametrize("kill_at", range(4))
def test_a_killed_run_loses_no_old_value(host, monkeypatch, wanted, kill_at):
    host.apply("swap", "swap", {KEY: "10", OTHER: "200"}, False)
    steps = 0

    def step(real):
        def call(*arguments):
            nonlocal steps
            steps += 1
            if steps > kill_at:
                raise Killed
            return real(*arguments)

        return call

    with monkeypatch.context() as patch:
        for name in ("_write", "_store"):
            patch.setattr(Sysctl, name, step(getattr(Sysctl, name)))
        with suppress(Killed):
            host.apply("swap", "swap", wanted, False)
    host.apply("swap", "swap", wanted, False)
    assert values(host) == (wanted.get(KEY, "60"), wanted.get(OTHER, "100"))
    host.apply("swap", "swap", {}, False)
    assert values(host) == ("60", "100")
