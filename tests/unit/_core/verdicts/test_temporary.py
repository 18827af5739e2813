# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import judge
from ansible_collections.phpops.webhost.tests.unit._core.oom_fixture import SAMPLES, read
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.case_fixture import fires, keeps_quiet
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.facts_fixture import (
    MIB,
    facts,
    grown,
    master,
    on_disk,
    opcache,
    pieces,
    slab,
    zone,
)


def wanting(order: int, *zones: dict[str, Any]) -> dict[str, Any]:
    event = {"time": "2026-01-01T10:00:00", "trigger": {"comm": "apache2", "order": order}, "victim": {"comm": "x"}}
    return facts(phpops_oom={"events": [{**event, "fragmentation": list(zones)}]})


# (code, severity, facts that fire it, words of its sentence)
FIRES = [
    (
        "dentry_growing",
        "warning",
        grown(30.0, bytes=30 * MIB),
        "The dentry cache grew by 30 MiB in 30 s, 3.5 GiB in an hour or 360 % of the memory.",
    ),
    (
        "tmpdir_on_disk",
        "warning",
        on_disk("ext4", **grown(60.0, objects=9000, negative=600)),
        "Temporary files are on a disk: apache2 in /tmp (ext4); since the last run at least 10 files in a second left "
        "a dentry.",
    ),
    ("tmpdir_on_disk", "warning", on_disk("ext4", **grown(60.0, objects=900)), "at least 15 files in a second"),
    (
        "tmpdir_on_disk",
        "warning",
        {**opcache(master(temp_fstype="xfs")), "phpops_slab": slab(100 * MIB, 0.5)["phpops_slab"]},
        "wiki in /tmp (xfs); the dentry cache is large already.",
    ),
    (
        "memory_fragmented",
        "warning",
        wanting(3, zone(900, 90), zone(*[0] * 10, 3, name="DMA")),
        "A process was killed at 2026-01-01T10:00:00 as there was no piece of 8 pages, although 4.2 MiB were free in "
        "smaller ones.",
    ),
    (
        "memory_fragmented",
        "info",
        pieces(zone(9000, 200, 50, 10), zone(*[0] * 10, 30, name="DMA32"), zone(*[0] * 10, 3, name="DMA")),
        "99 % of the free memory of zone Normal (37.8 MiB) are in pieces of less than 8 pages.",
    ),
    (
        "memory_fragmented",
        "info",
        wanting(0, zone(9000, 200, 50)),
        "100 % of the free memory of zone Normal (37.5 MiB) were in pieces of less than 8 pages when memory ran out at "
        "2026-01-01T10:00:00.",
    ),
]
# (code, facts just below the mark)
QUIETS = [
    ("dentry_growing", grown(36000.0, bytes=99 * MIB)),
    ("dentry_growing", grown(9.0, bytes=99 * MIB)),
    ("dentry_growing", grown(10.0, bytes=3 * MIB)),
    ("dentry_growing", grown(10.0, bytes=-99 * MIB)),
    ("dentry_growing", slab(100 * MIB, 0.5)),
    ("tmpdir_on_disk", on_disk("tmpfs", **grown(60.0, negative=6000))),
    ("tmpdir_on_disk", on_disk("overlay", **grown(60.0, negative=6000))),
    ("tmpdir_on_disk", on_disk(None, **grown(60.0, negative=6000))),
    ("tmpdir_on_disk", on_disk("ext4", **grown(60.0, objects=6000, negative=599))),
    ("tmpdir_on_disk", on_disk("ext4")),
    ("memory_fragmented", wanting(0, zone(900, 90, 0, 20))),
    ("memory_fragmented", wanting(3, zone(900, 90, 0, 20))),
    ("memory_fragmented", wanting(3, zone(7, 0, 0, 0, 1))),
    ("memory_fragmented", wanting(3)),
    ("memory_fragmented", pieces(zone(9000, 200, 50, 90))),
    ("memory_fragmented", pieces(zone(900))),
    ("memory_fragmented", pieces()),
]

test_a_verdict_fires_with_its_numbers = fires(FIRES)
test_a_verdict_keeps_quiet_below_its_mark = keeps_quiet(QUIETS)


def test_real_logs_tell_where_memory_was_in_pieces() -> None:
    fragmented = []
    for path in sorted((SAMPLES / "oom").glob("*.txt")):
        found = judge({"phpops_oom": {"available": True, **read(path.read_bytes(), latest=None)}})
        fragmented += [path.name[:2] for verdict in found if verdict["code"] == "memory_fragmented"]
    assert fragmented == ["06", "07", "08"]


def test_the_kernel_that_a_container_shares_is_named() -> None:
    found = on_disk("ext4", **grown(30.0, bytes=30 * MIB, negative=900))
    found["phpops_slab"]["container"] = "podman"
    sentences = [verdict["sentence"] for verdict in judge(found)]
    assert len(sentences) == 2
    assert all(sentence.endswith("this container (podman) shares.") for sentence in sentences)
