# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import contextlib
import json
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.beancounter_risk import (
    at_risk,
    ceiling,
    container_facts,
    used_ratio,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.beancounters import (
    Beancounters,
    Counter,
    NotBeancounters,
    fail_counts,
    parse_beancounters,
    with_deltas,
)
from hypothesis import given, settings
from hypothesis import strategies as st

SAMPLES = Path(__file__).resolve().parents[2] / "fixtures" / "samples" / "beancounters"
HEADER = "Version: 2.5\n uid resource held maxheld barrier limit failcnt\n"

# (sample, version, {id: number of resources}, foreign lines, values read by hand; None is "unlimited")
CASES: list[tuple[str, str | None, dict[str, int], int, dict[str, dict[str, int | None]]]] = [
    (
        "01-scout-ct9833-finite-limits.txt",
        "2.5",
        {"9833": 20},
        0,
        {
            "9833/kmemsize": {
                "held": 3318833,
                "maxheld": 4634057,
                "barrier": 33554432,
                "limit": 37748736,
                "failcnt": 0,
            },
            "9833/shmpages": {"held": 641, "maxheld": 1297, "limit": 65536},
            "9833/vmguarpages": {"barrier": 262144, "limit": None},
        },
    ),
    (
        "02-scout-host-uid0-unlimited.txt",
        "2.5",
        {"0": 20},
        0,
        {
            "0/privvmpages": {"held": 469383, "maxheld": 633537, "limit": None},
            "0/numproc": {"held": 152, "maxheld": 290},
            "0/numfile": {"held": 5967},
            "0/numiptent": {"held": 73},
            "0/dcachesize": {"held": 0},
        },
    ),
    (
        "03-centmin-vswap-ct38444-dcache-at-limit.txt",
        "2.5",
        {"38444": 20},
        0,
        {
            "38444/kmemsize": {"held": 37136362, "maxheld": 39624704, "limit": 67108864},
            "38444/physpages": {"held": 23604, "maxheld": 32768, "barrier": 0, "limit": 32768, "failcnt": 0},
            "38444/shmpages": {"held": 6786, "maxheld": 138498, "limit": None},
            "38444/dcachesize": {"held": 33538504, "maxheld": 33554407, "limit": 33554432},
        },
    ),
    (
        "06-ohai439-commented-privvm-161.txt",
        "2.5",
        {"852638": 20},
        0,
        {
            "852638/privvmpages": {
                "held": 239894,
                "maxheld": 258143,
                "barrier": 393216,
                "limit": 442368,
                "failcnt": 161,
            },
            "852638/dcachesize": {"maxheld": 9437184, "barrier": 8388608, "limit": 9437184, "failcnt": 0},
            "852638/physpages": {"barrier": 262144, "limit": None},
        },
    ),
    (
        "09-monkee-ct116-noversion-privvm-11.txt",
        None,
        {"116": 20},
        0,
        {
            "116/privvmpages": {"held": 38083, "maxheld": 66526, "barrier": 65536, "limit": 69632, "failcnt": 11},
            "116/oomguarpages": {"held": 29013, "barrier": 26112},
        },
    ),
    (
        "10-ubc-monitor-3uids-subset.txt",
        "2.5",
        {"101": 8, "102": 7, "103": 3},
        0,
        {
            "101/kmemsize": {"failcnt": 3},
            "101/lockedpages": {"failcnt": 4},
            "101/numpty": {"failcnt": 13},
            "102/dgramrcvbuf": {"failcnt": 345},
            "101/tcprcvbuf": {"held": 65536, "maxheld": 0},
        },
    ),
    (
        "11-geni-ct7-planetlab-style.txt",
        "2.5",
        {"7": 20},
        0,
        {
            "7/physpages": {"held": 1173286, "maxheld": 1180545, "limit": None},
            "7/dcachesize": {"held": 57694551, "maxheld": 57798312, "barrier": 60817408, "limit": 67108864},
            # The file ends in this row, without a newline, and the row is whole.
            "7/numiptent": {"held": 20, "maxheld": 20, "limit": None, "failcnt": 0},
        },
    ),
    (
        "14-linuxdeal-cpanel-2008-kmem129-prompt-line.txt",
        "2.5",
        {"10039": 20},
        1,
        {
            "10039/kmemsize": {
                "held": 5125208,
                "maxheld": 5128321,
                "barrier": 40098656,
                "limit": 44108521,
                "failcnt": 129,
            },
            "10039/privvmpages": {"held": 77431, "limit": 825000},
            "10039/oomguarpages": {"limit": None},
        },
    ),
    (
        "16-geofftech-shmpages12-numproc96.txt",
        "2.5",
        {"27692": 9},
        1,
        {
            "27692/shmpages": {"held": 19457, "maxheld": 19473, "barrier": 21504, "limit": 21504, "failcnt": 12},
            "27692/numproc": {"held": 92, "maxheld": 100, "limit": 100, "failcnt": 96},
        },
    ),
    (
        "20-openvz-wiki-ct123-canonical-32bit.txt",
        "2.5",
        {"123": 17},
        0,
        {
            "123/kmemsize": {
                "held": 836919,
                "maxheld": 1005343,
                "barrier": 2752512,
                "limit": 2936012,
                "failcnt": 0,
            },
            "123/physpages": {"barrier": 0, "limit": None},
            "123/othersockbuf": {"held": 6684},
        },
    ),
]


def sample(name: str) -> str:
    return (SAMPLES / name).read_text()


def test_every_sample_of_the_folder_has_a_case() -> None:
    assert sorted(path.name for path in SAMPLES.iterdir()) == sorted(
        [case[0] for case in CASES] + ["19-hypervm97-vzubc-human-output-NOT-proc.txt"]
    )


@pytest.mark.parametrize(("name", "version", "sizes", "foreign", "values"), CASES, ids=[case[0] for case in CASES])
def test_a_real_sample_gives_the_values_read_by_hand(
    name: str,
    version: str | None,
    sizes: dict[str, int],
    foreign: int,
    values: dict[str, dict[str, int | None]],
) -> None:
    parsed = parse_beancounters(sample(name), 4096)
    assert (parsed.version, parsed.foreign_lines) == (version, foreign)
    assert {key: len(rows) for key, rows in parsed.containers.items()} == sizes
    for place, wanted in values.items():
        container, resource = place.split("/")
        found = asdict(parsed.containers[container][resource])
        assert {column: found[column] for column in wanted} == wanted, place


def test_the_vzubc_table_is_refused_with_the_file_that_is_wanted() -> None:
    with pytest.raises(NotBeancounters, match=r"vzubc.*/proc/user_beancounters is wanted"):
        parse_beancounters(sample("19-hypervm97-vzubc-human-output-NOT-proc.txt"), 4096)


@pytest.mark.parametrize("text", ["", "\n\n", "Version: 2.5\n", HEADER, "dummy 0 0 0 0 0\n", "bash: cat: denied\n"])
def test_a_text_without_a_counter_is_refused(text: str) -> None:
    with pytest.raises(NotBeancounters, match="/proc/user_beancounters is wanted"):
        parse_beancounters(text, 4096)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        (HEADER + "123:kmemsize 1 2 3 4 5\n", ["123"]),
        (
            HEADER + "d2f0c1aa-9b6d-4d3c-8f5e-0123456789ab:  kmemsize 1 2 3 4 5\n",
            ["d2f0c1aa-9b6d-4d3c-8f5e-0123456789ab"],
        ),
        ("kmemsize 1 2 3 4 5\nlockedpages 1 2 3 4 5\n", ["/proc/bc/7"]),
        (HEADER + "0: kmemsize 1 2 3 4 5\n 101: kmemsize 1 2 3 4 5\n", ["0", "101"]),
        (HEADER + "1:kmemsize 1 2 3 4 5\n1:shmpages 1 2 3 4 5\n", ["1"]),
    ],
)
def test_the_forms_of_an_id(text: str, ids: list[str]) -> None:
    assert list(parse_beancounters(text, 4096, "/proc/bc/7").containers) == ids


def test_the_node_file_has_swappages_and_a_future_resource_is_kept() -> None:
    text = HEADER + "101: kmemsize 1 2 3 4 5\n swappages 5 6 0 262144 0\n newthing 1 2 3 4 0\n"
    rows = parse_beancounters(text, 4096).containers["101"]
    assert rows["swappages"].limit == 262144
    assert rows["newthing"].held == 1


def test_a_future_resource_needs_a_header_or_an_id() -> None:
    parsed = parse_beancounters("newthing 1 2 3 4 0\nkmemsize 1 2 3 4 0\n", 4096)
    assert parsed.foreign_lines == 1
    assert list(parsed.containers["unknown"]) == ["kmemsize"]


def test_dummy_rows_are_left_out_however_often() -> None:
    parsed = parse_beancounters(HEADER + "1: kmemsize 1 1 1 1 1\n dummy 0 0 0 0 0\n dummy 0 0 0 0 0\n", 4096)
    assert list(parsed.containers["1"]) == ["kmemsize"]


def test_a_column_that_the_file_lacks_is_null() -> None:
    text = "uid resource held maxheld barrier limit\n1: kmemsize 1 2 3 4\n"
    assert parse_beancounters(text, 4096).containers["1"]["kmemsize"] == Counter("kmemsize", 1, 2, 3, 4, None)


def test_the_last_number_of_a_text_that_breaks_off_is_not_trusted() -> None:
    row = parse_beancounters(HEADER + "1: kmemsize 1 2 3 4 0\n shmpages 12 34 5", 4096).containers["1"]["shmpages"]
    assert (row.held, row.maxheld, row.barrier, row.limit) == (12, 34, None, None)


@pytest.mark.parametrize("limit", [2147483647, 9223372036854775807, 18446744073709551615, 2251799813685247])
def test_unlimited_is_null(limit: int) -> None:
    row = parse_beancounters(f"1: shmpages 1 2 {limit} {limit} 0\n", 4096).containers["1"]["shmpages"]
    assert (row.barrier, row.limit) == (None, None)


def test_rows_that_virtuozzo_8_makes_up_have_no_data() -> None:
    top = 9223372036854775807
    names = ("numproc", "shmpages", "physpages", "numfile", "privvmpages")
    text = HEADER + f"0: kmemsize 5 5 {top} {top} 0\n"
    text += "".join(
        f" {name} {5 if name[0] in 'sp' and name != 'privvmpages' else 0} 0 {top} {top} 0\n" for name in names
    )
    rows = parse_beancounters(text, 4096).containers["0"]
    assert (rows["numfile"].held, rows["numfile"].failcnt, rows["privvmpages"].held) == (None, None, None)
    assert (rows["kmemsize"].held, rows["shmpages"].held, rows["numproc"].held) == (5, 5, 0)


def test_an_unused_unlimited_resource_of_a_real_container_stays_zero() -> None:
    rows = parse_beancounters(sample("02-scout-host-uid0-unlimited.txt"), 4096).containers["0"]
    assert rows["vmguarpages"].held == 0


@pytest.mark.parametrize(
    ("counter", "column", "ratio"),
    [
        (Counter("shmpages", 247122, 262144, 262144, 262144, 10067), "limit", 0.9427),
        (Counter("privvmpages", 60000, 0, 65536, 69632, 0), "barrier", 0.9155),
        (Counter("numfile", 90, 90, 0, 100, 0), "limit", 0.9),
        (Counter("numproc", 90, 90, None, None, 0), None, None),
        (Counter("kmemsize", 5, 5, 0, 0, 0), None, None),
        (Counter("kmemsize", None, None, 10, 10, 0), "limit", None),
        (Counter("vmguarpages", 100, 100, 10, 20, 0), None, None),
        (Counter("oomguarpages", 100, 100, 10, 20, 0), None, None),
        # Old accounting: a barrier, or no finite limit.
        (Counter("physpages", 100, 100, 262144, None, 0), None, None),
        (Counter("physpages", 100, 100, 110, 110, 0), None, None),
        (Counter("physpages", 100, 100, 0, None, 0), None, None),
        # VSwap
        (Counter("physpages", 100, 100, 0, 110, 0), "limit", 0.9091),
        (Counter("swappages", 100, 100, 0, 110, 0), None, None),
    ],
)
def test_which_column_stops_a_resource(counter: Counter, column: str | None, ratio: float | None) -> None:
    resources = {counter.name: counter}
    assert (ceiling(resources, counter.name), used_ratio(resources, counter.name)) == (column, ratio)


def test_swappages_has_a_ceiling_only_in_vswap_mode() -> None:
    swap = Counter("swappages", 100, 100, None, 110, 0)
    assert ceiling({"swappages": swap, "physpages": Counter("physpages", 1, 1, 0, 9, 0)}, "swappages") == "limit"
    assert ceiling({"swappages": swap, "physpages": Counter("physpages", 1, 1, 0, None, 0)}, "swappages") is None


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("01-scout-ct9833-finite-limits.txt", {}),
        ("02-scout-host-uid0-unlimited.txt", {}),
        ("03-centmin-vswap-ct38444-dcache-at-limit.txt", {"dcachesize": ["near_limit"]}),
        ("06-ohai439-commented-privvm-161.txt", {"privvmpages": ["failed"]}),
        ("09-monkee-ct116-noversion-privvm-11.txt", {"privvmpages": ["failed"]}),
        ("11-geni-ct7-planetlab-style.txt", {"dcachesize": ["near_limit"]}),
        ("14-linuxdeal-cpanel-2008-kmem129-prompt-line.txt", {"kmemsize": ["failed"]}),
        (
            "16-geofftech-shmpages12-numproc96.txt",
            {"numproc": ["failed", "near_limit"], "shmpages": ["failed", "near_limit"]},
        ),
        ("20-openvz-wiki-ct123-canonical-32bit.txt", {}),
    ],
)
def test_what_is_at_risk_in_a_real_sample(name: str, wanted: dict[str, list[str]]) -> None:
    ((_container, resources),) = parse_beancounters(sample(name), 4096).containers.items()
    assert {item["resource"]: item["causes"] for item in at_risk(resources, 0.9, 4096)} == wanted


def test_the_reason_carries_its_numbers_with_units() -> None:
    resources = {"shmpages": Counter("shmpages", 247122, 262144, 262144, 262144, 10067)}
    (item,) = at_risk(resources, 0.9, 4096)
    assert item["reason"] == (
        "shmpages: 247122 pages (965.3 MiB) held, 94 % of its limit of 262144 pages (1 GiB); "
        "10067 requests were refused since the container started."
    )
    assert item["held_bytes"] == 1012211712
    assert item["limit_bytes"] == 2**30


@pytest.mark.parametrize(
    ("old", "new", "delta", "reset", "words"),
    [
        (None, 7, None, False, "since the container started."),
        (7, 7, 0, False, "0 of them since the last run."),
        (5, 7, 2, False, "2 of them since the last run."),
        (9, 7, 7, True, "which was after the last run."),
    ],
)
def test_failures_since_the_last_run(old: int | None, new: int, delta: int | None, reset: bool, words: str) -> None:
    now = Beancounters("2.5", {"1": {"numproc": Counter("numproc", 1, 1, 9, 9, new)}}, 0)
    before = None if old is None else {"1": {"numproc": old}}
    row = with_deltas(now, before).containers["1"]["numproc"]
    assert (row.failcnt_delta, row.reset) == (delta, reset)
    assert words in str(at_risk({"numproc": row}, 0.9, 4096)[0]["reason"])


def test_a_container_that_was_not_there_before_has_no_delta() -> None:
    now = Beancounters("2.5", {"2": {"numproc": Counter("numproc", failcnt=3)}}, 0)
    assert with_deltas(now, {"1": {"numproc": 1}}).containers["2"]["numproc"].failcnt_delta is None
    assert fail_counts(now) == {"2": {"numproc": 3}}


def test_an_oom_kill_is_named_as_such() -> None:
    (item,) = at_risk({"oomguarpages": Counter("oomguarpages", 5, 5, 4, 4, 1)}, 0.9, 4096)
    assert "1 process was killed for lack of memory" in str(item["reason"])


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["", "1:", "# ", "x:y:", "é:", "11:"]),
        st.sampled_from(["kmemsize", "shmpages", "dummy", "odd", "Ⅷ", ""]),
        st.lists(st.one_of(st.integers(-5, 2**70).map(str), st.sampled_from(["٣", "-", "0x1", "²"])), max_size=7),
    ).map(lambda row: f"{row[0]}{row[1]} {' '.join(row[2])}"),
    max_size=20,
)


@settings(deadline=None)
@given(
    st.one_of(
        st.binary().map(lambda raw: raw.decode("utf-8", "replace")),
        ROWS.map("\n".join),
        ROWS.map(lambda rows: HEADER + "\n".join(rows)),
    )
)
def test_any_text_gives_facts_or_the_one_refusal(text: str) -> None:
    try:
        parsed = parse_beancounters(text, 4096)
    except NotBeancounters:
        return
    json.dumps(container_facts(with_deltas(parsed, fail_counts(parsed)), 0.9, 4096))
    assert parsed.foreign_lines <= text.count("\n") + 1


@pytest.mark.parametrize("text", ["1 " * 500_000, "1:" * 500_000, "kmemsize 1\n" * 100_000, "#" * 1_000_000])
def test_a_hostile_text_of_a_megabyte_is_read_in_bounded_time(text: str) -> None:
    start = time.perf_counter()
    with contextlib.suppress(NotBeancounters):
        parse_beancounters(text, 4096)
    assert time.perf_counter() - start < 5
