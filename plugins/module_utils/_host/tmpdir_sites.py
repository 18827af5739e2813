# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Finds who gets a folder for temporary files: sites with slots, sites on php-cgi, and Apache."""

from __future__ import annotations

import grp
import pwd
from pathlib import Path
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import tmpdir
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_handlers import PHP_CGI_METHODS
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir import Directory, TmpdirError
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_store as store
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache import ApacheUnavailable, Run, read_apache
from ansible_collections.phpops.webhost.plugins.module_utils._host.php_sites import Limits, Sites

APACHE = "/usr/sbin/apache2"
# How a folder is handed from module to module.
DIRECTORY_OPTIONS: dict[str, Any] = {
    "site": {"type": "str", "required": True},
    "kind": {"type": "str", "choices": [tmpdir.FPM, tmpdir.PHP_CGI, tmpdir.WEB_SERVER], "required": True},
    "path": {"type": "path", "required": True},
    "user": {"type": "str", "required": True},
    "group": {"type": "str", "required": True},
    "uid": {"type": "int", "required": True},
    "gid": {"type": "int", "required": True},
    "size_bytes": {"type": "int", "required": True},
    "suexec": {"type": "bool", "default": False},
    "memory_max_bytes": {"type": "int"},
}


def php_sites(run: Run) -> dict[str, Any]:
    """Return the facts of Apache's PHP sites; on a host without Apache {"available": False, "reason"}.

    ``run`` must set ENVIRONMENT of _host/apache.py. TmpdirError where Apache is there and doesn't tell.
    """
    if not Path(APACHE).exists():
        return {"available": False, "reason": "This host has no Apache."}
    try:
        return Sites(read_apache(run), Limits()).facts()
    except ApacheUnavailable as error:
        raise TmpdirError(str(error)) from error


def find(
    mount: str,
    named: Sequence[Mapping[str, Any]],
    size_bytes: int,
    php_sites: Mapping[str, Any],
    web_server: bool,
    layout: Layout,
) -> list[Directory]:
    """Return the folders of a host. ``named``: {name, size_bytes}, without any all sites; ``size_bytes``: for the rest.

    ``php_sites``: the facts of Apache's PHP sites, {} to leave php-cgi out. TmpdirError for a name that is no site's,
    an account that the host lacks, and a group that is shared on /dev/shm.
    """
    short = {site["name"]: site["site"] for site in php_sites.get("sites") or []}
    sizes = {short.get(one["name"], one["name"]): one.get("size_bytes") for one in named}
    sites = {**_php_cgi(php_sites), **_fpm(layout)}
    unknown = sorted(set(sizes) - set(sites))
    if unknown:
        raise TmpdirError(f"{unknown[0]} is neither a site with slots nor one on php-cgi here: name one of its sites.")
    found = []
    for name, site in sorted(sites.items()):
        if sizes and name not in sizes:
            continue
        size = size_bytes if mount == tmpdir.SHM else sizes.get(name) or size_bytes
        found.append(_directory(mount, name, size_bytes=size, **site))
    if web_server and Path(APACHE).exists():
        facts = php_sites.get("apache") or {}
        user, group = facts.get("user") or "www-data", facts.get("group") or "www-data"
        found.append(_directory(mount, tmpdir.WEB_SERVER_NAME, tmpdir.WEB_SERVER, user, group, size_bytes))
    return found


def there(php_sites: Mapping[str, Any], layout: Layout) -> list[str]:
    """Return the names of all sites of the host."""
    return sorted({**_php_cgi(php_sites), **_fpm(layout)})


def _fpm(layout: Layout) -> dict[str, dict[str, Any]]:
    found = {}
    for name in store.sites(layout):
        live = store.live_slot(name, layout)
        stored = store.read_stored(name, live, layout) if live else None
        if stored:
            found[name] = {
                "kind": tmpdir.FPM,
                "user": stored["user"],
                "group": stored.get("group") or stored["user"],
                "memory_max_bytes": stored.get("memory_max_bytes"),
            }
    return found


def _php_cgi(php_sites: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        site["site"]: {
            "kind": tmpdir.PHP_CGI,
            "user": site["user"],
            "group": site["group"],
            "suexec": bool(site.get("suexec")),
        }
        for site in php_sites.get("sites") or []
        if site["php"]["method"] in PHP_CGI_METHODS and site.get("user") and site.get("group")
    }


def _directory(mount: str, site: str, kind: str, user: str, group: str, size_bytes: int, **more: Any) -> Directory:
    try:
        uid = pwd.getpwnam(user).pw_uid
        entry = grp.getgrnam(group)
    except KeyError as error:
        raise TmpdirError(f"Site {site}: {error.args[0]}; create the account or correct the site.") from error
    path = tmpdir.path_of(mount, site)
    found = Directory(site, kind, path, user, group, uid, entry.gr_gid, size_bytes, **more)
    if found.shared:
        accounts = [(one.pw_name, one.pw_gid) for one in pwd.getpwall()]
        tmpdir.refuse_sharers(found, tmpdir.sharers(user, entry.gr_gid, accounts, entry.gr_mem))
    return found
