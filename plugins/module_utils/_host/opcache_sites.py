# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The sites to size: those of this host's slots, with what the caller says of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_plan import full_name
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_settings import SettingsError, version_key
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_sizing import SIZE_DIRECTIVES
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_store import live_slot, read_stored, sites

DEFAULT_BINARY = "/usr/bin/php"


@dataclass
class SizedSite:
    """One site with all that its sizing takes; ``current`` and ``decision`` are what earlier runs left, ``inherited``
    holds OPcache directives that the site's other ini sets."""

    name: str
    paths: list[str]
    user: str | None = None
    group: str | None = None
    php_version: str = ""
    php_binary: str = DEFAULT_BINARY
    socket: str | None = None
    probe_folders: list[str] = field(default_factory=list)
    profile: str = "in_place"
    size: str = "measured"
    headroom: float = 1.3
    directives: dict[str, str] = field(default_factory=dict)
    blacklist: list[str] = field(default_factory=list)
    blacklist_path: str | None = None
    current: dict[str, str] = field(default_factory=dict)
    inherited: dict[str, str] = field(default_factory=dict)
    decision: dict[str, Any] = field(default_factory=dict)
    decision_path: str | None = None

    def check_version(self, found: str) -> None:
        """Raise SettingsError when the binary that compiles is of another version than the site's PHP."""
        if version_key(found) != version_key(self.php_version):
            raise SettingsError(
                f"{self.php_binary} is PHP {found}, but the site runs {self.php_version}: their code takes different "
                "room; name the right php_binary."
            )


def build_sites(given: Sequence[Mapping[str, Any]], common: Mapping[str, Any], layout: Layout) -> list[SizedSite]:
    """Return the sites that the options name, or all sites of this host's slots when they name none.

    Raises StepFailed or SettingsError with a sentence for a site that can't be sized as asked.
    """
    wanted = list(given) or [{"name": name} for name in sites(layout)]
    names = [str(one["name"]) for one in wanted]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"sites names {name} twice: leave one of them out.")
    return [_build(one, common, layout) for one in wanted]


def _build(given: Mapping[str, Any], common: Mapping[str, Any], layout: Layout) -> SizedSite:
    name = str(given["name"])
    slot = live_slot(name, layout)
    stored = (read_stored(name, slot, layout) if slot else None) or {}

    def option(key: str, fallback: Any = None) -> Any:
        for source in (given, common, stored):
            if source.get(key) is not None:
                return source[key]
        return fallback

    root = stored.get("document_root")
    paths = [str(path) for path in given.get("paths") or common.get("paths") or ([root] if root else [])]
    if not paths:
        raise SettingsError(f"Site {name} has no slot on this host and no paths: name the folders of its code.")
    version = str(option("php_version", "") or "")
    site = SizedSite(
        name=name,
        paths=paths,
        user=option("user"),
        group=option("group"),
        php_version=version,
        php_binary=str(given.get("php_binary") or common.get("php_binary") or DEFAULT_BINARY + version),
        socket=given.get("socket") or (layout.web_socket(name, slot) if slot else None),
        profile=option("profile", "in_place"),
        size=option("size", "measured"),
        headroom=float(option("headroom", 1.3)),
        directives=_directives(given, common),
        blacklist=[str(line) for line in option("blacklist", [])],
        current=_opcache(stored.get("opcache")),
        inherited=_opcache(stored.get("ini")),
    )
    slot_folder = [layout.slot_dir(name, slot)] if slot else []
    site.probe_folders = [*slot_folder, *([given["probe_path"]] if given.get("probe_path") else []), *paths]
    site.decision_path = f"{layout.config}/{name}/opcache.json"
    site.decision = _read_decision(site.decision_path)
    site.blacklist_path = _blacklist_path(site, layout)
    _check(site)
    return site


def _opcache(table: Mapping[str, Any] | None) -> dict[str, str]:
    return {str(key): str(value) for key, value in (table or {}).items() if str(key).startswith("opcache.")}


def _directives(given: Mapping[str, Any], common: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for source in (common, given):
        for name, value in (source.get("directives") or {}).items():
            found[full_name(str(name))] = _ini(value)
        for name in SIZE_DIRECTIVES:
            if source.get(name) is not None:
                found[full_name(name)] = _ini(source[name])
    return found


def _ini(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _read_decision(path: str) -> dict[str, Any]:
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _blacklist_path(site: SizedSite, layout: Layout) -> str | None:
    """Return a name that changes with the lines, so that other lines mean another directive, and so a flip."""
    if not site.blacklist:
        return None
    digest = hashlib.sha256("\n".join(site.blacklist).encode()).hexdigest()[:12]
    return f"{layout.config}/{site.name}/opcache-blacklist-{digest}.txt"


def _check(site: SizedSite) -> None:
    if not 1.0 <= site.headroom <= 10.0:
        raise SettingsError(f"Site {site.name}: headroom is {site.headroom:g}; give a factor from 1.0 to 10.")
    for path in site.paths:
        if not path.startswith("/") or not Path(path).exists():
            raise SettingsError(
                f"Site {site.name}: there is no {path} on this host; name an absolute path that exists."
            )
    for line in site.blacklist:
        if not line.startswith("/") or any(ord(letter) < 32 for letter in line):
            raise SettingsError(
                f"Site {site.name}: blacklist line {line!r} is no absolute path; begin it with a slash."
            )
