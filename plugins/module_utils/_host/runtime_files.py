# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Looks for PHP files that a site writes while it runs and that OPcache would keep, without running PHP."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.runtime_php import (
    find_runtime_files,
    is_left_out,
    propose_blacklist,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host import account
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text
from ansible_collections.phpops.webhost.plugins.module_utils._host.php_files import find_php_files, read_head

MAX_FILES = 20000
MAX_SECONDS, MAX_SECONDS_ALL = 5.0, 30.0
SHOWN = 5
_MAX_LINES = 50
_MAX_BYTES = 1024 * 1024


def blacklist(opcache: Mapping[str, Any]) -> list[str]:
    """Return the lines of the blacklist that a site's directives name, none without one that can be read."""
    path = str(opcache.get("opcache.blacklist_filename") or "").strip('"')
    if not path.startswith("/"):
        return []
    try:
        lines = read_text(path, _MAX_BYTES).splitlines()
    except Unreadable:
        return []
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith(";")]


def look(
    paths: Sequence[str], user: str, group: str | None, left_out: Sequence[str], max_seconds: float = MAX_SECONDS
) -> dict[str, Any]:
    """Return slot_facts' ``php_files``: {files, complete, written, perhaps, examples, left_out, blacklist}.

    ``left_out`` are the lines of the blacklist that holds now. ``written`` counts the files with two signs or with a
    generator's content, ``perhaps`` those with one; both only where the site's user may write. Raises KeyError for an
    account that this host does not have.
    """
    ids = account.ids(user, group)
    walk = find_php_files(paths, [".php"], [], MAX_FILES, max_seconds)
    files = [file for file in walk.files if not is_left_out(file.path, left_out)]
    found = find_runtime_files(files, ids.uid, ids.gids, read_head)
    strong = [file.path for file in found if file.strong]
    return {
        "files": len(walk.files),
        "complete": walk.truncated is None and not walk.unreadable,
        "written": len(strong),
        "perhaps": len(found) - len(strong),
        "examples": strong[:SHOWN],
        "left_out": list(left_out[:_MAX_LINES]),
        "blacklist": propose_blacklist(found, files)[:_MAX_LINES],
    }
