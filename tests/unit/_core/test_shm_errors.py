# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""OPcache's failures in error logs, in each of the forms in which they get there."""

from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.shm_errors import ShmErrors
from hypothesis import given
from hypothesis import strategies as st

SAID = "Unable to allocate shared memory segment of 67108864 bytes: mmap: Cannot allocate memory (12)"
LINES = [
    (f"Sat Nov 21 08:00:11 2026 (3315): Fatal Error {SAID}", "Sat Nov 21 08:00:11 2026"),
    (f"[Sat Nov 21 08:00:11.123456 2026] [fcgid:warn] [pid 1] mod_fcgid: stderr: {SAID}",
     "Sat Nov 21 08:00:11.123456 2026"),
    (f"2026-11-21T08:00:11 host apache2[1]: {SAID}", "2026-11-21T08:00:11"),
    (f"Fatal Error {SAID}", None),
]  # fmt: skip


@pytest.mark.parametrize(("line", "stamp"), LINES)
def test_forms(line, stamp):
    errors = ShmErrors()
    errors.take(line)
    assert errors.as_dict() == {"count": 1, "first": stamp, "last": stamp, "segment_bytes": [67108864]}


def test_the_first_and_the_last():
    errors = ShmErrors()
    for day in (20, 21, 22):
        errors.take(f"[Fri Nov {day} 08:00:11 2026] {SAID.replace('67108864', str(day))}")
        errors.take("something else")
    assert (errors.count, errors.first, errors.last) == (3, "Fri Nov 20 08:00:11 2026", "Fri Nov 22 08:00:11 2026")
    assert errors.segment_bytes == [20, 21, 22]


@given(st.text())
def test_any_line(text):
    errors = ShmErrors()
    errors.take(text)
    assert errors.count == 0 or errors.segment_bytes
