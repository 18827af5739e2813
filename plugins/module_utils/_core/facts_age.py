# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""How old the facts are that a diagnosis takes from Ansible's fact cache."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of

FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_PARTS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def moment(text: Any) -> datetime | None:
    """Return a time of FORMAT, in UTC; None for another text."""
    try:
        return datetime.strptime(str(text), FORMAT).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def words(seconds: int) -> str:
    """Return a time span in its two largest units, as "3 hours 5 minutes"."""
    said: list[str] = []
    for size, name in _PARTS:
        count, seconds = divmod(seconds, size)
        if count or said:
            said.append(count_of(count, name) if count else "")
        if len(said) == 2:
            break
    return " ".join(part for part in said if part) or "0 seconds"


def facts_age(facts: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return {found, time, text}: whether there are facts of this collection, and since when, as far as is known.

    ``facts`` are a host's ansible_facts, ``diagnose_gathered`` in them has the time of the run that gathered them.
    """
    gathered = facts.get("diagnose_gathered")
    time = moment(gathered.get("time")) if isinstance(gathered, Mapping) else None
    found = any(str(name).startswith("phpops_") for name in facts)
    if not found:
        text = (
            "Ansible's fact cache has no facts of this host: run diagnose once with a fact cache that lasts "
            "(fact_caching=jsonfile in ansible.cfg), or leave diagnose_gather out."
        )
    elif time is None:
        text = "These facts are from Ansible's fact cache, and how old they are is not known: the host was not asked."
    else:
        age = words(max(0, int((now - time).total_seconds())))
        text = (
            f"These facts are from Ansible's fact cache, {age} old ({time.strftime(FORMAT)}): the host was not asked."
        )
    return {"found": found, "time": time.strftime(FORMAT) if time else None, "text": text}
