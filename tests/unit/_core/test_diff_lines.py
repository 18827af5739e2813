# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._core.diff_lines import diff_lines

ENTRY = {"before_header": "/a", "after_header": "/b", "before": "1\n2\n", "after": "1\n3\n"}


def test_an_entry_and_a_list_give_a_unified_diff() -> None:
    expected = ["--- /a", "+++ /b", "@@ -1,2 +1,2 @@", " 1", "-2", "+3"]
    assert diff_lines(ENTRY) == expected
    assert diff_lines([ENTRY, {"prepared": "said\nso"}]) == [*expected, "said", "so"]


def test_what_is_the_same_gives_no_lines() -> None:
    assert diff_lines([]) == []
    assert diff_lines({"before": "1\n", "after": "1\n"}) == []
    assert diff_lines({"before": None, "after": "new\n"}) == ["--- before", "+++ after", "@@ -0,0 +1 @@", "+new"]
