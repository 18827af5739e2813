# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reads /proc/meminfo of any kernel since 2.4."""

from __future__ import annotations

import re

# ASCII digits only: int() would take other scripts' digits too, and a kernel never prints them.
_FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9_()]{0,63}):[ \t]{0,64}([0-9]{1,20})(?:[ \t]{1,8}(kB))?[ \t\r]*$")


def parse_meminfo(text: str) -> dict[str, int]:
    """Return the fields of a /proc/meminfo text by name.

    Fields with the unit "kB" (which the kernel means as KiB) are in bytes. The few without a unit
    (``HugePages_Total`` and its like) are counts of pages and stay as they are. Lines of another form, such as the
    table in bytes above the fields of Linux 2.4, are passed over; a text without one field gives an empty dict.
    When a name is repeated, the first one counts. Format: proc_meminfo(5).
    """
    fields: dict[str, int] = {}
    for line in text.split("\n"):
        found = _FIELD.match(line)
        if found:
            name, value, unit = found.groups()
            fields.setdefault(name, int(value) * (1024 if unit else 1))
    return fields
