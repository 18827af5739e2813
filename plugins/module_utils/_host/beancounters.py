# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Gathers the beancounter facts from a file, and keeps the failure counts of the last run in another."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.beancounter_risk import container_facts
from ansible_collections.phpops.webhost.plugins.module_utils._core.beancounters import (
    FailCounts,
    NotBeancounters,
    fail_counts,
    parse_beancounters,
    with_deltas,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text
from ansible_collections.phpops.webhost.plugins.module_utils._host.readings import (
    FAILCNT,
    keep_reading,
    not_ours,
    read_reading,
)

DEFAULT_PATH = "/proc/user_beancounters"
_ONE_CONTAINER = re.compile(r"/proc/bc/([A-Za-z0-9_.-]{1,64})/resources$")
_MAX_BYTES = 16 * 1024 * 1024


def read_state(path: str) -> tuple[FailCounts | None, str | None]:
    """Return the failure counts that an earlier run left, and a warning when the file is not one of ours."""
    counts, warning = read_reading(path, FAILCNT)
    if counts is None:
        return None, warning
    try:
        return {
            str(container): {
                str(name): value
                for name, value in rows.items()
                if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64
            }
            for container, rows in counts.items()
        }, None
    except AttributeError:
        return None, not_ours(path)


def gather(
    path: str, page_size: int, near_limit: float, state_path: str | None, write_state: bool
) -> tuple[dict[str, Any], list[str]]:
    """Return the facts and warnings; nothing is raised for a file that can't be read or written.

    ``page_size`` is in bytes, ``near_limit`` a ratio (0..1). ``write_state`` is false in check mode.
    """
    facts: dict[str, Any] = {
        "available": False,
        "reason": None,
        "supported": True,
        "version": None,
        "page_size": page_size,
        "containers": {},
        "foreign_lines": 0,
    }
    own = _ONE_CONTAINER.search(path)
    try:
        counters = parse_beancounters(read_text(path, _MAX_BYTES), page_size, own.group(1) if own else "unknown")
    except Unreadable as error:
        # The rest of the sentence spares a user of any other kernel the search for a mistake.
        hint = " Only OpenVZ and Virtuozzo kernels have it." if error.missing and path == DEFAULT_PATH else ""
        return {**facts, "reason": f"{error.reason}{hint}", "supported": not error.missing}, []
    except NotBeancounters as error:
        return {**facts, "reason": f"{path} {error}"}, []

    warnings: list[str] = []
    if state_path:
        before, warning = read_state(state_path)
        warnings += [warning] if warning else []
        counters = with_deltas(counters, before)
        if write_state:
            warning = keep_reading(state_path, FAILCNT, fail_counts(counters))
            warnings += [warning] if warning else []
    facts.update(
        available=True,
        version=counters.version,
        containers=container_facts(counters, near_limit, page_size),
        foreign_lines=counters.foreign_lines,
    )
    return facts, warnings
