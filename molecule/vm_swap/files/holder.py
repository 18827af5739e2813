# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds memory that it knows byte by byte: fill with so many MiB, say "ready", and count the wrong pages at SIGUSR1."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

PAGE = 4096
NOISE = os.urandom(PAGE - 8)
SAYS = Path(sys.argv[2])


def page(number: int) -> bytes:
    """Return what the page holds: no two are alike, so that none can be shared."""
    return number.to_bytes(8, "big") + NOISE


held = bytearray(int(sys.argv[1]) << 20)
for place in range(0, len(held), PAGE):
    held[place : place + PAGE] = page(place)
signal.signal(signal.SIGUSR1, lambda *_arguments: None)
SAYS.write_text("ready", encoding="ascii")
while True:
    signal.pause()
    wrong = sum(held[place : place + PAGE] != page(place) for place in range(0, len(held), PAGE))
    SAYS.write_text(f"wrong {wrong} of {len(held) // PAGE}", encoding="ascii")
