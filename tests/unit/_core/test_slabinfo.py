# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import contextlib
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.slabinfo import (
    NotSlabinfo,
    dentry_cache,
    parse_dentry_state,
    parse_slabinfo,
)
from hypothesis import given, settings
from hypothesis import strategies as st

SAMPLES = Path(__file__).resolve().parents[2] / "fixtures" / "samples"

# (sample, version, number of caches, a cache and its values read by hand)
CASES: list[tuple[str, str, int, str, dict[str, int | None]]] = [
    ("01-hotsos-k8s-5.4.0-99-slub.txt", "2.1", 211, "au_finfo", {"active_objs": 0, "objsize": 192}),
    (
        "02-hotsos-openstack-5.4.0-97-slub.txt",
        "2.1",
        223,
        "xfs_buf",
        {
            "active_objs": 63,
            "num_objs": 63,
            "objsize": 384,
            "objperslab": 21,
            "pagesperslab": 2,
            "active_slabs": 3,
            "num_slabs": 3,
            "bytes": 3 * 2 * 4096,
        },
    ),
    (
        "02-hotsos-openstack-5.4.0-97-slub.txt",
        "2.1",
        223,
        "task_struct",
        {"num_objs": 3666, "objperslab": 5, "num_slabs": 734},
    ),
    (
        "03-jc-ubuntu-slub-long-names.txt",
        "2.1",
        145,
        "ext4_groupinfo_4k",
        {"active_objs": 224, "num_objs": 224, "objsize": 144, "objperslab": 56, "pagesperslab": 2, "num_slabs": 4},
    ),
    ("03-jc-ubuntu-slub-long-names.txt", "2.1", 145, "btrfs_ordered_extent", {"objsize": 416, "num_objs": 0}),
    (
        "04-telegraf-testdata.txt",
        "2.1",
        21,
        "kmalloc-1024",
        {"num_objs": 234304, "objperslab": 32, "num_slabs": 7329, "bytes": 7329 * 8 * 4096},
    ),
    (
        "05-prometheus-procfs-nvidia.txt",
        "2.1",
        300,
        "pid_3",
        {"active_objs": 375, "num_objs": 532, "objsize": 576, "objperslab": 28, "pagesperslab": 4, "num_slabs": 19},
    ),
    ("05-prometheus-procfs-nvidia.txt", "2.1", 300, "iwl_cmd_pool:0000:04:00.0", {"num_objs": 128, "objsize": 512}),
    (
        "06-hotsos-memcg-kmem-slabinfo.txt",
        "2.1",
        34,
        "ovl_inode",
        {"active_objs": 23, "num_objs": 23, "objsize": 688},
    ),
    (
        "07-lkml-xfs-nbsp-padding.txt",
        "2.1",
        211,
        "wg_peer",
        {"active_objs": 0, "num_objs": 0, "objsize": 1552, "objperslab": 21, "pagesperslab": 8},
    ),
    (
        "08-lkml-xfs-hardwrapped-2lines-per-row.txt",
        "2.1",
        175,
        "nf_conntrack",
        {
            "active_objs": 15716,
            "num_objs": 20349,
            "objsize": 320,
            "objperslab": 51,
            "pagesperslab": 4,
            "active_slabs": 399,
            "num_slabs": 399,
        },
    ),
    (
        "09-lkml-xfs-backupserver-5.4.54.txt",
        "2.1",
        175,
        "xfs_inode",
        {
            "active_objs": 30978282,
            "num_objs": 31196832,
            "objsize": 960,
            "objperslab": 4,
            "pagesperslab": 1,
            "active_slabs": 7799208,
            "num_slabs": 7799208,
            "bytes": 7799208 * 4096,
        },
    ),
    (
        "09-lkml-xfs-backupserver-5.4.54.txt",
        "2.1",
        175,
        "dentry",
        {"active_objs": 35011852, "num_objs": 35447601, "num_slabs": 1687981},
    ),
    (
        "10-lkml2001-v1.1-names-with-blanks.txt",
        "1.1",
        54,
        "file lock cache",
        {
            "active_objs": 0,
            "num_objs": 42,
            "objsize": 92,
            "objperslab": None,
            "active_slabs": 0,
            "num_slabs": 1,
            "pagesperslab": 1,
        },
    ),
    (
        "10-lkml2001-v1.1-names-with-blanks.txt",
        "1.1",
        54,
        "inode_cache",
        {"active_objs": 2218, "num_objs": 2220, "objsize": 384, "num_slabs": 222},
    ),
    (
        "12-lkml-v1.1-smp-truncated.txt",
        "1.1",
        13,
        "nfs_write_data",
        {
            "active_objs": 147,
            "num_objs": 209,
            "objsize": 352,
            "active_slabs": 17,
            "num_slabs": 19,
            "pagesperslab": 1,
        },
    ),
    (
        "14-lkml2005-v2.1-statistics-embedded-tabs.txt",
        "2.1",
        9,
        "scsi_cmd_cache",
        {
            "active_objs": 1649,
            "num_objs": 1704,
            "objsize": 488,
            "objperslab": 8,
            "pagesperslab": 1,
            "active_slabs": 209,
            "num_slabs": 213,
        },
    ),
]
ROW = "dentry 10 20 192 21 1 : tunables 0 0 0 : slabdata 1 2 0"


def test_every_sample_of_the_folder_has_a_case() -> None:
    assert {path.name for path in (SAMPLES / "slabinfo").iterdir()} == {case[0] for case in CASES}


@pytest.mark.parametrize(
    ("name", "version", "count", "cache", "values"), CASES, ids=[f"{case[0][:2]}-{case[3]}" for case in CASES]
)
def test_a_real_sample_gives_the_values_read_by_hand(
    name: str, version: str, count: int, cache: str, values: dict[str, int | None]
) -> None:
    parsed = parse_slabinfo((SAMPLES / "slabinfo" / name).read_text(), 4096)
    assert (parsed.version, len(parsed.caches), parsed.foreign_lines) == (version, count, 0)
    (found,) = [asdict(item) for item in parsed.caches if item.name == cache]
    assert {key: found[key] for key in values} == values
    sizes = [item.bytes for item in parsed.caches]
    assert sizes == sorted(sizes, reverse=True)
    assert parsed.total_bytes == sum(sizes)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("01-hotsos-kubernetes-slabtop-o.txt", "table of slabtop"),
        ("02-hotsos-openstack-slabtop-o.txt", "table of slabtop"),
        ("03-hotsos-rabbitmq-permission-denied.txt", "an error message instead of data"),
        ("04-lkml-xfs-wrapped-misspelt-127GB.txt", "table of slabtop"),
    ],
)
def test_a_text_of_slabtop_is_refused_with_the_file_that_is_wanted(name: str, wanted: str) -> None:
    with pytest.raises(NotSlabinfo, match=wanted) as caught:
        parse_slabinfo((SAMPLES / "slabtop" / name).read_text(), 4096)
    assert "a copy of /proc/slabinfo is wanted" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "lists no cache"),
        ("slabinfo - version: 2.1\n# name <active_objs>\n", "lists no cache"),
        ("Tasks: 12 total\n", "no row of a slab cache"),
        # Seven words with six numbers are a row of 1.1 only when the version line says so.
        ("kmem_cache 53 78 100 2 2 1\n", "no row of a slab cache"),
    ],
)
def test_a_text_without_a_cache_is_refused(text: str, wanted: str) -> None:
    with pytest.raises(NotSlabinfo, match=wanted):
        parse_slabinfo(text, 4096)


@pytest.mark.parametrize(
    ("lines", "caches", "foreign"),
    [
        ([ROW], ["dentry"], 0),
        (["root@web:~# cat /proc/slabinfo", "slabinfo - version: 2.1", ROW, "root@web:~#"], ["dentry"], 2),
        (["> " + ROW], ["dentry"], 0),
        # A row that breaks off before a whole one is foreign, and so is one at the end.
        (["inode_cache 1 2 3 4", ROW], ["dentry"], 1),
        ([ROW, "inode_cache 1 2 3 4"], ["dentry"], 1),
        (["cut 1 2 3 4", "cut2 1 2 3 4", ROW], ["dentry"], 2),
        (["name with blanks 1 2 3 4 5 : tunables 0 0 0 : slabdata 1 2 0"], ["name with blanks"], 0),
        (["a : b 1 2 3 4 5 : tunables 0 0 0 : slabdata 1 2 0"], ["a : b"], 0),
        # Wrapped into three, and wrapped statistics.
        (["dentry 10 20 192 21", "1 : tunables 0 0 0 :", "slabdata 1 2 0"], ["dentry"], 0),
        ([ROW + " : globalstat 1 2 3", ": cpustat 4 5 6 7"], ["dentry"], 0),
    ],
)
def test_foreign_and_wrapped_lines(lines: list[str], caches: list[str], foreign: int) -> None:
    parsed = parse_slabinfo("\n".join(lines), 4096)
    assert ([cache.name for cache in parsed.caches], parsed.foreign_lines) == (caches, foreign)


@pytest.mark.parametrize("version", ["2.0", "2.1 (statistics)"])
def test_version_2_rows(version: str) -> None:
    parsed = parse_slabinfo(
        f"slabinfo - version: {version}\n{ROW} : globalstat 1 2 3 4 5 6 7 : cpustat 1 2 3 4\n", 4096
    )
    assert (parsed.version, parsed.caches[0].num_slabs) == (version[:3], 2)


def test_version_1_1_with_statistics() -> None:
    text = "slabinfo - version: 1.1 (statistics) (SMP)\ndnotify cache 1 2 20 3 4 2 : 9 8 7 6 5 : 252 126 : 1 2 3 4\n"
    (cache,) = parse_slabinfo(text, 4096).caches
    assert (cache.name, cache.active_slabs, cache.num_slabs, cache.bytes) == ("dnotify cache", 3, 4, 4 * 2 * 4096)


def test_caches_of_one_name_are_summed_with_the_sizes_of_the_largest() -> None:
    other = "dentry 1 2 256 16 4 : tunables 0 0 0 : slabdata 3 5 0"
    (cache,) = parse_slabinfo(f"{ROW}\n{other}\n", 4096).caches
    assert asdict(cache) == {
        "name": "dentry",
        "active_objs": 11,
        "num_objs": 22,
        "objsize": 256,
        "objperslab": 16,
        "pagesperslab": 4,
        "active_slabs": 4,
        "num_slabs": 7,
        "bytes": (2 * 1 + 5 * 4) * 4096,
    }


def test_the_page_size_is_taken_into_account() -> None:
    assert parse_slabinfo(ROW, 65536).total_bytes == 2 * 65536


@pytest.mark.parametrize("name", ["dentry", "dentry_cache"])
def test_the_dentry_cache_has_two_names(name: str) -> None:
    found = dentry_cache(parse_slabinfo(ROW.replace("dentry", name), 4096))
    assert found is not None
    assert found.num_objs == 20
    assert dentry_cache(parse_slabinfo(ROW.replace("dentry", "inode"), 4096)) is None


@pytest.mark.parametrize(
    ("text", "release", "wanted"),
    [
        ("150306\t140000\t45\t0\t9876\t0\n", "6.1.0-18-amd64", (140000, 9876)),
        ("150306\t140000\t45\t0\t0\t0\n", "5.0", (140000, 0)),
        ("150306\t140000\t45\t0\t0\t0\n", "4.19.0-26-amd64", (140000, None)),
        ("150306\t140000\t45\t0\t0\t0\n", None, (140000, None)),
        ("150306\t140000\t45\t0\t55\t0\n", "4.18.0-553.el8", (140000, 55)),
        ("1 -2 45 0 -3 0\n", "6.1", (None, None)),
        ("1 2 3\n", "6.1", (None, None)),
        ("a b c d e f\n", "6.1", (None, None)),
        ("", "6.1", (None, None)),
    ],
)
def test_dentry_state(text: str, release: str | None, wanted: tuple[int | None, int | None]) -> None:
    assert parse_dentry_state(text, release) == wanted


LINES = st.lists(
    st.one_of(
        st.sampled_from([ROW, ROW[:30], ROW[30:], "slabinfo - version: 1.1", "a 1 2 3 4 5 6", "# name <x>", "$ cat"]),
        st.text(max_size=40),
    ),
    max_size=20,
).map("\n".join)


@settings(deadline=None)
@given(st.one_of(st.binary().map(lambda raw: raw.decode("utf-8", "replace")), LINES))
def test_any_text_gives_caches_or_the_one_refusal(text: str) -> None:
    try:
        parsed = parse_slabinfo(text, 4096)
    except NotSlabinfo:
        return
    assert parsed.caches
    assert parsed.foreign_lines <= text.count("\n") + 1
    assert len({cache.name for cache in parsed.caches}) == len(parsed.caches)


@settings(deadline=None)
@given(st.text(), st.one_of(st.none(), st.text()))
def test_any_text_is_a_dentry_state_or_none(text: str, release: str | None) -> None:
    parse_dentry_state(text, release)


@pytest.mark.parametrize(
    "text",
    [
        "1 " * 500_000,
        "a 1 1\n" * 150_000,
        ("a" + " 1" * 2000 + "\n") * 250,
        (ROW[:20] + "\n") * 50_000,
        "a" * 1_000_000,
    ],
)
def test_a_hostile_text_of_a_megabyte_is_read_in_bounded_time(text: str) -> None:
    start = time.perf_counter()
    with contextlib.suppress(NotSlabinfo):
        parse_slabinfo("slabinfo - version: 1.1\n" + text, 4096)
    assert time.perf_counter() - start < 10
