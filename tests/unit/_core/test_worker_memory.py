# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.worker_memory import Memory, worker_memory
from hypothesis import given
from hypothesis import strategies as st

SAMPLES = Path(__file__).resolve().parents[2] / "fixtures" / "samples" / "procmem"

# VmHWM and RssFile + RssShmem of the two saved status files, in KiB.
READ_BY_HAND = {
    "07-status-procfs-prometheus-tabs.txt": (8028, 4624),
    "08-status-jc-modern.txt": (13252, 8676),
}


def kib(peak: int, shared: int, private: int) -> Memory:
    return Memory(peak * 1024, shared * 1024, private * 1024)


def status(**sizes: int) -> str:
    return "Name:\tphp-fpm8.2\n" + "".join(f"{name}:\t{size:8d} kB\n" for name, size in sizes.items())


def rollup(shared: int, private: int) -> str:
    return f"Shared_Clean: {shared} kB\nShared_Dirty: 0 kB\nPrivate_Clean: 0 kB\nPrivate_Dirty: {private} kB\n"


@pytest.mark.parametrize("name", sorted(READ_BY_HAND))
def test_a_real_status_alone_gives_the_peak_less_files_and_shared_memory(name: str) -> None:
    peak, shared = READ_BY_HAND[name]
    assert worker_memory((SAMPLES / name).read_text(), None) == kib(peak, shared, peak - shared)


def test_a_real_rollup_counts_what_other_processes_map(tmp_path: Path) -> None:
    text = (SAMPLES / "06-smaps_rollup-procfs-vim.txt").read_text()
    # Rss 29948 kB, of which 4 kB are mapped by others.
    assert worker_memory(status(VmHWM=30000), text) == kib(30000, 4, 29996)


@pytest.mark.parametrize("path", sorted(SAMPLES.iterdir()), ids=lambda path: path.name)
def test_other_files_of_proc_are_no_status(path: Path) -> None:
    found = worker_memory(path.read_text(), None)
    assert (found is not None) == (path.name in READ_BY_HAND)


@pytest.mark.parametrize(
    ("sizes", "others", "private"),
    [
        # OPcache's segment, touched: 64 of the 80 MiB are not the worker's own.
        ({"VmHWM": 80000, "RssAnon": 10000, "RssFile": 4000, "RssShmem": 64000}, None, 12000),
        # Pages of the master's that fork() left in common count as shared, too.
        ({"VmHWM": 20000, "RssAnon": 9000, "RssFile": 8000, "RssShmem": 1000}, rollup(17500, 500), 2500),
        # One process alone maps file and segment: smaps calls them private, status doesn't.
        ({"VmHWM": 20000, "RssAnon": 2000, "RssFile": 8000, "RssShmem": 10000}, rollup(0, 20000), 2000),
        # The segment was touched after the peak: what is private now is still there.
        ({"VmHWM": 90000, "RssAnon": 50000, "RssFile": 0, "RssShmem": 60000}, rollup(60000, 50000), 50000),
        # More of it was touched than the peak ever was.
        ({"VmHWM": 5000, "RssAnon": 0, "RssFile": 6000, "RssShmem": 0}, None, 0),
    ],
)
def test_what_counts_as_private(sizes: dict[str, int], others: str | None, private: int) -> None:
    found = worker_memory(status(**sizes), others)
    assert found is not None
    assert found.private_peak_bytes == private * 1024
    assert found.peak_bytes == sizes["VmHWM"] * 1024


@pytest.mark.parametrize("text", ["", "Name:\tphp\nState:\tZ (zombie)\n", status(VmHWM=100), status(RssAnon=100)])
def test_what_the_kernel_does_not_say_is_unknown(text: str) -> None:
    assert worker_memory(text, None) is None


@given(st.text(), st.one_of(st.none(), st.text()))
def test_any_text_is_read(text: str, others: str | None) -> None:
    found = worker_memory("VmHWM:\t 10 kB\nRssAnon:\t 1 kB\n" + text, others)
    assert found is not None
    assert 0 <= found.private_peak_bytes <= found.peak_bytes
