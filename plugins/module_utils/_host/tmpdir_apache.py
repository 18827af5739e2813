# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Gives TMPDIR to Apache's php-cgi and CGI programs by one guarded reload, and to Apache itself by a restart."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import tmpdir, tmpdir_apache, tmpdir_site
from ansible_collections.phpops.webhost.plugins.module_utils._core.config_lines import LineError
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration import carry
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration import ini as ini_core
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir import Directory, TmpdirError
from ansible_collections.phpops.webhost.plugins.module_utils._host import drop_ins, systemd, tmpdir_restart
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache_control import (
    Apache,
    ApacheError,
    broken_certificates,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache_reload import is_due, reload_idle
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import (
    Unreadable,
    bytes_if_there,
    fsync_dir,
    read_text,
    text_or_empty,
    write_atomic,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.handler_files import swap
from ansible_collections.phpops.webhost.plugins.module_utils._host.lock import Locked, locked
from ansible_collections.phpops.webhost.plugins.module_utils._host.migration_sources import ini_files

CONF = "/etc/apache2/conf-enabled/phpops-tmpdir.conf"


@dataclass(frozen=True)
class Settings:
    """Where things are and how long to wait for what, in seconds. ``restart``: Apache may be restarted."""

    cgi: bool = True
    restart: bool = False
    idle_timeout_seconds: float = 30.0
    reload_timeout_seconds: float = 60.0
    gone_timeout_seconds: float = 60.0
    lock_timeout_seconds: float = 60.0
    lock: str = "/run/phpops-apache.lock"
    # The files of virtual hosts that have a block of ours, and whether a reload is due.
    record: str = "/var/lib/phpops/tmpdir-apache.json"
    drop_in: str = "/etc/systemd/system/apache2.service.d/50-phpops-tmpdir.conf"
    envvars: str = "/etc/apache2/envvars"
    etc_php: str = "/etc/php"
    proc: str = "/proc"
    check_mode: bool = False


@dataclass
class Work:
    """The bytes of Apache's files as they are and as they are to be (None: no file), the unit's drop-in, sentences."""

    before: dict[str, bytes | None]
    after: dict[str, bytes | None]
    unit: drop_ins.Change
    sites: list[dict[str, Any]]
    folders: list[str]
    path: str | None

    def changed(self) -> list[str]:
        """Return the files of Apache that change."""
        return tmpdir_apache.changed(self.before, self.after)


def apply(
    directories: Sequence[Directory],
    php_sites: Mapping[str, Any],
    apache: Apache,
    run: systemd.Run,
    settings: Settings,
) -> dict[str, Any]:
    """Bring Apache's files, unit and processes to these folders; without any, take all back.

    Raises TmpdirError, ApacheError, Unreadable, SystemctlError and OSError; what was changed is taken back then.
    """
    with ExitStack() as held:
        if not settings.check_mode:
            held.enter_context(_locked(settings))
        work = _plan(directories, php_sites, apache, settings)
        unit = work.unit.before != work.unit.after
        pending = _recorded(settings)[1]
        due = not work.changed() and pending is not None and is_due(apache, pending)
        result: dict[str, Any] = {
            "changed": bool(work.changed() or unit or due),
            "diff": _diff(work) + ([work.unit.shown()] if unit else []),
            "sites": work.sites,
            "cgi_folders": work.folders,
            "reload": None,
            "restart": None,
            "warnings_found": [],
        }
        if unit and not settings.check_mode:
            _write_unit(work, run)
        # What our drop-in says in a dry run is not there yet.
        coming = work.path if unit and settings.check_mode else _coming(run, settings)
        restart = settings.restart and bool(apache.parent())
        restart = restart and tmpdir_restart.in_force(apache, settings.proc) != coming
        result["changed"] = result["changed"] or restart
        if not settings.check_mode:
            if work.changed() or due:
                result["reload"] = _change(work, apache, settings, result["warnings_found"], not restart)
            if restart:
                result["restart"] = tmpdir_restart.restart(apache, run, settings.idle_timeout_seconds)
        result["apache"] = _told(work, coming, apache, settings, result["warnings_found"])
        return result


def _coming(run: systemd.Run, settings: Settings) -> str | None:
    """Return the TMPDIR of Apache's next start, whoever sets it: a restart for another one would change nothing."""
    unit = systemd.show(run, tmpdir_restart.UNIT, ["Environment"])
    return tmpdir_apache.at_next_start(text_or_empty(settings.envvars), unit["Environment"])


@contextmanager
def _locked(settings: Settings) -> Iterator[None]:
    with ExitStack() as held:
        try:
            held.enter_context(locked(settings.lock, settings.lock_timeout_seconds))
        except Locked as error:
            raise TmpdirError(
                f"Another run (process {error.holder}) changes Apache ({settings.lock} is locked): try later."
            ) from error
        yield


def _plan(directories: Sequence[Directory], php_sites: Mapping[str, Any], apache: Apache, settings: Settings) -> Work:
    own = next((one for one in directories if one.kind == tmpdir.WEB_SERVER), None)
    by_site = {one.site: one for one in directories if one.kind == tmpdir.PHP_CGI}
    facts = [site for site in php_sites.get("sites") or [] if site["site"] in by_site]
    conf = str(Path(apache.config_root) / "conf-enabled" / Path(CONF).name)
    before: dict[str, bytes | None] = {path: bytes_if_there(path) for path in [*_recorded(settings)[0], conf]}
    places: dict[str, list[tuple[int, str, str]]] = {path: [] for path in before if path != conf}
    sites = []
    for site in facts:
        why = _refusal(site, by_site[site["site"]], settings)
        told = {"site": site["site"], "path": by_site[site["site"]].path, "reached": why is None, "reason": why}
        sites.append(told)
        for vhost in site["vhosts"] if why is None else []:
            before.setdefault(vhost["file"], bytes_if_there(vhost["file"]))
            places.setdefault(vhost["file"], []).append((int(vhost["line"]), site["site"], told["path"]))
    after = dict(before)
    for path, wanted in places.items():
        content = before[path]
        if content is None:
            continue
        try:
            after[path] = tmpdir_apache.with_blocks(content.decode("latin-1"), wanted).encode("latin-1")
        except LineError as error:
            raise TmpdirError(f"{path}: {error}") from error
    folders: list[str] = []
    if own is not None and settings.cgi:
        wrappers = [str((site.get("wrapper") or {}).get("path") or "") for site in php_sites.get("sites") or []]
        folders = tmpdir_apache.cgi_folders(apache.dump(), wrappers)
    text = tmpdir_apache.conf_text(folders, own.path) if own is not None else ""
    after[conf] = text.encode() if text else None
    unit = drop_ins.Change(
        settings.drop_in,
        bytes_if_there(settings.drop_in),
        tmpdir_apache.unit_text(own.path).encode() if own is not None else None,
    )
    return Work(before, after, unit, sites, folders, own.path if own is not None else None)


def _refusal(site: Mapping[str, Any], directory: Directory, settings: Settings) -> str | None:
    """Return why a php-cgi site is not reached, None where it is."""
    name, path = site["site"], directory.path
    wrapper = site.get("wrapper") or {}
    if directory.suexec:
        exported = (wrapper.get("environment") or {}).get("TMPDIR")
        return None if exported == path else tmpdir_site.wrapper_cure(name, str(wrapper.get("path") or ""), path)
    if any(vhost.get("macro") or not vhost.get("file") for vhost in site["vhosts"]):
        return f"Site {name}: its virtual host is made by a macro: write FcgidInitialEnv TMPDIR {path} into the macro."
    version = (site.get("php") or {}).get("version")
    directives: dict[str, str] = {}
    if version:
        files = ini_files(site, version, settings.etc_php)
        directives = dict(ini_core.read(files.cgi, version).values)
    directives.update({str(key): str(value) for key, value in (wrapper.get("ini") or {}).items()})
    environment = {**carry.process_environment({"wrapper": wrapper})}
    said = tmpdir_site.php_cgi_refusal(environment, directives, path)
    return f"Site {name}: {said}" if said else None


def _recorded(settings: Settings) -> tuple[list[str], float | None]:
    """Return the files of virtual hosts that have a block of ours, and when lines were written that no reload read."""
    try:
        stored = json.loads(read_text(settings.record))
        return [str(path) for path in stored["files"]], stored["pending"]
    except (Unreadable, ValueError, TypeError, KeyError):
        return [], None


def _record(paths: Sequence[str], pending: float | None, settings: Settings) -> None:
    path = Path(settings.record)
    if paths or pending is not None:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        write_atomic(path, json.dumps({"files": sorted(paths), "pending": pending}) + "\n", 0o644)
    elif path.exists():
        path.unlink()
        fsync_dir(path.parent)


def _blocks(files: Mapping[str, bytes | None]) -> list[str]:
    """Return the files that have a block of ours."""
    return [path for path, text in files.items() if text and tmpdir_apache.sites_in(text.decode("latin-1"))]


def _write_unit(work: Work, run: systemd.Run) -> None:
    complaint = drop_ins.complaint(run, [work.unit], ["apache2.service"]) if work.unit.after is not None else None
    complaint = complaint or drop_ins.apply(run, [work.unit], lambda: None)
    if complaint:
        raise TmpdirError(f"systemd refuses {work.unit.path}, which is as before: {complaint}")


def _change(work: Work, apache: Apache, settings: Settings, warnings: list[str], reload: bool) -> dict[str, Any] | None:
    """Check the files, put them in place and reload once; what fails, or finds php-cgi busy, is taken back.

    Without ``reload`` a restart follows, which reads them too.
    """
    changed = work.changed()
    pending = _recorded(settings)[1]
    complaint = apache.complaint()
    if complaint:
        raise TmpdirError(f"Apache's configuration doesn't pass as it is; nothing was changed: {complaint}")
    texts = {path: text for path, text in work.after.items() if path in changed and text is not None}
    complaint = apache.staged_complaint(texts, {}, [path for path in changed if work.after[path] is None])
    if complaint:
        raise TmpdirError(f"Apache refuses the new lines; nothing was changed: {complaint}")
    broken = broken_certificates(apache.dump())
    if broken:
        raise TmpdirError("A reload would end Apache; nothing was changed: " + " ".join(broken))
    _record(sorted({*_blocks(work.before), *_blocks(work.after)}), time.time(), settings)
    try:
        _put(work.after, changed)
        complaint = apache.complaint()
        if complaint:
            raise TmpdirError(f"Apache refuses the changed files, which are as before again: {complaint}")
        done = _reload(apache, settings, warnings) if reload and apache.parent() else None
    except (TmpdirError, ApacheError, OSError) as error:
        _put(work.before, changed)
        # A reload that an earlier run did not reach is still to be made.
        _record(_blocks(work.before), pending, settings)
        down = apache.start() if isinstance(error, ApacheError) and not apache.parent() else ""
        if down:
            raise TmpdirError(f"{error} Its files are as before. {down}") from error
        raise
    _record(_blocks(work.after), None, settings)
    return done


def _reload(apache: Apache, settings: Settings, warnings: list[str]) -> dict[str, Any]:
    done = reload_idle(
        apache,
        settings.idle_timeout_seconds,
        settings.reload_timeout_seconds,
        settings.gone_timeout_seconds,
        even_if_busy=False,
        # A request that comes while Apache is reloaded may hang: after a quiet second one is less likely.
        quiet_seconds=1.0,
    )
    if done.seconds is None:
        raise TmpdirError(
            f"{len(done.working)} php-cgi served requests all through {settings.idle_timeout_seconds:g} s, which a"
            " reload would cut. Apache's files are as they were: try at a quieter time, or raise"
            " tmpdir_idle_timeout_seconds."
        )
    warnings += done.warnings(settings.gone_timeout_seconds)
    return {"seconds": round(done.seconds, 2), "waited_seconds": round(done.waited_seconds, 2), "php_cgi": done.before}


def _put(files: Mapping[str, bytes | None], paths: Sequence[str]) -> None:
    """Put bytes into files, with the owner and mode that each has; None removes one. Raises OSError."""
    for path in paths:
        content = files[path]
        if content is None:
            with suppress(FileNotFoundError):
                Path(path).unlink()
                fsync_dir(Path(path).parent)
        elif Path(path).exists():
            swap({path: content})
        else:
            write_atomic(path, content, 0o644)


def _told(work: Work, coming: str | None, apache: Apache, settings: Settings, warnings: list[str]) -> dict[str, Any]:
    """Return what Apache's own process has now, and warn of what it will not have; ``coming``: at its next start."""
    now = tmpdir_restart.in_force(apache, settings.proc)
    pending = bool(apache.parent()) and now != coming
    if pending and not settings.restart:
        warnings.append(
            f"Apache itself runs with TMPDIR={now or '(unset)'} until its next restart, then with"
            f" {coming or '(unset)'}: set tmpdir_restart_webserver to restart it now."
        )
    if work.path:
        said = tmpdir_apache.envvars_warning(text_or_empty(settings.envvars), work.path, settings.envvars)
        if not said and coming != work.path:
            said = (
                f"Another drop-in of {tmpdir_restart.UNIT} sets TMPDIR={coming or '(unset)'}, which wins over"
                f" {settings.drop_in}: take that line out."
            )
        warnings += [said] if said else []
    return {"path": work.path, "in_force": now, "pending": pending}


def _diff(work: Work) -> list[dict[str, str]]:
    return [
        {
            "before_header": path,
            "after_header": path,
            "before": (work.before.get(path) or b"").decode("utf-8", "replace"),
            "after": (work.after[path] or b"").decode("utf-8", "replace"),
        }
        for path in work.changed()
    ]
