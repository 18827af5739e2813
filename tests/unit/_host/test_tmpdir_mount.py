# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""On files of a temporary folder, with mounts and a systemd that are played; the scenario vm_tmpdir has real ones."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import tmpdir
from ansible_collections.phpops.webhost.plugins.module_utils._core.budget_model import HostMemory
from ansible_collections.phpops.webhost.plugins.module_utils._core.memory_limits import Limit
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir import Directory, TmpdirError
from ansible_collections.phpops.webhost.plugins.module_utils._host import fstab, mounts, tmpdir_folders, tmpdir_mount

MIB = 1 << 20
ROOT = "/dev/vda / ext4 errors=remount-ro 0 1\n"


class Host:
    """Mounts, in the terms of mountinfo, that follow fstab; ``broken`` commands fail."""

    def __init__(self, path: Path) -> None:
        self.path, self.broken, self.log = path, "", list[str]()
        self.place = tmpdir_mount.Place(
            **{name: str(path / name) for name in ("fstab", "scratch", "tmpfiles", "mountinfo")}, told=()
        )
        self.sizes: dict[str, int] = {tmpdir.SHM_PATH: 500 * MIB}
        self.options = {tmpdir.SHM_PATH: "rw,nosuid,nodev"}
        self.memory = HostMemory((Limit("ram", "touched", "host", "/x", 1000 * MIB, 100 * MIB, "x"),))
        Path(self.place.fstab).write_text(ROOT)
        self.tell()

    def tell(self) -> None:
        lines = [f"2 1 0:{n} / {one} {self.options[one]} - tmpfs t rw" for n, one in enumerate(self.sizes)]
        Path(self.place.mountinfo).write_text("\n".join(lines) + "\n")

    def run(self, words: list[str]) -> tuple[int, str, str]:
        words = [word for word in words if word != "--no-pager"]
        self.log.append(" ".join(words))
        if self.broken and self.log[-1].startswith(self.broken):
            return 1, "", "no"
        if words[0] in ("mount", "umount"):
            self._mount(words)
        if words[0] == "systemd-tmpfiles":
            for file in words[2:]:
                for line in Path(file).read_text().splitlines():
                    if line.startswith("d "):
                        _d, folder, mode, _uid, _gid, _age, _more = line.split()
                        Path(folder).mkdir(parents=True, exist_ok=True)
                        Path(folder).chmod(int(mode, 8))
        if words[:2] == ["systemctl", "show"]:
            return 0, "ActiveState=active\n", ""
        return 0, "", ""

    def _mount(self, words: list[str]) -> None:
        target = words[-1]
        if words[0] == "umount":
            del self.sizes[target]
        elif words[1] == "-o" and "," in words[2]:
            self.sizes[target] = 500 * MIB
        else:
            line = next(line for line in Path(self.place.fstab).read_text().splitlines() if f" {target} tmpfs" in line)
            size = next(word for word in line.split()[3].split(",") if word.startswith("size="))
            self.sizes[target] = int(size[5:-1]) * MIB
            self.options[target] = "rw,nosuid,nodev"
        self.tell()

    def present(self, directories: list[Directory], there: tuple[str, ...] = (), **settings: Any) -> dict[str, Any]:
        found = tmpdir_mount.Settings(**{"size_bytes": 64 * MIB, **settings})
        return tmpdir_mount.present(self.run, directories, there, found, self.place, self.memory)

    def absent(self, in_use: str | None = None, **settings: Any) -> dict[str, Any]:
        return tmpdir_mount.absent(self.run, tmpdir_mount.Settings(**settings), self.place, in_use)

    def fstab(self) -> str:
        return Path(self.place.fstab).read_text()


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Return a host whose /dev/shm and whose place for own mounts are folders of the test."""
    for name, folder in (("SHM_PATH", "shm"), ("OWN_PATH", "own")):
        (tmp_path / folder).mkdir()
        monkeypatch.setattr(tmpdir, name, str(tmp_path / folder))
    found = Host(tmp_path)
    monkeypatch.setattr(mounts, "size_bytes", lambda target: found.sizes[target])
    monkeypatch.setattr(mounts, "used_bytes", lambda _target: MIB)
    monkeypatch.setattr(tmpdir_folders, "ROOT", os.geteuid())
    return found


def directory(mount: str, site: str = "wiki", size: int = 64 * MIB) -> Directory:
    path = tmpdir.path_of(mount, site)
    return Directory(site, "fpm", path, "u", "g", os.geteuid(), os.getegid(), size)


def test_dev_shm_there_again_and_back(host: Host) -> None:
    one = directory("shm")
    planned = host.present([one], check_mode=True)
    assert (planned["changed"], host.fstab(), os.path.lexists(one.path)) == (True, ROOT, False)
    done = host.present([one])
    assert done["changed"] is True
    assert done["diff"] == planned["diff"]
    assert done["mounts"][0]["size_bytes"] == 64 * MIB
    assert done["budget"]["fits"] is True
    assert "size=64m" in host.fstab()
    assert Path(one.path).stat().st_mode & 0o7777 == 0o1770
    again = host.present([one])
    assert (again["changed"], again["diff"], again["budget"]) == (False, [], None)
    (Path(one.path) / "file").touch()
    back = host.absent()
    assert back["changed"] is True
    assert (host.fstab(), host.sizes) == (ROOT, {tmpdir.SHM_PATH: 500 * MIB})
    assert f"mount -o remount,nosuid,nodev,exec,size=50% {tmpdir.SHM_PATH}" in host.log
    assert not Path(one.path).exists()
    assert list(Path(host.place.tmpfiles).iterdir()) == []
    assert host.absent()["changed"] is False


def test_a_way_back_that_failed_is_gone_to_its_end_by_the_next_run(host: Host) -> None:
    host.present([directory("shm")])
    host.broken = "mount"
    with pytest.raises(TmpdirError, match="failed: no"):
        host.absent()
    host.broken = ""
    assert host.absent()["changed"] is True
    assert (host.fstab(), host.sizes) == (ROOT, {tmpdir.SHM_PATH: 500 * MIB})


def test_a_tmpfs_for_each_site_there_and_back(host: Host) -> None:
    sites = [directory("own", "a", 32 * MIB), directory("own", "b")]
    done = host.present(sites, mount="own")
    assert [(one["path"], one["size_bytes"]) for one in done["mounts"]] == [
        (sites[0].path, 32 * MIB),
        (sites[1].path, 64 * MIB),
    ]
    assert Path(sites[0].path).stat().st_mode & 0o7777 == 0o700
    assert host.present(sites, mount="own")["changed"] is False
    # Another size is a remount; a site that is gone loses its mount and its file, one that is left out keeps them.
    larger = [dataclasses.replace(sites[1], size_bytes=128 * MIB)]
    host.present(larger, there=("a", "b"), mount="own")
    assert host.sizes[sites[0].path] == 32 * MIB
    assert host.sizes[sites[1].path] == 128 * MIB
    assert host.present(larger, there=("b",), mount="own")["changed"] is True
    assert sites[0].path not in host.sizes
    assert [path.name for path in Path(host.place.tmpfiles).iterdir()] == ["phpops-b.conf"]
    host.absent()
    assert (host.fstab(), list(host.sizes)) == (ROOT, [tmpdir.SHM_PATH])
    assert not Path(tmpdir.OWN_PATH).exists()


@pytest.mark.parametrize("mount", ["shm", "own"])
def test_the_folder_that_apache_runs_with_stays_until_its_restart(host: Host, mount: str) -> None:
    site, web = directory(mount), directory(mount, tmpdir.WEB_SERVER_NAME)
    host.present([site, web], mount=mount)
    back = host.absent(web.path)
    assert (back["changed"], len(back["warnings_found"])) == (True, 1)
    assert back["warnings_found"][0].startswith(f"Apache runs with TMPDIR={web.path} until its next restart")
    assert (Path(site.path).exists(), Path(web.path).exists()) == (False, True)
    assert [path.name for path in Path(host.place.tmpfiles).iterdir()] == ["phpops.apache2.conf"]
    assert (web.path in host.sizes) is (mount == "own")
    assert host.absent(web.path)["changed"] is False
    host.present([site], mount=mount)
    # That it uses all of /dev/shm is no reason.
    assert host.absent(tmpdir.SHM_PATH)["changed"] is True
    assert (host.fstab(), Path(web.path).exists(), host.absent()["changed"]) == (ROOT, False, False)


def test_the_other_kind_is_refused_until_the_first_is_taken_back(host: Host) -> None:
    host.present([directory("shm")])
    with pytest.raises(TmpdirError, match="take that back first"):
        host.present([directory("own")], mount="own")


def test_a_size_that_does_not_fit_changes_nothing(host: Host) -> None:
    with pytest.raises(TmpdirError, match=r"Nothing was changed\. The memory budget is .* short: ram allows 1000 MiB"):
        host.present([directory("shm")], size_bytes=2000 * MIB)
    assert (host.fstab(), host.log) == (ROOT, [])
    assert host.present([directory("shm")], size_bytes=2000 * MIB, budget_override=True)["budget"]["fits"] is False


@pytest.mark.parametrize("broken", ["mount", "findmnt"])
@pytest.mark.parametrize("mount", ["shm", "own"])
def test_what_fails_leaves_fstab_as_it_was(
    host: Host, mount: str, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.broken = broken
    if broken == "findmnt":
        verified = iter(["", "   [E] unreachable\n"])
        monkeypatch.setattr(fstab, "_verify", lambda *_given: next(verified))
    with pytest.raises(Exception, match=r"failed: no|was left as it is"):
        host.present([directory(mount)], mount=mount)
    assert (host.fstab(), list(host.sizes)) == (ROOT, [tmpdir.SHM_PATH])


def test_a_mount_that_ignores_its_options_is_an_error(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "_mount", lambda _words: None)
    with pytest.raises(TmpdirError, match="doesn't honour its options"):
        host.present([directory("shm")])
    assert host.fstab() == ROOT


def test_another_users_folder_in_dev_shm_is_refused(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    one = directory("shm")
    Path(one.path).mkdir()
    monkeypatch.setattr(tmpdir_folders, "ROOT", os.geteuid() + 1)
    with pytest.raises(TmpdirError, match="is there already and belongs to user"):
        host.present([one])
    assert host.fstab() == ROOT


def test_a_link_in_its_place_is_refused(host: Host) -> None:
    one = directory("shm")
    Path(one.path).symlink_to("/etc")
    with pytest.raises(TmpdirError, match="is there already"):
        host.present([one])


def test_a_crowded_dev_shm_and_one_that_is_no_tmpfs_are_refused(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "used_bytes", lambda _target: 40 * MIB)
    with pytest.raises(TmpdirError, match="more than half"):
        host.present([directory("shm")])
    Path(host.place.mountinfo).write_text("")
    with pytest.raises(TmpdirError, match="is no tmpfs on this host"):
        host.present([directory("shm")])


def test_it_is_not_taken_back_while_somebody_is_told_to_use_it(host: Host, tmp_path: Path) -> None:
    host.present([directory("shm")])
    record = tmp_path / "record"
    record.touch()
    host.place = dataclasses.replace(host.place, told=(str(record),))
    with pytest.raises(TmpdirError, match="take that back first"):
        host.absent()
    assert host.absent(check_mode=True)["changed"] is True
    record.unlink()
    assert host.absent()["changed"] is True


def test_a_folder_that_is_not_made_is_an_error(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tmpdir_folders, "is_right", lambda _one, _sessions: False)
    with pytest.raises(TmpdirError, match="although systemd-tmpfiles was to make it so"):
        host.present([directory("shm")])


def test_a_timer_that_does_not_run_is_told(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tmpdir_mount.systemd, "show", lambda *_given: {"ActiveState": "inactive"})
    assert host.present([directory("shm")])["warnings_found"] == [
        "systemd-tmpfiles-clean.timer is not active on this host: stale files stay until it is started."
    ]


def test_passwords_of_fstab_are_not_shown() -> None:
    text = "//nas/x /mnt cifs user=a,password=hunter2,pass=b 0 0\n"
    assert tmpdir_folders.without_passwords(text) == "//nas/x /mnt cifs user=a,password=(hidden),pass=(hidden) 0 0\n"
