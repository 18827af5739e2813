# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Verdicts as a short text for people."""

from __future__ import annotations

import json
import shlex
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import (
    CRITICAL,
    INFO,
    WARNING,
)


def _plain(text: object) -> str:
    """Names come from hosts: control characters in them must not reach a terminal."""
    return "".join(sign if sign.isprintable() else "?" for sign in str(text))


def _command(host: str, cure: Mapping[str, Any]) -> str:
    words = ["ansible-playbook", str(cure["play"]), "--limit", host]
    if cure.get("variables"):
        words += ["--extra-vars", json.dumps(cure["variables"], ensure_ascii=False)]
    return " ".join(shlex.quote(_plain(word)) for word in words)


def render_text(host: str, verdicts: Sequence[Mapping[str, Any]]) -> str:
    """Return one paragraph per verdict, worst first, under a line with the host and the counts.

    ``verdicts`` are those of `judge`, which are in that order already. Raises KeyError for other dicts.
    """
    counts = [
        count_of(sum(verdict["severity"] == severity for verdict in verdicts), severity, plural)
        for severity, plural in ((CRITICAL, CRITICAL), (WARNING, "warnings"), (INFO, INFO))
    ]
    if not verdicts:
        return f"{_plain(host)}: no problem found."
    lines = [f"{_plain(host)}: {', '.join(counts)}"]
    for verdict in verdicts:
        lines.append(f"[{verdict['severity']}] {_plain(verdict['code'])}: {_plain(verdict['sentence'])}")
        lines.append(f"    {_plain(verdict['cure']['text'])}")
        if verdict["cure"].get("play"):
            lines.append(f"    {_command(host, verdict['cure'])}")
    return "\n".join(lines)
