# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Joins lines that a mail client or an author broke, where it is unambiguous.

Only a line without a prefix goes on from one with a prefix, only after a line that is not whole, and only when it
looks like what is missing. So a log without any prefix is joined at backslashes alone.
"""

from __future__ import annotations

import re

from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_prefix import Line, unquoted
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_table import is_row, read_header, read_row

_MOST_PIECES = 12
_MOST_LENGTH = 8192

# (beginning of the line, what makes it whole, what may go on). A mail client breaks at blanks, some in words.
_KINDS = (
    (
        re.compile(r"^.{1,64}? invoked oom-killer"),
        re.compile(r"oom_score_adj=-?\d+\s*$|adj=-?\d+\s*$"),
        re.compile(r"gfp|GFP|order=|nodemask|_adj|adj="),
    ),
    (re.compile(r"^oom-kill:"), re.compile(r",uid=\d+\s*$"), re.compile(r"^\s*[^\s]*[=,/][^\s]*( [^\s=]*)?,?\S*\s*$")),
    (
        re.compile(r"^(?:[^:]{0,120}: )?Killed process(?: \d|\s*$)"),
        re.compile(r"oom_score_adj:-?\d+\s*$"),
        re.compile(r"kB|^\s*(?:UID|pgtables|oom_score|\d+,? )"),
    ),
    (re.compile(r"^\[ *pid *\] +uid"), re.compile(r"\bname\s*$"), re.compile(r"^[a-z_ ]+$")),
)
_ROW_REST = re.compile(r"^[\s\d-]*(?:\S.{0,63})?$")
_NAME_REST = re.compile(r"^[\w:./()\[\]-]{1,15}$")
_STARTS = re.compile(r"^(?:oom-kill:|.{0,64}? invoked oom-killer|(?:[^:]{0,120}: )?Killed process \d)")
# A client that drops the blank it breaks at: these words never stand in the middle of another.
_WORD_STARTS = re.compile(r"^(?:total-vm:|anon-rss:|UID:|pgtables:|gfp_mask=|order=)")


def may_go_on(body: str) -> bool:
    """Tell whether a message that has a prefix, and is no row of the table, may be continued by the next line."""
    if not body.strip() or body.endswith("\\"):
        return True
    if body[0] == "[":
        return body.find("pid") > 0 and read_header(body) == ()
    return ("oom-kill" in body or "illed process" in body) and any(start.match(body) for start, _whole, _on in _KINDS)


class Wrapped:
    """A line that may go on, and what was joined to it so far."""

    def __init__(self, line: Line, columns: tuple[str, ...]) -> None:
        self.line = line
        self._columns = columns
        self._pieces = 1

    def joins(self, raw: str) -> bool:
        """Join the text of a line without a prefix; False when it does not belong here."""
        body, text = self.line.body, unquoted(raw) if raw[:1] == ">" else raw
        if self._pieces >= _MOST_PIECES or len(body) + len(text) > _MOST_LENGTH:
            return False
        if body.endswith("\\"):
            return self._set(body[:-1] + text.lstrip())
        if not body.strip():
            return bool(_STARTS.match(text.strip())) and self._set(text.strip())
        if not text.strip():
            return False
        if is_row(body):
            return self._joins_row(body, text)
        for start, whole, on in _KINDS:
            if start.match(body):
                blank = " " if not body.endswith(" ") and _WORD_STARTS.match(text) else ""
                return not whole.search(body) and bool(on.search(text)) and self._set(body + blank + text)
        return False

    def _joins_row(self, body: str, text: str) -> bool:
        row = read_row(body, self._columns, {})
        if row is None:
            return bool(_ROW_REST.match(text)) and self._set(body + text)
        # A name is at most 15 long. Its rest is told from other text only in a row that was broken before.
        goes_on = self._pieces > 1 and bool(_NAME_REST.match(text)) and len(row.comm) + len(text) <= 15
        return goes_on and any(map(str.isalnum, text)) and self._set(body + text)

    def _set(self, body: str) -> bool:
        self.line = self.line._replace(body=body)
        self._pieces += 1
        return True
