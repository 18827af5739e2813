# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.dentry_growth import growth, reading
from hypothesis import given
from hypothesis import strategies as st

NOW = reading({"objects": 500, "bytes": 96000, "unused": 400, "negative": 300}, 100.0, "b")


def test_what_came_in_the_time_between() -> None:
    before = reading({"objects": 200, "bytes": 38400, "unused": 450, "negative": None}, 40.0, "b")
    assert growth(before, NOW) == {"seconds": 60.0, "objects": 300, "bytes": 57600, "unused": -50, "negative": None}


@pytest.mark.parametrize(
    "before",
    [
        None,
        [],
        {},
        {**NOW, "time": 40.0, "boot": "another"},
        NOW,
        {**NOW, "time": 101.0},
        {**NOW, "time": True},
        {**NOW, "time": "40"},
        {**NOW, "time": -1},
    ],
)
def test_readings_that_cannot_be_compared_tell_nothing(before: Any) -> None:
    assert growth(before, NOW) is None


@given(st.dictionaries(st.sampled_from(sorted(NOW)), st.one_of(st.none(), st.booleans(), st.floats(), st.text())))
def test_any_earlier_reading_is_taken_or_left(values: dict[str, Any]) -> None:
    found = growth({**NOW, "time": 1.0, **values}, NOW)
    assert found is None or found["seconds"] is not None
