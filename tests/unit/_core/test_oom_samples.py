# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every real log against the values that were read from it by hand (INDEX.tsv)."""

from __future__ import annotations

import csv
import re
from typing import Any

import pytest
from ansible_collections.phpops.webhost.tests.unit._core.oom_fixture import SAMPLES, events, read

KIB = 1024
SIZES = {"total-vm": "total_vm", "anon-rss": "anon_rss", "file-rss": "file_rss", "shmem-rss": "shmem_rss"}


def expected() -> dict[str, str]:
    """Return what INDEX.tsv expects of each sample, by its name."""
    with (SAMPLES / "INDEX.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {row["file"].partition("/")[2]: row["expected"] for row in rows if row["kind"] == "oom"}


EXPECTED = expected()


def sample(name: str) -> list[dict[str, Any]]:
    (path,) = (SAMPLES / "oom").glob(f"{name}-*")
    return events(path.read_bytes())


# (number, (kind, trigger's name and pid, victim's name, pid and uid, unit) of each event), read by hand.
NOBODY = (None, None)
CASES: list[tuple[str, list[tuple[Any, ...]]]] = [
    ("01", [("memcg", "php-fpm", 3923954, "php-fpm", 3902942, 1000, "docker-*.scope")]),
    ("02", [("global", "doxygen", 473206, "doxygen", 473206, 504, "session-2.scope")]),
    ("03", [("global", "sed", 29481, "mysqld", 6576, 12345, None)]),
    ("04", [("global", "kworker/0:2", 735, "unattended-upgr", 651, 0, "unattended-upgrades.service")]),
    ("05", [("global", "in:imjournal", 879, "cache-main", 3117813, 991, "varnish.service")]),
    ("06", [("global", "php-fpm", 4373, "php-fpm", 13929, 1002, None)]),
    ("07", [
        ("global", "php-fpm", 23192, "php-fpm", 14334, 1002, None),
        ("global", "php-fpm", 23223, "php-fpm", 14335, 1002, None),
    ]),
    ("08", [("global", "php-fpm", 23212, "mysqld", 40738, 27, None)]),
    ("09", [("global", "httpd", 21047, "yum-cron", 7603, 0, None)]),
    ("10", [("global", *NOBODY, "httpd", 62185, 48, None)]),
    ("11", [("memcg", "memorymonster", 13536, "memorymonster", 13536, 275858, None)]),
    ("12", [("global", "badsysprogram", 1532, "badsysprogram", 1532, 1020, None)]),
    ("13", [("global", "kworker/0:0", 17681, "gnome-shell", 955, 121, "session-c1.scope")]),
    ("14", [
        ("memcg", *NOBODY, "rsync", 128824, 1000, None),
        ("memcg", "rsync", 128826, "rsync", 128825, 1000, "run-u640.service"),
    ]),
    ("15", [
        ("memcg", "syz-executor", 15307, "syz-executor", 15307, 0, None),
        ("global", "syz-executor", 15307, None, None, None, None),
    ]),
    ("16", [
        ("global", *NOBODY, "dbus-daemon", 454, 101, None),
        ("global", "nfsd", 537, None, None, None, None),
    ]),
    ("17", [
        ("global", *NOBODY, "fio", 649, 0, None),
        ("global", "tmux: server", None, None, None, None, None),
    ]),
    ("18", [
        ("global", *NOBODY, "(sd-pam)", 4503, 0, "init.scope"),
        ("global", "nfsd", 1874, None, None, None, None),
    ]),
    ("19", [
        ("global", *NOBODY, "(sd-pam)", 4503, 0, "init.scope"),
        ("global", "nfsd", 1874, None, None, None, None),
    ]),
    ("20", [("global", *NOBODY, None, None, None, None)]),
    ("21", [("cpuset", "runc:[2:INIT]", 8291, "containerd", 4100, 0, "containerd.service")]),
    ("22", [
        ("cpuset", "mem_on_node0", None, "mem_on_node1", 13432, 0, None),
        ("cpuset", "mem_on_node0", None, "mem_on_node0", 2614, 0, None),
    ]),
    ("23", [("memcg", "stress", 1122, "stress", 1122, 0, None)]),
    ("24", [("memcg", "leaker", 23793, "leaker", 23793, 0, None)]),
    ("27", [("memcg", "head", None, "tail", 51947, 0, "docker-*.scope")]),
    ("29", [
        ("memcg", "php-fpm", None, "php-fpm", 29454, 1000, None),
        ("global", "php-fpm", None, None, None, None, None),
    ]),
    ("33", [("global", *NOBODY, "uwsgi", 3581527, 33, None)]),
    ("40", [("unit", *NOBODY, None, None, None, "user@1021.service")]),
]  # fmt: skip


def test_every_sample_of_the_folder_has_a_case() -> None:
    assert sorted(path.name[:2] for path in (SAMPLES / "oom").iterdir()) == [case[0] for case in CASES]
    assert sorted(EXPECTED) == sorted(path.name for path in (SAMPLES / "oom").iterdir())


def summary(event: dict[str, Any]) -> tuple[Any, ...]:
    trigger, victim = event["trigger"], event["victim"] or {}
    unit = re.sub(r"^(docker-)[0-9a-f]{64}", r"\1*", event["unit"] or "") or None
    return event["kind"], trigger["comm"], trigger["pid"], *(victim.get(key) for key in ("comm", "pid", "uid")), unit


@pytest.mark.parametrize(("name", "wanted"), CASES, ids=[case[0] for case in CASES])
def test_a_real_log_gives_its_events(name: str, wanted: list[tuple[Any, ...]]) -> None:
    assert [summary(event) for event in sample(name)] == wanted


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_index_is_kept(name: str) -> None:
    """The words of INDEX.tsv itself, so that a wrong case above can't go with a wrong parser."""
    text, found = EXPECTED[name], sample(name[:2])
    victims = [event["victim"] for event in found if event["victim"]]
    for word, key in SIZES.items():
        for value in re.findall(rf"\b{word}[=:](\d+)kB", text):
            assert int(value) * KIB in [victim[f"{key}_bytes"] for victim in victims], (word, value)
    for pattern, values in (
        (r"victims?=\"?([^\s;\"]+)", [str(victim["comm"]) for victim in victims] + ["none"]),
        (r"trigger=(?!victim=)\"?([^\s(;\"]+)", [str(event["trigger"]["comm"]).partition(" ")[0] for event in found]),
        (r"\boom_memcg=(\S+)", [str(event["limit_cgroup"]) for event in found]),
        (r"\btask_memcg=([^\s;]+)", [str(event["cgroup"]) for event in found]),
        (r"\bUID[=:](\d+)", [str(victim["uid"]) for victim in victims]),
        (r"order=(-?\d+)", [str(event["trigger"]["order"]) for event in found]),
        (r"Total swap=(\d+)kB", [str((event["swap"]["total_bytes"] or 0) // KIB) for event in found]),
        (r"(\d+) pages (?:of )?RAM", [str((event["mem"]["total_bytes"] or 0) // 4096) for event in found]),
        (r"memory usage=(\d+)kB", [str((event["mem"]["usage_bytes"] or 0) // KIB) for event in found]),
        (r"(?<!swap )limit=(\d+)kB", [str((event["mem"]["limit_bytes"] or 0) // KIB) for event in found]),
        (r"failcnt=(\d+)", [str(event["mem"]["failcnt"]) for event in found]),
    ):
        for value in re.findall(pattern, text):
            if pattern.startswith("victims?") and not re.match(r"^[a-z(]", value):
                continue
            if int(value) < 2**52 if value.isdigit() else True:
                assert value in values, (pattern, value)
    for mask in re.findall(r"gfp_mask=(0x[0-9a-f]+(?:\([A-Z_|]*\))?)", text):
        assert any((event["trigger"]["gfp_mask"] or "").startswith(mask) for event in found), mask
    for pid, rss in re.findall(r"row \[(\d+)\] \S+ rss=(\d+)", text):
        rows = [row for event in found for row in event["processes"] if row["pid"] == int(pid)]
        assert rows[0]["rss_bytes"] == int(rss) * 4096


def test_the_older_incident_keeps_apart_from_the_newer() -> None:
    first, second = sample("14")
    assert first["victim"]["anon_rss_bytes"] == 256 * KIB
    assert (first["trigger"]["comm"], first["processes"], first["cgroup"]) == (None, [], None)
    assert second["limit_cgroup"].endswith("/run-u640.service")
    assert (second["mem"]["limit_bytes"], second["mem"]["anon_bytes"], second["mem"]["file_bytes"]) == (
        32768 * KIB,
        0,
        26927104,
    )
    # 2112 kB of an unlimited swap were used.
    assert second["swap"] == {"total_bytes": None, "free_bytes": None}


def test_a_hard_wrapped_log_is_the_same_as_the_whole_one() -> None:
    assert sample("18") == sample("19")


def test_words_broken_in_the_middle_are_joined() -> None:
    (event,) = sample("23")
    assert event["by_command"] == {
        "stress": {"processes": 2, "rss_bytes": (366 + 130854) * 4096, "swap_bytes": 0},
    }
    assert event["trigger"]["gfp_mask"] == "0x100cca(GFP_HIGHUSER_MOVABLE)"
    assert (event["limit_cgroup"], event["cgroup"]) == ("/test512mb", "/test512mb")


def test_pages_become_bytes_and_sums() -> None:
    (event,) = sample("06")
    row = next(row for row in event["processes"] if row["comm"] == "udevd")
    assert (row["pid"], row["rss_bytes"], row["oom_score_adj"], row["swap_bytes"]) == (788, 111 * 4096, -1000, None)
    assert event["mem"]["free_bytes"] == 49845 * 4096
    assert event["mem"]["slab_reclaimable_bytes"] == 12410 * 4096
    assert event["mem"]["shmem_bytes"] == 52087 * 4096
    assert event["swap"] == {"total_bytes": 2097148 * KIB, "free_bytes": 0}
    assert len(event["processes"]) == 793
    total = event["by_command"]["php-fpm"]
    rows = [row for row in event["processes"] if row["comm"] == "php-fpm"]
    assert (total["processes"], total["rss_bytes"]) == (len(rows), sum(row["rss_bytes"] for row in rows))
    assert next(iter(event["by_command"])) == "php-fpm"


def test_free_memory_by_zone_and_order() -> None:
    (event,) = sample("09")
    assert event["fragmentation"][0] == {
        "node": 0,
        "zone": "DMA",
        "free_bytes": 4592 * KIB,
        "largest_order_free": 8,
        "blocks": [8, 60, 27, 12, 5, 1, 1, 3, 1, 0, 0],
    }
    assert [zone["zone"] for zone in event["fragmentation"]] == ["DMA", "DMA32"]
    # A kernel for one node doesn't name it.
    zone = sample("16")[1]["fragmentation"][0]
    assert (zone["node"], zone["zone"], zone["largest_order_free"]) == (0, "Normal", 7)


def test_a_wide_table_gives_the_same_columns() -> None:
    rows = {row["pid"]: row for row in sample("16")[1]["processes"]}
    assert rows[230] == {
        "pid": 230,
        "uid": 998,
        "comm": "systemd-network",
        "rss_bytes": 55 * 4096,
        "swap_bytes": 0,
        "oom_score_adj": 0,
    }
    assert rows[454]["swap_bytes"] == 32 * 4096


@pytest.mark.parametrize(
    ("name", "time"),
    [
        ("01", "2025-08-12T03:54:03"),
        ("05", "2025-09-29T08:12:34"),
        ("07", "2025-06-20T12:47:48"),
        ("13", None),
        ("40", "2026-02-08T00:40:07.136582+00:00"),
    ],
)
def test_the_time_is_that_of_the_first_line(name: str, time: str | None) -> None:
    assert sample(name)[0]["time"] == time


def test_the_slices_around_a_unit_are_counted_and_are_one_event() -> None:
    (path,) = (SAMPLES / "oom").glob("40-*")
    found = read(path.read_bytes())
    names = ["system-postgresql.slice", "system.slice", "user-1021.slice", "user.slice", "user@1021.service"]
    assert found["units"] == [{"unit": name, "result": None, "count": 1} for name in names]
    assert len(found["events"]) == 1
