# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.buddyinfo import parse_buddyinfo, unusable_share
from hypothesis import given
from hypothesis import strategies as st

TEXT = """Node 0, zone      DMA      0      0      0      0      0      0      0      0      1      1      3
Node 0, zone   Normal    200     30     10      0      0      0      0      0      0      0      0
a line of something else
Node 1, zone  Movable      0      0      0      0      0      0      0      0      0      0      0
"""


def test_each_zone_has_its_free_memory_and_its_largest_block() -> None:
    zones = parse_buddyinfo(TEXT, 4096)
    assert [(zone["node"], zone["zone"], zone["free_bytes"], zone["largest_order_free"]) for zone in zones] == [
        (0, "DMA", (256 + 512 + 3 * 1024) * 4096, 10),
        (0, "Normal", 300 * 4096, 2),
        (1, "Movable", 0, None),
    ]
    assert zones[1]["blocks"] == [200, 30, 10, *[0] * 8]


@pytest.mark.parametrize(
    ("zones", "order", "share"),
    [
        ([[200, 30, 10]], 1, 200 / 300),
        ([[200, 30, 10]], 3, 1.0),
        ([[0, 0, 0, 4], [32]], 3, 0.5),
        ([[4]], 0, 0.0),
        ([[0, 0], []], 3, None),
        ([], 3, None),
    ],
)
def test_what_is_too_small_for_a_request(zones: list[list[int]], order: int, share: float | None) -> None:
    assert unusable_share(zones, order) == share


@given(st.text(alphabet="Node 0123456789,zone\n\tDMA\x00é"))
def test_any_text_is_read(text: str) -> None:
    for zone in parse_buddyinfo(text, 4096):
        assert zone["free_bytes"] >= 0
