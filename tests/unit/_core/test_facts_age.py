# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.facts_age import facts_age, words

NOW = datetime(2026, 2, 1, 12, 0, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (61, "1 minute 1 second"),
        (3600, "1 hour"),
        (3605, "1 hour"),
        (11100, "3 hours 5 minutes"),
        (90000, "1 day 1 hour"),
        (172800, "2 days"),
    ],
)
def test_a_time_span_is_told_in_its_two_largest_units(seconds: int, said: str) -> None:
    assert words(seconds) == said


@pytest.mark.parametrize(
    ("gathered", "time", "text"),
    [
        (
            {"time": "2026-02-01T08:55:00Z"},
            "2026-02-01T08:55:00Z",
            "cache, 3 hours 5 minutes old (2026-02-01T08:55:00Z)",
        ),
        ({"time": "2026-02-01T12:00:09Z"}, "2026-02-01T12:00:09Z", "cache, 0 seconds old"),
        ({"time": "yesterday"}, None, "how old they are is not known"),
        ({}, None, "how old they are is not known"),
        (None, None, "how old they are is not known"),
        ([], None, "how old they are is not known"),
    ],
)
def test_facts_of_a_cache_say_how_old_they_are(gathered: Any, time: str | None, text: str) -> None:
    found = facts_age({"phpops_shm": {}, "diagnose_gathered": gathered}, NOW)
    assert (found["found"], found["time"]) == (True, time)
    assert text in found["text"]


def test_a_host_without_facts_is_told_what_to_do() -> None:
    found = facts_age({"env": {}, "distribution": "Debian"}, NOW)
    assert (found["found"], found["time"]) == (False, None)
    assert "fact_caching" in found["text"]
