# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.meminfo import parse_meminfo
from hypothesis import given
from hypothesis import strategies as st

SAMPLES = Path(__file__).resolve().parents[2] / "fixtures" / "samples" / "procmem"

KIB_OF = {
    "01-meminfo-hotsos-5.4-ubuntu.txt": {
        "MemTotal": 4026036,
        "MemFree": 129248,
        "MemAvailable": 2775844,
        "Shmem": 1256,
        "Slab": 259632,
        "SReclaimable": 173756,
        "KReclaimable": 173756,
        "Percpu": 2184,
        "SwapTotal": 0,
        "Active(anon)": 800388,
    },
    "02-meminfo-goprocinfo-3.x-DirectMap1G.txt": {
        "MemTotal": 132003228,
        "MemAvailable": 130327756,
        "Slab": 899472,
        "SReclaimable": 737432,
        "Shmem": 1704,
        "DirectMap1G": 121634816,
    },
    "03-meminfo-goprocinfo-old-noavailable.txt": {
        "MemTotal": 1011048,
        "MemFree": 92096,
        "SwapTotal": 524284,
        "Shmem": 5624,
        "Slab": 60884,
        "SReclaimable": 45068,
    },
    "04-meminfo-2.4-2001-table-header.txt": {"MemTotal": 30832, "Inact_clean": 6932, "SwapTotal": 0},
    "05-meminfo-2.6.5-slab-bloat.txt": {
        "MemTotal": 1025088,
        "Slab": 807316,
        "Cached": 21468,
        "MemFree": 86292,
        "SwapFree": 1024120,
    },
}


@pytest.mark.parametrize("name", sorted(KIB_OF))
def test_a_real_sample_gives_the_values_read_by_hand(name: str) -> None:
    fields = parse_meminfo((SAMPLES / name).read_text())
    expected = {field: kib * 1024 for field, kib in KIB_OF[name].items()}
    assert {field: fields.get(field) for field in expected} == expected


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("03-meminfo-goprocinfo-old-noavailable.txt", "MemAvailable"),
        ("04-meminfo-2.4-2001-table-header.txt", "Mem"),
        ("04-meminfo-2.4-2001-table-header.txt", "Slab"),
        ("05-meminfo-2.6.5-slab-bloat.txt", "SReclaimable"),
    ],
)
def test_a_field_that_the_kernel_lacks_is_absent_and_not_zero(name: str, field: str) -> None:
    assert field not in parse_meminfo((SAMPLES / name).read_text())


def test_a_count_without_unit_is_not_multiplied() -> None:
    assert parse_meminfo("HugePages_Total:      12\nHugepagesize:  2048 kB\n") == {
        "HugePages_Total": 12,
        "Hugepagesize": 2048 * 1024,
    }


def test_digits_of_other_scripts_and_repeated_fields_are_passed_over() -> None:
    assert parse_meminfo("MemTotal: ١٢ kB\nMemFree: 1 kB\nMemFree: 2 kB\n") == {"MemFree": 1024}


@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("utf-8", "replace"))))
def test_any_text_gives_a_dict_of_natural_numbers(text: str) -> None:
    assert all(value >= 0 for value in parse_meminfo(text).values())
