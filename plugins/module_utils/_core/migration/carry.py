# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Takes one site's settings over, from mod_fcgid, its wrapper and php-cgi's ini files to those of PHP-FPM."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, List, Mapping, Union

from ansible_collections.phpops.webhost.plugins.module_utils._core.migration import ini
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.notes import Notes, Refused
from ansible_collections.phpops.webhost.plugins.module_utils._core.wrapper import APACHE_PATH, SUEXEC_PATH

DEFAULT_CHILDREN = 20
_PHP_DEFAULT_REQUESTS = 500
# A year.
_NEVER_SECONDS = 31536000
# Set by the starters for mod_fcgid or for one request; FPM makes its own.
_NOT_CARRIED = frozenset(
    ("PHPRC", "PHP_INI_SCAN_DIR", "PHP_FCGI_CHILDREN", "PHP_FCGI_MAX_REQUESTS", "SCRIPT_FILENAME", "PATH_TRANSLATED")
)

IniValue = Union[str, List[str]]


@dataclass(frozen=True)
class IniFiles:
    """The ini files of a site on the host, as (path, text), in the order in which PHP reads them.

    php_ini is the file that php-cgi was led to by -c or PHPRC, None when it was not led, or found nothing there.
    """

    cgi: tuple[tuple[str, str], ...] = ()
    fpm: tuple[tuple[str, str], ...] = ()
    php_ini: str | None = None
    unreadable: tuple[str, ...] = field(default=())


def _fcgid(site: Mapping[str, Any], name: str) -> tuple[str | None, bool]:
    """Return (value, whether somebody set it) of a mod_fcgid directive."""
    found = ((site.get("fcgid") or {}).get("directives") or {}).get(name)
    if not isinstance(found, Mapping) or found.get("value") is None:
        return None, False
    value = found["value"]
    return (value if isinstance(value, str) else str(value)), found.get("source") != "default"


def fcgid_number(site: Mapping[str, Any], name: str, default: int) -> tuple[int, bool]:
    """Return (number, whether somebody set it); the default where the facts have none."""
    value, given = _fcgid(site, name)
    try:
        return (default, False) if value is None else (int(value), given)
    except ValueError:
        raise Refused(f"{name} is {value!r}: it must be a whole number.") from None


def pass_headers(site: Mapping[str, Any]) -> list[str]:
    """Return the headers of FcgidPassHeader."""
    found = ((site.get("fcgid") or {}).get("directives") or {}).get("FcgidPassHeader") or {}
    value = found.get("value") or []
    return [value] if isinstance(value, str) else [str(item) for item in value]


def process_environment(site: Mapping[str, Any]) -> dict[str, str]:
    """Return what php-cgi found in its environment: FcgidInitialEnv, then the wrapper's exports."""
    merged = dict((site.get("fcgid") or {}).get("initial_env") or {})
    merged.update((site.get("wrapper") or {}).get("environment") or {})
    return {str(name): str(value) for name, value in merged.items()}


def environment(site: Mapping[str, Any], notes: Notes) -> dict[str, str]:
    """Return the pool's env[]: all that php-cgi had, but what belongs to mod_fcgid; PATH always."""
    found = {}
    for name, value in sorted(process_environment(site).items()):
        if name in _NOT_CARRIED or name.startswith("PHP_FCGI_"):
            continue
        found[name] = value
        notes.carry("environment variable " + name, "FcgidInitialEnv or the wrapper", f"env[{name}]")
    # FPM clears its environment, and php-cgi had a PATH: exec('convert …') must go on finding its program.
    found.setdefault("PATH", SUEXEC_PATH if site.get("suexec") else APACHE_PATH)
    return found


def process_manager(site: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    """Return pm.*: ondemand, since php-cgi too was started on demand. Times are seconds."""
    wrapper = site.get("wrapper") or {}
    initial = (site.get("fcgid") or {}).get("initial_env") or {}
    children, given = fcgid_number(site, "FcgidMaxProcessesPerClass", 100)
    if not given:
        children = DEFAULT_CHILDREN
        notes.report(
            f"FcgidMaxProcessesPerClass was never set (100 by default): pm.max_children is {children}, and requests"
            " beyond wait. Override process_manager.max_children to change it."
        )
    notes.carry("processes at most", "FcgidMaxProcessesPerClass", "pm.max_children", children)
    forks = wrapper.get("php_fcgi_children")
    if forks:
        notes.report(f"PHP_FCGI_CHILDREN={forks} is dropped: mod_fcgid never used those children.")
    limits = []
    asked = wrapper.get("php_fcgi_max_requests")
    if asked is None:
        asked = initial.get("PHP_FCGI_MAX_REQUESTS", _PHP_DEFAULT_REQUESTS)
    try:
        limits = [int(asked), fcgid_number(site, "FcgidMaxRequestsPerProcess", 0)[0]]
    except ValueError:
        raise Refused(f"PHP_FCGI_MAX_REQUESTS is {asked!r}: it must be a whole number.") from None
    requests = min((limit for limit in limits if limit > 0), default=0)
    notes.carry(
        "requests per process", "PHP_FCGI_MAX_REQUESTS, FcgidMaxRequestsPerProcess", "pm.max_requests", requests
    )
    idle, _given = fcgid_number(site, "FcgidIdleTimeout", 300)
    # mod_fcgid never ends an idle process where this is 0; FPM takes no 0.
    idle = idle if idle > 0 else _NEVER_SECONDS
    notes.carry("idle time", "FcgidIdleTimeout", "pm.process_idle_timeout", idle)
    return {
        "mode": "ondemand",
        "max_children": max(children, 1),
        "process_idle_timeout_seconds": idle,
        "max_requests": requests,
    }


def terminate_timeout_seconds(site: Mapping[str, Any], notes: Notes) -> int:
    """Return when a request is ended: FcgidBusyTimeout, and the scan that found it, so never earlier than before."""
    busy, _given = fcgid_number(site, "FcgidBusyTimeout", 300)
    scan, _given = fcgid_number(site, "FcgidBusyScanInterval", 120)
    seconds = busy + scan if busy > 0 else 0
    notes.carry(
        "longest request", "FcgidBusyTimeout + FcgidBusyScanInterval", "request_terminate_timeout", str(seconds) + " s"
    )
    return seconds


def ini_settings(
    site: Mapping[str, Any], files: IniFiles, php_version: str, notes: Notes
) -> tuple[dict[str, IniValue], dict[str, str]]:
    """Return (ini, opcache) of the spec: php-cgi's differences from FPM's ini files, then -d, which win."""
    wrapper = site.get("wrapper") or {}
    if wrapper.get("no_ini"):
        raise Refused("The wrapper runs php-cgi with -n, without any php.ini: take -n out of it first.")
    if files.unreadable:
        raise Refused("php-cgi's settings can't be read: {}".format(" ".join(files.unreadable)))
    cgi, fpm = ini.read(files.cgi, php_version), ini.read(files.fpm, php_version)
    difference = ini.difference(cgi, fpm)
    merged: dict[str, IniValue] = {}
    for name, value, source in difference.lines:
        if name.startswith(("cgi.", "fastcgi.")) and name != "cgi.fix_pathinfo":
            continue
        merged[name] = value
        notes.carry(name, source, "ini.d/20-site.ini", value)
    for kind, value, source in difference.extensions:
        loaded = merged.setdefault(kind, [])
        if isinstance(loaded, list):
            loaded.append(value)
        notes.carry(f"{kind} {value}", source, "ini.d/20-site.ini")
    for name in difference.only_fpm:
        notes.report(f"{name} is set for FPM and was not for php-cgi ({fpm.sources[name]}).")
    for name in difference.only_fpm_extensions:
        notes.report(f"The extension {name} is loaded by FPM and was not by php-cgi.")
    for source in cgi.scoped:
        notes.report(f"{source} stands in a section for a path or a host and is not carried.")
    for name, raw in sorted((wrapper.get("ini") or {}).items()):
        merged[name] = ini.value(str(raw), php_version) if _is_literal(str(raw)) else str(raw)
        notes.carry(name, "-d of the wrapper", "ini.d/20-site.ini", merged[name])
    opcache = {name: str(value) for name, value in merged.items() if name.startswith("opcache.")}
    return {name: value for name, value in merged.items() if name not in opcache}, opcache


def _is_literal(raw: str) -> bool:
    """php-cgi quotes what follows -d NAME= unless it begins with a letter, a digit or a quote (cgi_main.c)."""
    return not raw or raw[0].isalnum() or raw[0] in "\"'"
