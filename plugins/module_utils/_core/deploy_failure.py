# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Why a task of a deploy failed, as one sentence."""

from __future__ import annotations

import re
from typing import Any, Mapping

_MOST_CHARACTERS = 2000
# What Ansible says of a module that ended without a result.
_NO_RESULT = "Module result deserialization failed"
# What ansible.builtin.get_url says of a file with another sum.
_OTHER_SUM = re.compile(r"^The checksum for (\S+) did not match (\w+); it was (\w+)\.?$")


def sentence(result: Mapping[str, Any], task: str, hook: str = "") -> str:
    """Return why a task failed, on one line. hook: the hook whose tasks file it is from, "" for a task of the role."""
    said = _said(result)
    if hook:
        return f"The hook {hook} failed in its task {task!r}: {said}"
    other = _OTHER_SUM.match(said)
    if other:
        file, wanted, found = other.groups()
        return (
            f"The archive {result.get('url') or file} has the sha256 {found}, not {wanted} as deploy_source.sha256"
            " says: compare it with what was published, then correct the address or the sum. Nothing was unpacked."
        )
    return said


def _said(result: Mapping[str, Any]) -> str:
    """Return what a result says: its message, that of its first failed item, or what the command wrote."""
    for item in result.get("results") or []:
        if isinstance(item, Mapping) and item.get("failed"):
            return _said(item)
    text = str(result.get("msg") or "").strip()
    wrote = str(result.get("stderr") or result.get("module_stderr") or "").strip()
    if wrote and (not text or "non-zero" in text or "MODULE FAILURE" in text):
        text = f"{text.rstrip(' .:')}: {wrote}" if text else wrote
    text = text or str(result.get("reason") or "").strip() or "it says no reason"
    if text.startswith(_NO_RESULT):
        text = f"The module ended without a result: it was killed, or the connection was lost. {wrote}"
    line = " ".join(text.split())[:_MOST_CHARACTERS]
    return line if line.endswith((".", "!", "?")) else f"{line}."
