# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases that nobody uses go, all others stay; real processes of this host use them."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Iterator

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host import release_prune, release_use
from ansible_collections.phpops.webhost.tests.unit._host.release_fixture import Host

IDS = ["v1", "v2", "v3", "v4"]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Four releases, of which v4 is live and v3 was before; processes of others on this machine don't count."""
    made = Host(tmp_path)
    for name in IDS:
        made.build(name, ("bin/index.php", name))
    made.live("v4", "v1", "v2", "v3")
    look = release_use.processes

    def readable(*arguments: Any) -> release_use.Usage:
        usage = look(*arguments)
        usage.closed = 0
        return usage

    monkeypatch.setattr(release_use, "processes", readable)
    return made


def kept(result: dict[str, Any]) -> dict[str, str]:
    return {one["id"]: one["why"] for one in result["kept"]}


def sleeper(*words: str, **options: Any) -> subprocess.Popen[bytes]:
    """Start a process that says when it is there, and then waits for its input to end."""
    code = "import sys; print('x', flush=True); sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options
    )
    assert process.stdout is not None and process.stdout.read(1) == b"x"
    return process


@pytest.fixture
def process(request: pytest.FixtureRequest, host: Host) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A process that uses v1 in one way."""
    place, how = host.releases / "v1", request.param
    if how == "cwd":
        started = sleeper(cwd=place / "bin")
    elif how == "open file":
        with (place / "bin/index.php").open() as file:
            started = sleeper(pass_fds=[file.fileno()])
    else:
        started = sleeper(f"{place}/bin/index.php")
    try:
        yield started, how
    finally:
        started.communicate(timeout=10)


def test_the_old_go_and_the_last_stay(host: Host) -> None:
    would = host.run(check_mode=True, state="pruned", keep=1)
    assert would["pruned"] == ["v1", "v2"]
    assert len(host.names()) == 8
    result = host.run(state="pruned", keep=1)
    assert (result["changed"], result["pruned"]) == (True, ["v1", "v2"])
    assert kept(result) == {"v4": "live", "v3": "one of the last 1 that were live"}
    assert host.names() == ["v3", "v3.json", "v4", "v4.json"]
    assert host.run(state="pruned", keep=1)["changed"] is False


@pytest.mark.parametrize("process", ["cwd", "open file", "command line"], indirect=True)
def test_what_a_process_uses_stays_and_is_named(host: Host, process: tuple[subprocess.Popen[bytes], str]) -> None:
    started, how = process
    result = host.run(state="pruned", keep=0)
    assert result["pruned"] == ["v2", "v3"]
    comm = Path(f"/proc/{started.pid}/comm").read_text().strip()
    assert kept(result)["v1"] == f"process {started.pid} ({comm}) uses it: {how}"
    started.communicate(timeout=10)
    assert host.run(state="pruned", keep=0)["pruned"] == ["v1"]


def test_a_worker_that_began_by_the_stable_path_keeps_what_it_may_run(host: Host) -> None:
    started = sleeper(f"{host.path}/current/bin/worker")
    try:
        time.sleep(1.2)
        # Built after the worker began, and switched to after that.
        host.build("v5", ("bin/index.php", "v5"))
        host.live("v4", *IDS[:3])
        result = host.run(state="pruned", keep=0)
        assert set(kept(result)) == {*IDS}
        assert "its command line names the live release" in kept(result)["v1"]
        assert result["pruned"] == ["v5"]
    finally:
        started.communicate(timeout=10)
    assert host.run(state="pruned", keep=0)["pruned"] == ["v1", "v2", "v3"]


def test_a_mapped_file_counts(tmp_path: Path, host: Host) -> None:
    proc = tmp_path / "proc/1"
    (proc / "fd").mkdir(parents=True)
    (proc / "maps").write_text(f"7f00-7f01 r--s 00000000 00:1b 11 {host.releases}/v1/bin/index.php\n")
    for name in ("cmdline", "stat"):
        (proc / name).write_text("")
    usage = release_use.processes(str(host.releases), (), str(tmp_path / "proc"))
    assert [use.how for use in usage.uses["v1"]] == ["mapping"]


def test_a_release_that_is_mounted_elsewhere_is_used(tmp_path: Path) -> None:
    real = tmp_path.resolve()
    for name, root, place in (
        ("self", "/sub", real),
        ("1", "/sub/releases/v1/public", "/app"),
        ("2", "/sub/else", "/x"),
    ):
        (tmp_path / "proc" / name / "ns").mkdir(parents=True)
        (tmp_path / "proc" / name / "ns/mnt").symlink_to(f"mnt:[{name}]")
        (tmp_path / "proc" / name / "mountinfo").write_text(f"1 0 8:1 {root} {place} rw - ext4 x rw\n")
    mounted = release_use.Mounted(f"{real}/releases", f"{tmp_path}/proc")
    found = [mounted.look(f"{tmp_path}/proc/{name}") for name in ("1", "2", "1")]
    assert found == [{"v1": "mounted at /app"}, {}, {}]


def test_names_that_only_begin_alike_are_not_used(tmp_path: Path, host: Host) -> None:
    proc = tmp_path / "proc/1"
    (proc / "fd").mkdir(parents=True)
    (proc / "maps").write_text("")
    (proc / "stat").write_text("")
    (proc / "cmdline").write_bytes(f"php\0{host.releases}/v10/x\0{host.releases}/v2\0{host.releases}".encode())
    (proc / "cwd").symlink_to(f"{host.releases}/v3 (deleted)")
    assert sorted(release_use.processes(str(host.releases), (), str(tmp_path / "proc")).uses) == ["v10", "v2", "v3"]


def test_a_slot_of_any_site_and_a_link_beside_keep_a_release(host: Host) -> None:
    host.live("v1", site="shop", slot="green")
    (host.path / "staging").symlink_to("releases/v2")
    result = host.run(state="pruned", keep=0)
    assert kept(result)["v1"] == "slot green of site shop names it"
    assert kept(result)["v2"] == f"{host.path / 'staging'} names it"
    assert result["pruned"] == ["v3"]


def test_where_processes_are_hidden_nothing_goes(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release_use, "processes", lambda *_arguments: release_use.Usage(closed=3))
    result = host.run(state="pruned", keep=0)
    assert (result["changed"], result["pruned"]) == (False, [])
    assert "3 processes of this host don't let us see" in result["warnings"][0]
    assert kept(result)["v1"] == "3 processes can't be looked into"


def test_a_closed_process_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "1").mkdir()

    def closed(*_arguments: Any) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(release_use, "_look", closed)
    assert release_use.processes("/srv", (), str(tmp_path)).closed == 1


def test_a_mount_point_is_seen(tmp_path: Path) -> None:
    info = tmp_path / "mountinfo"
    info.write_text(f"36 35 8:1 /data {tmp_path}/releases/v1/up\\040loads rw - ext4 /dev/sda1 rw\n")
    assert release_use.mount_points(f"{tmp_path}/releases", str(info)) == {"v1": f"{tmp_path}/releases/v1/up loads"}


def test_nothing_is_removed_through_a_symlink(host: Host) -> None:
    outside = host.folder / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    (host.releases / "v1/link").symlink_to(outside)
    (host.releases / "linked").symlink_to(outside)
    (host.releases / ".new-x-0123456789abcdef").symlink_to(outside)
    result = host.run(state="pruned", keep=0)
    assert "v1" in result["pruned"]
    assert (outside / "precious").read_text() == "x"
    assert (host.releases / "linked").is_symlink()


@pytest.mark.parametrize("step", ["fsync_dir", "remove_tree"])
def test_a_removal_that_was_killed_is_finished_by_the_next_run(
    host: Host, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_arguments: Any) -> None:
        raise Killed

    owner = release_prune if step == "fsync_dir" else release_prune.release_place
    with monkeypatch.context() as patch:
        patch.setattr(owner, step, killed)
        with pytest.raises(Killed):
            host.run(state="pruned", keep=0)
    assert len([name for name in host.names() if name.startswith(".old-v1-")]) == 1
    assert "v1" not in host.names()
    assert host.run(state="pruned", keep=0)["pruned"] == ["v2", "v3"]
    assert host.names() == ["v4", "v4.json"]


def test_a_record_without_its_release_goes_and_other_files_stay(host: Host) -> None:
    (host.releases / "v9.json").write_text((host.releases / "v1.json").read_text())
    (host.releases / "notes.json").write_text("{}")
    host.run(state="pruned", keep=9)
    assert host.names() == ["notes.json", *sorted([*IDS, *(f"{name}.json" for name in IDS)])]


def test_without_releases_there_is_nothing_to_do(tmp_path: Path) -> None:
    result = Host(tmp_path).run(state="pruned")
    assert (result["changed"], result.get("failed")) == (False, None)
