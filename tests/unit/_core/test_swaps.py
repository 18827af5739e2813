# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""/proc/swaps, and the names of our swap files."""

from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.swaps import (
    Swap,
    file_name,
    file_number,
    holds_swap_area,
    is_unfinished,
    parse_swaps,
)
from hypothesis import given
from hypothesis import strategies as st

TEXT = """Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority
/dev/vda2                               partition\t1048572\t\t4\t\t-2
/var/lib/phpops-swap/phpops-1.swap      file\t\t262144\t\t204800\t\t10
/srv/my\\040swap\\040(deleted)            file\t\t1024\t\t0\t\t-3
/dev/zram0                              partition\t4096\t\t0\t\t100
"""


def test_areas_of_each_kind():
    swaps = parse_swaps(TEXT)
    assert swaps[:2] == [
        Swap("/dev/vda2", "partition", 1048572 * 1024, 4096, -2),
        Swap("/var/lib/phpops-swap/phpops-1.swap", "file", 256 << 20, 200 << 20, 10),
    ]
    assert swaps[2].path == "/srv/my swap (deleted)"
    assert [swap.ours for swap in swaps] == [False, True, False, False]
    assert [swap.in_memory for swap in swaps] == [False, False, False, True]


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/a/phpops-1.swap", 1),
        ("/phpops-12.swap", 12),
        ("/a/phpops-1.swap (deleted)", None),
        ("/a/phpops-1.swap.new", None),
        ("/a/phpops-0.swap", None),
        ("/swapfile", None),
        ("phpops-1.swap", None),
    ],
)
def test_which_files_are_ours(path, number):
    assert file_number(path) == number


def test_a_file_that_is_being_built_has_another_name():
    assert is_unfinished(f"{file_name(3)}.new")
    assert not is_unfinished(file_name(3))


@pytest.mark.parametrize("page", [4096, 16384, 65536])
def test_the_mark_of_mkswap_is_at_the_end_of_the_first_page(page):
    assert holds_swap_area(bytes(page - 10) + b"SWAPSPACE2")
    assert not holds_swap_area(bytes(page))
    assert not holds_swap_area(b"SWAPSPACE2")


@given(st.text(max_size=300))
def test_any_text_is_read(text):
    assert all(swap.path.startswith("/") for swap in parse_swaps(text))
