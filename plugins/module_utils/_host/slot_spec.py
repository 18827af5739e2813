# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The argument spec of a site, and what Ansible's loose values become."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

ENTRY_POINT_OPTIONS: dict[str, Any] = {
    "path": {"type": "str", "default": "/index.php"},
    "host": {"type": "str", "default": ""},
    "query": {"type": "str", "default": ""},
    "method": {"type": "str", "choices": ["GET", "HEAD", "POST"], "default": "GET"},
    "headers": {"type": "dict", "default": {}},
    "status": {"type": "int", "default": 200},
    "contains": {"type": "str", "default": ""},
    "script": {"type": "str", "default": ""},
    "https": {"type": "bool", "default": False},
}
PROCESS_MANAGER_OPTIONS: dict[str, Any] = {
    "mode": {"type": "str", "choices": ["ondemand", "dynamic", "static"]},
    "max_children": {"type": "int"},
    "start_servers": {"type": "int"},
    "min_spare_servers": {"type": "int"},
    "max_spare_servers": {"type": "int"},
    "process_idle_timeout_seconds": {"type": "int"},
    "max_requests": {"type": "int"},
}
# No option has a default: what is left out keeps what the site has.
SITE_OPTIONS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "user": {"type": "str"},
    "group": {"type": "str"},
    "web_group": {"type": "str"},
    "php_version": {"type": "str"},
    "document_root": {"type": "path"},
    "script_root": {"type": "str", "choices": ["auto", "document_root", "pointer"]},
    "php_ini": {"type": "path"},
    "ini_scan_dirs": {"type": "list", "elements": "path"},
    "ini": {"type": "dict"},
    "opcache": {"type": "dict"},
    "environment": {"type": "dict"},
    "process_manager": {"type": "dict", "options": PROCESS_MANAGER_OPTIONS},
    "request_terminate_timeout_seconds": {"type": "int"},
    "process_control_timeout_seconds": {"type": "int"},
    "limit_extensions": {"type": "list", "elements": "str"},
    "umask": {"type": "str"},
    "memory_high_bytes": {"type": "int"},
    "memory_max_bytes": {"type": "int"},
    "hardening": {"type": "list", "elements": "str"},
    "entry_points": {"type": "list", "elements": "dict", "options": ENTRY_POINT_OPTIONS},
}


def _string(value: Any) -> Any:
    """Return a scalar as php.ini would hold it: YAML's true is 1, its 64 is "64"."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, list):
        return [_string(item) for item in value]
    return "" if value is None else value


def strings_of(site: Mapping[str, Any]) -> dict[str, Any]:
    """Return a site's options with the values of ini, opcache, environment and headers as strings."""
    found = dict(site)
    for option in ("ini", "opcache", "environment"):
        if found.get(option) is not None:
            found[option] = {str(name): _string(value) for name, value in found[option].items()}
    if found.get("entry_points") is not None:
        found["entry_points"] = entry_strings(found["entry_points"])
    return found


def entry_strings(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return entry points with the values of their headers as strings."""
    return [
        {**entry, "headers": {str(name): _string(value) for name, value in (entry.get("headers") or {}).items()}}
        for entry in entries
    ]
