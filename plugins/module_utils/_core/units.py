# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Numbers in words that an administrator reads: binary units, percent, plurals."""

from __future__ import annotations

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def human_bytes(size_bytes: int) -> str:
    """Return a size with its binary unit and at most one decimal: ``64 MiB``, ``965.3 MiB``, ``512 B``.

    A rounded value is never shown as 1024 of its unit. Negative sizes keep their sign.
    """
    size, unit = float(abs(size_bytes)), 0
    while round(size, 1) >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    digits = f"{size:.1f}"
    shown = digits[:-2] if digits.endswith(".0") else digits
    return f"{'-' if size_bytes < 0 else ''}{shown} {_UNITS[unit]}"


def human_percent(ratio: float) -> str:
    """Return a ratio (0..1) as whole percent; below 100 it is rounded down, so that 99.9 % never looks full."""
    return f"{int(ratio * 100 + 1e-9)} %"


def count_of(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: ``1 process``, ``11 processes``; ``plural`` defaults to the noun plus an s."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
