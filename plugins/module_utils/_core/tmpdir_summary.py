# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What was done about temporary files, in sentences."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir import SHM_PATH
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of, human_bytes


def of_mounts(mounts: Sequence[Mapping[str, Any]], directories: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each mount (path, size_bytes, used_bytes, options), and one for the folders."""
    found = []
    for one in mounts:
        flags = [flag for flag in ("nosuid", "nodev", "noexec") if flag in str(one["options"]).split(",")]
        found.append(
            f"{one['path']} has {human_bytes(one['size_bytes'])}, {human_bytes(one['used_bytes'])} used"
            f" ({', '.join(flags) or 'no flags'})."
        )
    shared = [one for one in directories if str(one["path"]).startswith(f"{SHM_PATH}/")]
    names = ", ".join(str(one["site"]).lstrip(".") for one in directories)
    where = f"in {SHM_PATH}" if shared else "each on a tmpfs of its own"
    if directories:
        found.append(f"{count_of(len(directories), 'folder')} {where}: {names}.")
    return found


def of_sites(sites: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each site with slots, with what PHP says of it, and its notes."""
    found = []
    for one in sites:
        php, why = one.get("php"), "; ".join(one.get("reasons") or [])
        if one["failed"]:
            found.append(f"{one['name']}: {one['msg']}")
        elif php is None:
            found.append(f"{one['name']}: {'would be flipped: ' + why if one['changed'] else 'stays as it is'}.")
        else:
            folder = php.get("sys_temp_dir") or php.get("TMPDIR") or "/tmp"
            done = "flipped" if one.get("flipped") else "unchanged"
            able = "which its user can write to" if php.get("writable") else "which its user can NOT write to"
            found.append(f"{one['name']}: {done}, PHP's temporary files go to {folder}, {able}.")
        found += [f"{one['name']}: {note}" for note in one.get("notes") or []]
    return found


def of_apache(result: Mapping[str, Any]) -> list[str]:
    """Return sentences on php-cgi, CGI programs and Apache itself."""
    found = []
    for one in result["sites"]:
        found.append(f"{one['site']}: php-cgi gets TMPDIR={one['path']}." if one["reached"] else str(one["reason"]))
    if result["cgi_folders"]:
        found.append(f"CGI programs in {', '.join(result['cgi_folders'])} get TMPDIR={result['apache']['path']}.")
    if result["reload"]:
        found.append(f"Apache was reloaded once ({result['reload']['seconds']:g} s).")
    restart = result["restart"]
    if restart:
        opened = restart["open_connections"]
        found.append(
            f"Apache was restarted in {restart['seconds']:g} s;"
            f" {'unknown how many' if opened is None else opened} connections were open and {restart['busy_php_cgi']}"
            " php-cgi busy just before: what was lost, only clients know."
        )
    elif result["apache"]["in_force"]:
        found.append(f"Apache itself runs with TMPDIR={result['apache']['in_force']}.")
    return found
