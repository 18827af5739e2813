# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import procmaps
from hypothesis import given
from hypothesis import strategies as st

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
SAMPLES = FIXTURES / "procmaps"
PROCMEM = FIXTURES / "samples" / "procmem"
MIB = 1024 * 1024


def _index() -> list[tuple[str, str, dict[str, str]]]:
    """Return (file, kind, expected values) of each fixture, as INDEX.tsv has them."""
    rows = []
    for line in (SAMPLES / "INDEX.tsv").read_text().splitlines()[1:]:
        name, kind, _source, _kernel, _notes, expected = line.split("\t")
        rows.append((name, kind, dict(part.split("=") for part in expected.split("; "))))
    return rows


MAPS = [(name, expected) for name, kind, expected in _index() if kind == "maps"]


def test_every_fixture_is_in_the_index() -> None:
    assert sorted(path.name for path in SAMPLES.iterdir()) == sorted([*(row[0] for row in _index()), "INDEX.tsv"])


@pytest.mark.parametrize(("name", "expected"), MAPS, ids=[name for name, _expected in MAPS])
def test_opcache_segment_of_real_maps(name: str, expected: dict[str, str]) -> None:
    text = (SAMPLES / name).read_text()
    size = procmaps.opcache_segment_bytes(text)
    assert size == (None if expected["opcache"] == "none" else int(expected["opcache"]))
    if "inode" in expected:
        parts = procmaps.opcache_segment(procmaps.shared_mappings(text))
        assert {part.inode for part in parts} == {int(expected["inode"])}
    if "segments" in expected:
        keys = {procmaps.segment_key(mapping) for mapping in procmaps.shared_mappings(text)}
        assert len(keys) == int(expected["segments"])


def test_the_jit_buffer_is_a_second_mapping_of_the_same_segment() -> None:
    text = (SAMPLES / "02-php84-fpm-master-debian-default.maps").read_text()
    parts = procmaps.opcache_segment(procmaps.shared_mappings(text))
    assert [(part.end - part.start, part.offset, part.executable) for part in parts] == [
        (128 * MIB, 0, False),
        (64 * MIB, 128 * MIB, True),
    ]
    assert len({procmaps.segment_key(part) for part in parts}) == 1


@pytest.mark.parametrize(
    ("line", "backing"),
    [
        ("7f00-8f00 rw-s 00000000 00:01 1046                       /dev/zero (deleted)", procmaps.ANONYMOUS),
        ("7f00-8f00 rw-s 00000000 00:01 0                          /SYSV0052e2c1 (deleted)", procmaps.SYSV),
        ("7f00-8f00 rw-s 00000000 00:19 9                          /dev/shm/pulse one", procmaps.POSIX),
        ("7f00-8f00 rw-s 00000000 00:01 2057                       /memfd:opcache_lock (deleted)", procmaps.MEMFD),
        ("7f00-8f00 rw-s 00000000 00:0f 77                         /anon_hugepage (deleted)", procmaps.HUGETLB),
        ("7f00-8f00 rw-s 00000000 00:5b 12                         /run/log/journal/x.journal", procmaps.TMPFS),
        ("7f00-8f00 r--s 00000000 fe:00 12                         /usr/lib/gconv/gconv-modules.cache", None),
        ("7f00-8f00 rw-p 00000000 00:01 1046                       /dev/zero (deleted)", None),
        ("7f00-8f00 rw-p 00000000 00:00 0                          [heap]", None),
        ("7f00-7f00 rw-s 00000000 00:01 1046                       /dev/zero (deleted)", None),
    ],
)
def test_what_backs_a_mapping(line: str, backing: str | None) -> None:
    found = procmaps.shared_mappings(line, {"00:5b"})
    assert [mapping.backing for mapping in found] == ([backing] if backing else [])


def test_overlapping_mappings_of_one_segment_count_once() -> None:
    text = (
        "1000-3000 rw-s 00000000 00:01 7 /dev/zero (deleted)\n"
        "8000-a000 rw-s 00001000 00:01 7 /dev/zero (deleted)\n"
        "c000-d000 rw-s 00000000 00:01 8 /dev/zero (deleted)\n"
    )
    mappings = procmaps.shared_mappings(text)
    assert procmaps.reserved_bytes(mappings) == 0x3000 + 0x1000


def test_a_mapping_below_8_mib_is_not_opcache() -> None:
    line = "7f0000000000-7f0000{:06x} rw-s 00000000 00:01 7 /dev/zero (deleted)\n"
    assert procmaps.opcache_segment_bytes(line.format(8 * MIB - 4096)) is None
    assert procmaps.opcache_segment_bytes(line.format(8 * MIB)) == 8 * MIB


def test_status_of_a_real_process() -> None:
    expected = next(values for name, _kind, values in _index() if name.endswith(".status"))
    status = procmaps.parse_status((SAMPLES / "15-php82-cgi-64.status").read_text())
    assert status.name == expected["name"]
    assert (status.anon_bytes, status.swap_bytes) == (int(expected["anon"]), int(expected["swap"]))
    assert status.has_memory


@pytest.mark.parametrize(
    ("name", "process", "swap_kib", "anon_kib"),
    [
        ("07-status-procfs-prometheus-tabs.txt", "prometheus", 660, 2092),
        ("08-status-jc-modern.txt", "systemd", 0, 4576),
    ],
)
def test_status_samples(name: str, process: str, swap_kib: int, anon_kib: int) -> None:
    status = procmaps.parse_status((PROCMEM / name).read_text())
    assert status.name == process
    assert (status.swap_bytes, status.anon_bytes) == (swap_kib * 1024, anon_kib * 1024)


def test_status_of_a_kernel_thread_has_no_memory() -> None:
    status = procmaps.parse_status("Name:\tkthreadd\nState:\tS (sleeping)\nPid:\t2\nPPid:\t0\nUid:\t0\t0\t0\t0\n")
    assert not status.has_memory
    assert status.swap_bytes is None


def test_pss_samples() -> None:
    assert procmaps.parse_pss((PROCMEM / "06-smaps_rollup-procfs-vim.txt").read_text()) == 29944 * 1024
    expected = next(values for name, _kind, values in _index() if name.endswith(".smaps_rollup"))
    found = procmaps.parse_pss((SAMPLES / "14-php82-cgi-64.smaps_rollup").read_text())
    assert found == int(expected["pss"])
    assert procmaps.parse_pss("Rss: 12 kB\n") is None


def test_pss_of_the_segment_in_real_smaps() -> None:
    expected = next(values for name, _kind, values in _index() if name.endswith(".smaps"))
    found = procmaps.smaps_pss((SAMPLES / "13-php82-cgi-64.smaps").read_text())
    assert found == {("00:01", 552, procmaps.ANONYMOUS): int(expected["pss_of_opcache"])}


@given(
    st.binary(max_size=2000) | st.sampled_from([(SAMPLES / name).read_bytes()[:3000] for name, _expected in MAPS]),
    st.data(),
)
def test_any_bytes_never_crash(raw: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(raw)))
    text = (raw[start:] + data.draw(st.binary(max_size=40)) + raw[:start]).decode("utf-8", errors="replace")
    size = procmaps.opcache_segment_bytes(text)
    assert size is None or size >= procmaps.OPCACHE_MIN_BYTES
    procmaps.parse_status(text)
    procmaps.parse_pss(text)
    procmaps.smaps_pss(text)


@given(st.lists(st.tuples(st.integers(0, 63), st.integers(1, 64)), max_size=8))
def test_mapped_bytes_is_the_size_of_the_union(parts: list[tuple[int, int]]) -> None:
    mappings = [
        procmaps.Mapping(0, length * 4096, offset * 4096, "00:01", 1, False, "/dev/zero", procmaps.ANONYMOUS)
        for offset, length in parts
    ]
    pages = {page for offset, length in parts for page in range(offset, offset + length)}
    assert procmaps.mapped_bytes(mappings) == len(pages) * 4096


@pytest.mark.parametrize("line", ["f" * 200_000, "0-" * 100_000, "1000-2000 rw-s 0 00:01 7 " + " " * 200_000 + "\r"])
def test_long_lines_do_not_hang(line: str) -> None:
    before = time.monotonic()
    procmaps.shared_mappings(line)
    procmaps.parse_status(line)
    assert time.monotonic() - before < 1
