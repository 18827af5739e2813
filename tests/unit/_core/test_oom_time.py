# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import contextlib
from datetime import datetime, timezone

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_time import BadSince, read_since, read_stamp
from hypothesis import given
from hypothesis import strategies as st

LATEST = datetime(2025, 3, 1, 12, 0, 0)
NOW = datetime(2025, 8, 12, 14, 30, 0)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2025-08-12T03:54:03+02:00", "2025-08-12T03:54:03+02:00"),
        ("2025-08-12T03:54:03-0530", "2025-08-12T03:54:03-05:30"),
        ("2025-08-12 03:54:03 UTC", "2025-08-12T03:54:03+00:00"),
        # A zone's short name says nothing for sure.
        ("2025-08-12 03:54:03 CEST", "2025-08-12T03:54:03"),
        ("2025-08-12T03:54:03,123456789Z", "2025-08-12T03:54:03.123456+00:00"),
        ("2025-13-12T03:54:03", None),
        ("Aug 12 03:54:03 2019", "2019-08-12T03:54:03"),
        ("Aug 12 2019 03:54:03", "2019-08-12T03:54:03"),
        ("Di Aug 12 03:54:03 2019", "2019-08-12T03:54:03"),
        ("lun. d\u00e9c. 30 03:54:03 2019", "2019-12-30T03:54:03"),
        ("\u043f\u043d \u0438\u044e\u043b 12 03:54:03 2019", "2019-07-12T03:54:03"),
        ("\u4e8c 8\u6708 12 03:54:03 2019", "2019-08-12T03:54:03"),
        ("Di Xyz 12 03:54:03 2019", None),
        # The year that makes it the last such day, a day's slack given.
        ("Mar  1 11:00:00", "2025-03-01T11:00:00"),
        ("Mar  2 11:00:00", "2025-03-02T11:00:00"),
        ("Mar  3 11:00:00", "2024-03-03T11:00:00"),
        ("Dec 31 23:59:59", "2024-12-31T23:59:59"),
        ("Feb 29 10:00:00", "2024-02-29T10:00:00"),
        ("Feb 30 10:00:00", None),
        ("@1754963643123456", "2025-08-12T01:54:03.123456+00:00"),
        ("yesterday", None),
    ],
)
def test_a_stamp_becomes_iso_8601(text: str, iso: str | None) -> None:
    moment = read_stamp(text, LATEST)
    assert (moment.iso if moment else None) == iso
    if moment:
        assert moment.epoch == datetime.fromisoformat(moment.iso).timestamp()


def test_without_the_logs_end_a_stamp_without_a_year_tells_nothing() -> None:
    assert read_stamp("Mar  1 11:00:00", None) is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("now", NOW),
        ("today", datetime(2025, 8, 12)),
        ("yesterday", datetime(2025, 8, 11)),
        ("2025-08-10", datetime(2025, 8, 10)),
        ("2025-08-10 03:54", datetime(2025, 8, 10, 3, 54)),
        ("2025-08-10T03:54:05", datetime(2025, 8, 10, 3, 54, 5)),
        ("2025-08-10 03:54:05 UTC", datetime(2025, 8, 10, 3, 54, 5, tzinfo=timezone.utc)),
        ("@86400", datetime(1970, 1, 2, tzinfo=timezone.utc)),
        ("-2h", datetime(2025, 8, 12, 12, 30)),
        ("-1d12h", datetime(2025, 8, 11, 2, 30)),
        ("3 days ago", datetime(2025, 8, 9, 14, 30)),
        ("1 week 30 min ago", datetime(2025, 8, 5, 14, 0)),
    ],
)
def test_since_names_a_time(text: str, wanted: datetime) -> None:
    assert read_since(text, NOW) == wanted.timestamp()


@pytest.mark.parametrize(
    "text", ["", "soon", "2 hours", "-2 moons", "2025-08", "12.08.2025", "2025-02-30", "--since=x"]
)
def test_a_since_that_names_none_is_refused(text: str) -> None:
    with pytest.raises(BadSince, match="give a time such as 2025-08-12") as caught:
        read_since(text, NOW)
    assert repr(text) in str(caught.value)


@given(st.text(), st.one_of(st.none(), st.just(LATEST)))
def test_any_text_is_a_moment_or_none(text: str, latest: datetime | None) -> None:
    read_stamp(text, latest)
    read_stamp("@" + text, latest)


@given(st.text())
def test_any_since_is_a_number_or_the_one_refusal(text: str) -> None:
    with contextlib.suppress(BadSince):
        assert read_since(text, NOW) <= 1e12
