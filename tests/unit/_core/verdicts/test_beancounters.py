# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import judge
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.case_fixture import fires, keeps_quiet
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.facts_fixture import (
    beancounters,
    counters,
    moved,
    site,
)

SAMPLES = Path(__file__).resolve().parents[3] / "fixtures" / "samples" / "beancounters"


def with_delta(found: dict[str, Any], name: str, delta: int) -> dict[str, Any]:
    found["phpops_beancounters"]["containers"]["1"]["resources"][name]["failcnt_delta"] = delta
    return found


# (code, severity, facts that fire it, words of its sentence)
FIRES = [
    (
        "shmpages_failing",
        "critical",
        counters("shmpages 247122 262144 262144 262144 10067"),
        "shmpages holds 965.3 MiB, 94 % of its limit of 1 GiB; 10067 requests were refused.",
    ),
    (
        "shmpages_failing",
        "critical",
        with_delta(counters("shmpages 5 99 99 99 10"), "shmpages", 3),
        "10 requests were refused, 3 of them since the last run.",
    ),
    (
        "shmpages_failing",
        "warning",
        with_delta(counters("shmpages 5 99 99 99 10"), "shmpages", 0),
        "10 requests were refused, 0 of them since the last run.",
    ),
    ("shmpages_near_limit", "warning", counters("shmpages 90 99 100 100 0"), "90 % of its limit of 400 KiB"),
    ("beancounter_failed", "warning", counters("numproc 92 100 100 100 96"), "numproc holds 92, 92 % of its limit"),
    ("beancounter_failed", "critical", counters("oomguarpages 5 9 4 4 1"), "1 process was killed"),
    ("beancounter_near_limit", "warning", counters("numfile 95 99 100 100 0"), "numfile holds 95, 95 %"),
]
# (code, facts just below the mark)
QUIETS = [
    ("shmpages_failing", counters("shmpages 99 100 100 100 0")),
    ("shmpages_near_limit", counters("shmpages 89 99 100 100 0")),
    ("shmpages_near_limit", counters("shmpages 99 100 100 100 4")),
    ("shmpages_near_limit", counters("shmpages 99 100 2147483647 2147483647 0")),
    ("beancounter_failed", counters("shmpages 1 1 9 9 7", "numproc 1 1 9 9 0")),
    ("beancounter_near_limit", counters("vmguarpages 99 99 9 9 0", "physpages 99 99 9 9 0", "numfile 89 99 100 100 0")),
]

test_a_verdict_fires_with_its_numbers = fires(FIRES)
test_a_verdict_keeps_quiet_below_its_mark = keeps_quiet(QUIETS)


def test_the_cure_of_shared_memory_depends_on_who_holds_it() -> None:
    found = counters("shmpages 99 99 99 99 9")
    found["phpops_shm"]["groups"] = [{"kind": "php-fpm", "processes": 5}]
    assert judge(found)[0]["cure"]["play"] == "phpops.webhost.tune"
    found["phpops_shm"]["groups"].append({"kind": "php-cgi", "processes": 5})
    found["phpops_php_sites"]["sites"] = [site("a"), site("b", migratable=False), moved(site("c"))]
    assert judge(found)[0]["cure"]["play"] == "phpops.webhost.migrate"
    assert judge(found)[0]["cure"]["variables"] == {"fpm_migrate_sites": ["a"]}


def test_several_containers_are_named_and_one_is_not() -> None:
    found = beancounters((SAMPLES / "10-ubc-monitor-3uids-subset.txt").read_text())
    sentences = [verdict["sentence"] for verdict in judge(found)]
    assert (
        "dgramrcvbuf of container 102 holds 0 B, 0 % of its limit of 128 KiB; 345 requests were refused." in sentences
    )
    assert len(sentences) == 4


def test_a_real_dump_gives_its_verdicts() -> None:
    found = beancounters((SAMPLES / "16-geofftech-shmpages12-numproc96.txt").read_text())
    assert [(verdict["code"], verdict["severity"]) for verdict in judge(found)] == [
        ("shmpages_failing", "critical"),
        ("beancounter_failed", "warning"),
    ]
