# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What became of mod_fcgid's limits, in sentences."""

from __future__ import annotations

import re
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgid_plan import Plan

# The values of environment variables may be secret: whoever reads a diff or a log is told their names alone.
_VALUE = re.compile(
    r'^([ \t]*(?:FcgidInitialEnv|DefaultInitEnv|SetEnv)[ \t]+"?[\w.-]+)(?=["= \t\\])(?:[^\n]*\\\r?\n)*[^\r\n]*',
    re.IGNORECASE | re.MULTILINE,
)
_OPTION = re.compile(r"(\bInitialEnv[ \t]+[\w.-]+=)[^\s\\]+", re.IGNORECASE)


def masked(text: str) -> str:
    """Return an Apache file's text, or a part of it, without the values of environment variables."""
    return _OPTION.sub(r"\1********", _VALUE.sub(r"\1 ********", text))


def lines_changed(found: Plan) -> list[dict[str, Any]]:
    """Return the lines of other files that are changed: file, line, before and after, each on one line."""
    return [
        {"file": path, "line": edit.line, "before": _one_line(edit.old), "after": _one_line(edit.new)}
        for path, edits in sorted(found.edits.items())
        for edit in sorted(edits, key=lambda edit: edit.line)
        if edit.old != edit.new
    ]


def _one_line(text: str) -> str:
    return re.sub(r"\s*\\\r?\n\s*", " ", masked(text).strip())


def summary(result: Mapping[str, Any]) -> list[str]:
    """Return the result of the module as sentences."""
    if not result["available"]:
        return [str(result["reason"])]
    lines = [
        f"{limit} is {now['value']} for the whole server ({now['source']})." for limit, now in result["server"].items()
    ]
    for site in result["sites"]:
        own = [f"{limit} {site['limits'][limit]['value']}" for limit in site["own"]]
        if own:
            lines.append(f"Site {site['name']} has {', '.join(own)}.")
    lines += [f"{one['file']}:{one['line']}: {one['before']} became {one['after']}." for one in result["lines"]]
    lines += [
        f"{one['limit']} stays {one['value']} for {one['vhost']}, whose own line {one['file']}:{one['line']} wins over"
        f" the server's {one['asked']}."
        for one in result["overridden"]
    ]
    return [*lines, *result["notes"], *reload_lines(result["reload"])]


def reload_lines(reload: Mapping[str, Any]) -> Sequence[str]:
    """Return what became of the reload."""
    state = reload["state"]
    if state == "done":
        return [
            f"Apache was reloaded once, after {reload['waited_seconds']:.1f} s of waiting for idle php-cgi; the"
            f" {reload['php_cgi_before']} php-cgi of before it ended."
        ]
    told = {
        "busy": f"The files are written, but Apache was not reloaded: php-cgi served requests all"
        f" of the {reload['waited_seconds']:.0f} s, and a reload would cut them. The next run tries again.",
        "left": "The files are written, and Apache was not reloaded: the limits hold from its next reload on.",
        "not_running": "Apache is not running: the limits hold from its start on.",
        "due": "Apache will be reloaded once.",
    }
    return [told[state]] if state in told else []
