# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of, human_bytes, human_percent


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (64 * 2**20, "64 MiB"),
        (247122 * 4096, "965.3 MiB"),
        (2**30 - 1, "1 GiB"),
        (-1536, "-1.5 KiB"),
        (2**63, "8 EiB"),
        (2**75, "32768 EiB"),
    ],
)
def test_human_bytes(size: int, text: str) -> None:
    assert human_bytes(size) == text


@pytest.mark.parametrize(("ratio", "text"), [(0.0, "0 %"), (0.29, "29 %"), (0.999, "99 %"), (1.0, "100 %")])
def test_human_percent_is_full_only_when_full(ratio: float, text: str) -> None:
    assert human_percent(ratio) == text


def test_count_of() -> None:
    assert count_of(1, "process", "processes") == "1 process"
    assert count_of(11, "process", "processes") == "11 processes"
    assert count_of(0, "segment") == "0 segments"
