# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Verdicts as a short text for people."""

from __future__ import annotations

import json
import re
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


# A domain is the same in YAML with and without quotes; JSON's quotes would be escaped where Ansible shows the text.
_DOMAIN = re.compile(r"^[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*$")


def _flow(value: Any) -> str:
    """Return a value as Ansible reads it in --extra-vars: JSON, with the quotes of plain names left out."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return value if isinstance(value, str) and _DOMAIN.match(value) else json.dumps(value, ensure_ascii=False)


def command(host: str, cure: Mapping[str, Any]) -> str:
    """Return the command line that runs a cure's play on a host, quoted for a shell. The cure needs a play."""
    words = ["ansible-playbook", str(cure["play"]), "--limit", host]
    if cure.get("tags"):
        words += ["--tags", ",".join(str(tag) for tag in cure["tags"])]
    if cure.get("variables"):
        words += ["--extra-vars", _flow(cure["variables"])]
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
    shown: list[Mapping[str, Any]] = []
    for verdict in verdicts:
        cure = verdict["cure"]
        lines.append(f"[{verdict['severity']}] {_plain(verdict['code'])}: {_plain(verdict['sentence'])}")
        if cure in shown:
            lines.append("    The cure is told above.")
            continue
        shown.append(cure)
        lines.append(f"    {_plain(cure['text'])}")
        if cure.get("play"):
            lines.append(f"    {command(host, cure)}")
    return "\n".join(lines)
