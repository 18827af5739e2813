# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""A module's diff as lines of text, for a task that shows it when the task that made it is hidden."""

from __future__ import annotations

import difflib
from typing import Any, Mapping, Sequence


def diff_lines(diff: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the lines of a unified diff of all entries {before, after, before_header, after_header, prepared}.

    An entry may also be `prepared` text, as Ansible's own callbacks take it. Texts that are the same give no lines.
    """
    lines: list[str] = []
    for entry in [diff] if isinstance(diff, Mapping) else diff:
        lines += str(entry.get("prepared") or "").splitlines()
        before, after = str(entry.get("before") or ""), str(entry.get("after") or "")
        old, new = (str(entry.get(side + "_header") or side) for side in ("before", "after"))
        lines += difflib.unified_diff(before.splitlines(), after.splitlines(), old, new, lineterm="")
    return lines
