# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host.slab import gather, since_last_run

SAMPLES = Path(__file__).resolve().parents[2] / "fixtures" / "samples"
SLABINFO = SAMPLES / "slabinfo" / "01-hotsos-k8s-5.4.0-99-slub.txt"
MEMINFO = SAMPLES / "procmem" / "01-meminfo-hotsos-5.4-ubuntu.txt"


def facts(tmp_path: Path, **options: Any) -> dict[str, Any]:
    state = tmp_path / "dentry-state"
    state.write_text("95802\t73985\t45\t0\t1234\t0\n")
    defaults: dict[str, Any] = {
        "path": str(SLABINFO),
        "meminfo_path": str(MEMINFO),
        "dentry_state_path": str(state),
        "top": 20,
        "page_size": 4096,
        "container": None,
        "kernel_release": "6.1.0",
    }
    return gather(**{**defaults, **options})


def test_the_facts_of_a_whole_host(tmp_path: Path) -> None:
    found = facts(tmp_path)
    assert (found["available"], found["reason"], found["version"], found["scope"]) == (True, None, "2.1", "host")
    assert (len(found["caches"]), found["cache_count"], found["notes"]) == (20, 211, [])
    assert found["caches"][0]["name"] == "buffer_head"
    assert found["reclaimable_bytes"] == 173756 * 1024
    assert found["unreclaimable_bytes"] == 85876 * 1024
    assert found["memory_total_bytes"] == 4026036 * 1024
    assert found["dentry"] == {
        "objects": 105462,
        "active": 83040,
        "bytes": 5022 * 4096,
        "share": round(5022 * 4096 / found["total_bytes"], 4),
        "unused": 73985,
        "negative": 1234,
        "growth": None,
    }
    assert found["fragmentation"] == []


@pytest.mark.parametrize(("top", "count"), [(0, 211), (3, 3), (1000, 211)])
def test_top_bounds_the_list_and_not_the_sums(tmp_path: Path, top: int, count: int) -> None:
    found = facts(tmp_path, top=top)
    assert len(found["caches"]) == count
    assert found["total_bytes"] == facts(tmp_path)["total_bytes"]


def test_a_missing_file_leaves_what_others_tell(tmp_path: Path) -> None:
    found = facts(tmp_path, path=str(tmp_path / "none"))
    assert not found["available"]
    assert found["reason"] == f"There is no file {tmp_path / 'none'} on this host."
    assert (found["caches"], found["total_bytes"], found["dentry"]["objects"]) == ([], None, None)
    assert (found["dentry"]["unused"], found["reclaimable_bytes"]) == (73985, 173756 * 1024)


def test_side_files_that_are_missing_give_null_and_a_note(tmp_path: Path) -> None:
    found = facts(tmp_path, meminfo_path="/none/meminfo", dentry_state_path="/none/state")
    assert found["available"]
    assert (found["reclaimable_bytes"], found["dentry"]["unused"]) == (None, None)
    assert found["notes"] == [f"There is no file /none/{name} on this host." for name in ("meminfo", "state")]


def test_an_old_kernel_that_does_not_split_slab_memory_is_noted(tmp_path: Path) -> None:
    found = facts(tmp_path, meminfo_path=str(SAMPLES / "procmem" / "05-meminfo-2.6.5-slab-bloat.txt"))
    assert found["reclaimable_bytes"] is None
    assert found["notes"] == [f"{SAMPLES}/procmem/05-meminfo-2.6.5-slab-bloat.txt doesn't tell what is reclaimable."]


def test_a_cgroups_file_is_not_mixed_with_the_hosts_numbers(tmp_path: Path) -> None:
    path = tmp_path / "memory.kmem.slabinfo"
    path.write_text((SAMPLES / "slabinfo" / "06-hotsos-memcg-kmem-slabinfo.txt").read_text())
    found = facts(tmp_path, path=str(path))
    assert (found["scope"], found["cache_count"]) == ("cgroup", 34)
    assert (found["reclaimable_bytes"], found["memory_total_bytes"], found["dentry"]["unused"]) == (None, None, None)
    assert found["notes"] == [f"{path} counts one memory cgroup only, not the host."]


@pytest.mark.parametrize("name", ["01-hotsos-kubernetes-slabtop-o.txt", "03-hotsos-rabbitmq-permission-denied.txt"])
def test_slabtop_is_refused_by_name(tmp_path: Path, name: str) -> None:
    found = facts(tmp_path, path=str(SAMPLES / "slabtop" / name))
    assert not found["available"]
    assert found["reason"].startswith(f"{SAMPLES}/slabtop/{name} holds ")


def test_a_container_says_so_for_the_kernels_own_file_only(tmp_path: Path) -> None:
    assert facts(tmp_path, container="podman")["notes"] == []
    (note,) = facts(tmp_path, container="podman", path="/proc/slabinfo")["notes"]
    assert note == "This host is a container (podman): the numbers are those of the kernel it shares."


def test_the_pieces_of_free_memory_are_read_where_asked_for(tmp_path: Path) -> None:
    buddyinfo = tmp_path / "buddyinfo"
    buddyinfo.write_text("Node 0, zone      DMA      0      1      3 \n")
    (zone,) = facts(tmp_path, buddyinfo_path=str(buddyinfo))["fragmentation"]
    assert (zone["zone"], zone["free_bytes"]) == ("DMA", 14 * 4096)
    found = facts(tmp_path, buddyinfo_path="/none/buddyinfo")
    assert found["fragmentation"] == []
    assert found["notes"] == ["There is no file /none/buddyinfo on this host."]


def test_two_runs_tell_how_much_the_dentry_cache_grew(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text('{"failcnt": {"1": {"numproc": 3}}}')
    grown = []
    for number, (objects, write) in enumerate(((100, True), (700, False), (900, True), (800, True))):
        dentry: dict[str, Any] = {"objects": objects, "bytes": objects * 192, "unused": objects - 50, "negative": None}
        assert since_last_run(dentry, str(state), write, 1000.0 + 60 * number) == []
        grown.append(dentry["growth"])
    assert grown[0] is None
    assert grown[1] == {"seconds": 60.0, "objects": 600, "bytes": 600 * 192, "unused": 600, "negative": None}
    assert [(one["seconds"], one["objects"]) for one in grown[2:]] == [(120.0, 800), (60.0, -100)]
    # The other module's part of the file is as it was.
    assert '"failcnt": {"1": {"numproc": 3}}' in state.read_text()


def test_a_state_that_is_not_ours_is_named_and_replaced(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text("[]")
    dentry: dict[str, Any] = {"objects": 1}
    (warning,) = since_last_run(dentry, str(state), True, 5.0)
    assert str(state) in warning
    assert dentry["growth"] is None
    assert since_last_run(dentry, str(state), True, 6.0) == []
    (warning,) = since_last_run(dentry, str(tmp_path / "none" / "state"), True, 7.0)
    assert "can't be written" in warning
