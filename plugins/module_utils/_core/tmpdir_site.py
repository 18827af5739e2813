# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What a site's PHP is told of its folder for temporary files, and what it had before."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir import SESSIONS, TmpdirError
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import human_bytes

# What php.ini says of temporary files, and of what else would go with them.
DIRECTIVES = (
    *("sys_temp_dir", "upload_tmp_dir", "open_basedir", "session.save_path", "session.save_handler"),
    *("post_max_size", "upload_max_filesize"),
)
# The last resort of php_get_temporary_directory() (main/php_open_temporary_file.c).
PHP_DEFAULT = "/tmp"
_QUANTITY = re.compile(r"^\s*(\d+)\s*([kmg]?)", re.IGNORECASE)
# By option: value before, value that we set; None is "not set".
Record = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Change:
    """The site's options as they are to be, what is needed to take them back, and sentences about it."""

    environment: dict[str, str]
    ini: dict[str, Any]
    record: dict[str, dict[str, Any]]
    notes: tuple[str, ...] = ()


def before(
    environment: Mapping[str, str], ini: Mapping[str, Any], record: Record
) -> tuple[dict[str, str], dict[str, Any], list[str]]:
    """Return environment and ini without what we set, and the names that somebody else has changed since."""
    tables: dict[str, dict[str, Any]] = {"environment": dict(environment), "ini": dict(ini)}
    foreign = []
    for option, known in record.items():
        table, _dot, name = option.partition(".")
        if tables[table].get(name) != known["new"]:
            foreign.append(option)
        elif known["old"] is None:
            tables[table].pop(name, None)
        else:
            tables[table][name] = known["old"]
    return tables["environment"], tables["ini"], foreign


def change(
    environment: Mapping[str, str],
    ini: Mapping[str, Any],
    record: Record,
    php: Mapping[str, str],
    path: str,
    size_bytes: int,
    sessions: bool,
    extend: bool,
) -> Change:
    """Return what a site's options become. ``php``: directives as PHP has them without the site's own ini.

    TmpdirError where open_basedir shuts the folder out and may not be extended.
    """
    old_environment, old_ini, _foreign = before(environment, ini, record)

    def value(name: str) -> str:
        own = old_ini.get(name, php.get(name, ""))
        return str(own[-1] if isinstance(own, list) and own else own)

    notes: list[str] = []
    new: dict[str, Any] = {"sys_temp_dir": path, "upload_tmp_dir": path}
    allowed = value("open_basedir")
    if allowed and not inside(path, allowed):
        if not extend:
            raise TmpdirError(
                f"open_basedir is {allowed}, which shuts {path} out: add it there, or let the role extend it"
                " (tmpdir_open_basedir: extend)."
            )
        new["open_basedir"] = f"{allowed}:{path}"
        notes.append(f"open_basedir is extended by {path}.")
    goes_with = value("sys_temp_dir") or old_environment.get("TMPDIR") or PHP_DEFAULT
    new.update(_sessions(value("session.save_handler"), value("session.save_path"), path, goes_with, sessions, notes))
    notes += size_notes(value, size_bytes)
    tables = {"environment": (old_environment, {"TMPDIR": path}), "ini": (old_ini, new)}
    kept = {
        f"{table}.{name}": {"old": old.get(name), "new": text}
        for table, (old, ours) in tables.items()
        for name, text in ours.items()
    }
    return Change({**old_environment, "TMPDIR": path}, {**old_ini, **new}, kept, tuple(notes))


def _sessions(
    handler: str, save_path: str, path: str, goes_with: str, wanted: bool, notes: list[str]
) -> dict[str, str]:
    """Sessions in files with no path of their own would go with the temporary files (ext/session/mod_files.c)."""
    if handler != "files":
        if wanted and handler:
            notes.append(f"Sessions are kept by {handler}, not in files: they stay where they are.")
        return {}
    if wanted:
        notes.append(f"Sessions go to {path}/{SESSIONS}; they end with a reboot.")
        return {"session.save_path": f"{path}/{SESSIONS}"}
    if save_path:
        return {}
    notes.append(f"session.save_path was not set, so sessions would have followed sys_temp_dir: it is {goes_with} now.")
    return {"session.save_path": goes_with}


def hardening_refusal(hardening: Sequence[str], path: str) -> str | None:
    """Return why a unit's hardening shuts a folder out, None where it doesn't: ProtectSystem=strict leaves /dev alone.

    Source: systemd.exec(5).
    """
    if "ProtectSystem=strict" not in hardening or path.startswith("/dev/"):
        return None
    writable = [line.partition("=")[2].split() for line in hardening if line.startswith("ReadWritePaths=")]
    if any(inside(path, entry.lstrip("-+")) for entries in writable for entry in entries):
        return None
    return f"ProtectSystem=strict makes {path} read-only: add ReadWritePaths={path} to the site's hardening."


def size_notes(value: Any, size_bytes: int) -> list[str]:
    """Return a sentence for each limit of uploads that is larger than the tmpfs; ``value`` gives directives by name."""
    notes = []
    for name in ("upload_max_filesize", "post_max_size"):
        limit = php_bytes(value(name))
        if limit is not None and limit > size_bytes:
            notes.append(f"{name} is {human_bytes(limit)}, the tmpfs {human_bytes(size_bytes)}: larger uploads fail.")
    return notes


def inside(path: str, allowed: str) -> bool:
    """Return whether open_basedir lets a folder be used: it or one above it is listed (main/fopen_wrappers.c)."""
    entries = [entry.rstrip("/") or "/" for entry in allowed.split(":") if entry.startswith("/")]
    return any(path == entry or path.startswith(entry.rstrip("/") + "/") for entry in entries)


def php_bytes(text: str) -> int | None:
    """Return a size as PHP reads it ("8M"), None for what is no number and for 0, which is no limit."""
    match = _QUANTITY.match(text)
    if not match or not int(match.group(1)):
        return None
    power = " kmg".index(match.group(2).lower() or " ")
    return int(match.group(1)) * (1 << 10 * power)


def php_cgi_refusal(environment: Mapping[str, str], directives: Mapping[str, str], path: str) -> str | None:
    """Return why a php-cgi site can't get TMPDIR from Apache, None where it can.

    ``environment``: what its wrapper exports; ``directives``: of its ini files and -d options; a name that is missing
    has Debian's default, by which sessions are in /var/lib/php/sessions.
    """
    if environment.get("TMPDIR", path) != path:
        return f"its wrapper exports TMPDIR={environment['TMPDIR']} itself: write {path} there."
    allowed = directives.get("open_basedir", "")
    if allowed and not inside(path, allowed):
        return f"open_basedir is {allowed}, which shuts {path} out: add it to the site's php.ini."
    if directives.get("session.save_handler", "files") == "files" and directives.get("session.save_path") == "":
        return "session.save_path is empty, so its sessions would go with TMPDIR: set it in the site's php.ini."
    if directives.get("sys_temp_dir", path) not in ("", path):
        return (
            f"sys_temp_dir is {directives['sys_temp_dir']}, which wins over TMPDIR: take it out of the site's php.ini."
        )
    return None


def wrapper_cure(site: str, wrapper: str, path: str) -> str:
    """Return what to do about a site that Apache starts by suexec."""
    return (
        f"Site {site} runs by suexec, which drops TMPDIR: write `export TMPDIR={path}` into {wrapper or 'its wrapper'},"
        " or move the site to PHP-FPM."
    )
