# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reads on the host what a migration plan needs beyond the facts: ini files and the names below document roots."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.migration import carry, handlers
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.block import Rule
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.notes import Notes, Refused
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.pages import (
    Target,
    belongs,
    target,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.plan import (
    Found,
    PlanError,
    SitePlan,
    choose,
    keep,
    override_of,
    plan_site,
    warn_doubles,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.support import PHP_OF_DEBIAN, parse_os_release
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text
from ansible_collections.phpops.webhost.plugins.module_utils._host.handler_files import BACKUP_FOLDER, read_record

MAX_ENTRIES = 200_000
MAX_SECONDS = 10.0


def _php_ini(place: str) -> str | None:
    """Return the php.ini that php-cgi takes from a file or a folder (php_ini.c: php-SAPI.ini goes first)."""
    path = Path(place)
    candidates = [path / "php-cgi-fcgi.ini", path / "php.ini"] if path.is_dir() else [path]
    return next((str(item) for item in candidates if item.is_file()), None)


def ini_files(site: Mapping[str, Any], php_version: str, etc: str = "/etc/php") -> carry.IniFiles:
    """Return the ini files of a site as php-cgi reads them, and as its FPM master will."""
    wrapper = site.get("wrapper") or {}
    environment = carry.process_environment(site)
    place = wrapper.get("ini_path") or wrapper.get("phprc") or environment.get("PHPRC")
    php_ini = _php_ini(str(place)) if place else None
    top = Path(etc) / php_version
    folders = environment.get("PHP_INI_SCAN_DIR")
    scanned = [part or str(top / "cgi/conf.d") for part in folders.split(":")] if folders else [str(top / "cgi/conf.d")]
    extra = [part for part in (folders or "").split(":") if part]
    unreadable: list[str] = []
    # With -c, php-cgi looks nowhere else for its php.ini.
    base = None if wrapper.get("ini_path") else str(top / "cgi/php.ini")
    cgi = _read([php_ini or base], scanned, unreadable)
    fpm = _read([php_ini or str(top / "fpm/php.ini")], [str(top / "fpm/conf.d"), *extra], unreadable)
    return carry.IniFiles(cgi, fpm, php_ini, tuple(unreadable))


def _read(files: Sequence[str | None], folders: Sequence[str], unreadable: list[str]) -> tuple[tuple[str, str], ...]:
    paths = [Path(item) for item in files if item]
    for folder in folders:
        try:
            paths += sorted(path for path in Path(folder).iterdir() if path.suffix == ".ini")
        except OSError:
            continue
    found = []
    for path in paths:
        if not path.exists():
            continue
        try:
            found.append((str(path), read_text(path)))
        except Unreadable as error:
            unreadable.append(str(error))
    return tuple(found)


def last_extensions(
    document_root: str, rules: Sequence[Rule], entries: int = MAX_ENTRIES, seconds: float = MAX_SECONDS
) -> tuple[tuple[str, ...], bool]:
    """Return (last extensions of the files that a rule takes, whether all folders were seen), symlinks followed."""
    found: set[str] = set()
    seen: set[tuple[int, int]] = set()
    todo = [document_root]
    until = time.monotonic() + seconds
    while todo:
        folder = todo.pop()
        try:
            status = Path(folder).stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as listing:
                for entry in listing:
                    entries -= 1
                    if entries < 0 or time.monotonic() > until:
                        return tuple(sorted(found)), False
                    if entry.is_dir():
                        todo.append(entry.path)
                    else:
                        extension = handlers.last_extension_of(entry.name, rules)
                        if extension:
                            found.add(extension)
        except OSError:
            continue
    return tuple(sorted(found)), True


def entry_points(site: Mapping[str, Any], targets: Sequence[Target], rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """Return the URLs that name one of the site's PHP files, as entry points for its slot."""
    points = []
    for goal in targets:
        path, _mark, query = goal.path.partition("?")
        file = Path(str(site.get("document_root"))) / path.lstrip("/")
        if belongs(goal, site) and file.is_file() and handlers.last_extension_of(file.name, rules):
            points.append({"path": path, "query": query, "host": goal.host})
    return points


def look(site: Mapping[str, Any], php_version: str, targets: Sequence[Target] = (), etc: str = "/etc/php") -> Found:
    """Return what the host tells about one site of the facts."""
    try:
        rules = handlers.rules(site)
        rules += handlers.htaccess(site, Notes())[1]
    except Refused:
        return Found()
    extensions, complete = last_extensions(str(site.get("document_root")), rules)
    return Found(
        ini=ini_files(site, php_version, etc),
        last_extensions=extensions,
        scan_complete=complete,
        entry_points=tuple(entry_points(site, targets, rules)),
    )


def no_plan(msg: str) -> dict[str, Any]:
    """Return what plan returns, with nothing in it but the reason."""
    lists = ("sites", "specs", "migrated", "packages", "others", "to_size", "handlers", "refused")
    return {"msg": msg, **{name: [] for name in lists}}


def plan(
    facts: Mapping[str, Any],
    names: Sequence[str],
    overrides: Mapping[str, Any],
    urls: Sequence[Mapping[str, Any]],
    config: str = "/etc/phpops",
    record_folder: str = BACKUP_FOLDER,
) -> dict[str, Any]:
    """Return the plan of a host's sites as plain values. Raises PlanError and UrlError.

    A site that was migrated keeps the spec that is stored for it: later changes of it are not undone, overrides win.
    """
    if not facts.get("available"):
        raise PlanError("The facts of the PHP sites are not there: " + str(facts.get("reason") or "gather them first."))
    php_version = PHP_OF_DEBIAN[parse_os_release(read_text("/etc/os-release"))["VERSION_ID"]]
    targets = [target(entry) for entry in urls]
    record = read_record(record_folder)
    plans, migrated = [], []
    chosen = choose(facts, names)
    for site in chosen:
        override = override_of(overrides, site)
        one = plan_site(site, override, look(site, php_version, targets), php_version)
        stored = _stored(str(site.get("site")), config) if site.get("site") in record.sites else None
        if one.refused is None and stored is not None:
            migrated.append(one.site)
            one = replace(one, spec=keep(stored, override))
        plans.append(one)
    warn_doubles(plans)
    movable = [item for item in plans if item.refused is None]
    return {
        "msg": "",
        "sites": [asdict(item) for item in plans],
        "specs": [item.spec for item in movable],
        "migrated": migrated,
        "packages": [f"php{php_version}-fpm"] if not Path(f"/usr/sbin/php-fpm{php_version}").exists() else [],
        "others": [str(site.get("name")) for site in choose(facts, []) if site not in chosen],
        "to_size": [_to_size(item) for item in movable if item.site not in migrated],
        "handlers": [
            {
                "name": item.name,
                "site": item.site,
                "names": list(item.names),
                "block": item.block,
                "vhosts": [{key: vhost.get(key) for key in ("file", "line", "address")} for vhost in item.vhosts],
            }
            for item in movable
        ],
        "refused": [f"{item.name}: {item.refused}" for item in plans if item.refused is not None],
    }


def _stored(site: str, config: str) -> dict[str, Any] | None:
    try:
        found = json.loads(read_text(Path(config) / site / "site.json"))
    except (Unreadable, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _to_size(item: SitePlan) -> dict[str, Any]:
    return {
        "name": item.site,
        "paths": [item.spec["document_root"]],
        "user": item.spec["user"],
        "group": item.spec["group"],
        "php_version": item.spec["php_version"],
        "directives": item.spec["opcache"],
    }
