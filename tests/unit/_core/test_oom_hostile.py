# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any bytes are read without a crash, in linear time and to their end."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from ansible_collections.phpops.webhost.tests.unit._core.oom_fixture import KILLED, SAMPLES, UNIT, events, read
from hypothesis import given, settings
from hypothesis import strategies as st

SAMPLE_LINES = sorted({line for path in sorted((SAMPLES / "oom").iterdir()) for line in path.read_bytes().split(b"\n")})
PIECES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(SAMPLE_LINES),
    st.tuples(st.sampled_from(SAMPLE_LINES), st.integers(0, 200)).map(lambda pair: pair[0][: pair[1]]),
    st.sampled_from([f"{UNIT}: {KILLED}".encode(), b"systemd[1]: x.slice: " + KILLED.encode(), b'{"MESSAGE": [1, 2]}']),
)


@settings(deadline=None)
@given(st.one_of(st.binary(), st.lists(PIECES, max_size=30).map(b"\n".join)))
def test_any_bytes_give_events_that_json_can_hold(raw: bytes) -> None:
    found = read(raw)
    assert len(found["events"]) <= raw.count(b"\n") + 1
    json.dumps(found, allow_nan=False)


HOSTILE = {
    "starts": "a invoked oom-killer: gfp_mask=0x1, order=0",
    "one-start": "Mem-Info:",
    "stat-words": "anon 1",
    "rows": "[ 1 ] 1 1 1 1 1 1 1 a",
    "choices": "oom-kill:constraint=CONSTRAINT_NONE,cpuset=,cpuset=,task=,pid=,task=",
    "units": f"[1.0] {UNIT}: {KILLED}",
    "blanks": "[1.0] ",
    "backslashes": "[1.0] oom-kill:\\\nx\\",
}


def calls(raw: bytes) -> int:
    """Return how many calls, of C functions too, it takes to read a log."""
    count = 0

    def counted(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        read(raw)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_twice_the_log_takes_twice_the_steps(name: str) -> None:
    start = b"a invoked oom-killer: gfp_mask=0x1, order=0\nMemory cgroup stats for /a:\n"
    line = HOSTILE[name].encode() + b"\n"
    small, large = calls(start + line * 1500), calls(start + line * 3000)
    assert small < large < 2.3 * small


@pytest.mark.parametrize(
    "line",
    [
        "Killed process 1 (" + "a) (" * 5000,
        "oom-kill:constraint=C" + ",cpuset=,oom_memcg=" * 2000,
        "x invoked oom-killer: " + "gfp_mask=0x1(" * 2000,
        "Node 0 Normal: " + "1*4kB " * 5000,
        "Task in " + "killed as " * 3000,
        "Killed /" + " due to memory " * 2000,
        "a.service" * 3000 + ": " + KILLED,
        "[" + " " * 20000 + "1.0] oom-kill",
        "Memory cgroup stats for " + "/a: " * 5000,
        "a_" * 8000 + ":1 oom-kill",
        "Jan 1 00:00:00 " + "a" * 16000 + " oom-kill",
        "[1.0] [ 1] " + "1 " * 8000,
        '{"MESSAGE": ' + "[" * 15000,
    ],
)
def test_a_hostile_line_ends(line: str) -> None:
    # A pattern that goes back and forth in 16 KiB takes minutes for one such line; a hundred are read here.
    text = "\n".join(["a invoked oom-killer: order=0", *[line] * 100])
    assert events(text)
