# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The options of opcache_size_info, as AnsibleModule takes them."""

from __future__ import annotations

from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_sizing import SIZE_DIRECTIVES

_STRINGS = ("user", "group", "php_version")
_PROFILES = ["in_place", "release"]
_SOURCES = ["measured", "compiled", "given"]

SITE_OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "paths": {"type": "list", "elements": "path"},
    **{name: {"type": "str"} for name in _STRINGS},
    **{name: {"type": "path"} for name in ("php_binary", "socket", "probe_path")},
    "profile": {"type": "str", "choices": _PROFILES},
    "size": {"type": "str", "choices": _SOURCES},
    "headroom": {"type": "float"},
    **{name: {"type": "int"} for name in SIZE_DIRECTIVES},
    "directives": {"type": "dict"},
    "blacklist": {"type": "list", "elements": "str"},
}

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "sites": {"type": "list", "elements": "dict", "default": [], "options": SITE_OPTIONS},
    "paths": {"type": "list", "elements": "path"},
    **{name: {"type": "str"} for name in _STRINGS},
    "php_binary": {"type": "path"},
    "profile": {"type": "str", "choices": _PROFILES, "default": "in_place"},
    "size": {"type": "str", "choices": _SOURCES, "default": "measured"},
    "headroom": {"type": "float", "default": 1.3},
    **{name: {"type": "int"} for name in SIZE_DIRECTIVES},
    "directives": {"type": "dict", "default": {}},
    "blacklist": {"type": "list", "elements": "str", "default": []},
    "compile": {"type": "bool", "default": True},
    "exclude": {"type": "list", "elements": "str", "default": []},
    "extensions": {
        "type": "list",
        "elements": "str",
        "default": [".php", ".phtml", ".inc", ".module", ".install", ".theme"],
    },
    "ini": {"type": "dict", "default": {}},
    "max_memory_bytes": {"type": "int", "default": 1073741824},
    "max_seconds": {"type": "int", "default": 120},
    "max_files": {"type": "int", "default": 100000},
    "list_files": {"type": "int", "default": 100},
    "trust_after_seconds": {"type": "int", "default": 86400},
}
