# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Brings mod_fcgid's limits to Apache's files: checked on a copy, read back, and undone when they don't hold."""

from __future__ import annotations

import os
import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import fcgid_limits as core
from ansible_collections.phpops.webhost.plugins.module_utils._core import fcgid_plan as planning
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.config_lines import LineEdit, LineError, apply_all
from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgid_limits import LimitError
from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgid_report import lines_changed, masked, summary
from ansible_collections.phpops.webhost.plugins.module_utils._host import apache_reload, fcgid_record
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache import (
    CONTROLS,
    ApacheUnavailable,
    read_apache,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache import Apache as Dump
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache_control import (
    Apache,
    ApacheError,
    MaybeText,
    broken_certificates,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.fcgid_record import Changed, Record
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_bytes
from ansible_collections.phpops.webhost.plugins.module_utils._host.handler_files import BACKUP_FOLDER, swap
from ansible_collections.phpops.webhost.plugins.module_utils._host.lock import Locked, locked
from ansible_collections.phpops.webhost.plugins.module_utils._host.php_sites import Limits, Sites
from ansible_collections.phpops.webhost.plugins.module_utils._host.vhost import (
    Change,
    Entry,
    Link,
    diff_of,
    entry,
    put,
)

FILE = "phpops-fcgid-limits.conf"
Asked = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Settings:
    """How to go about it; times are in seconds. ``reload``: idle, always or never."""

    rename: bool = True
    reload: str = "idle"
    idle_timeout_seconds: float = 30.0
    quiet_seconds: float = 1.0
    reload_timeout_seconds: float = 60.0
    gone_timeout_seconds: float = 60.0
    lock_timeout_seconds: float = 60.0
    lock: str = "/run/phpops-apache.lock"
    folder: str = BACKUP_FOLDER


@dataclass
class Work:
    """One run: the changes in the order in which they are made, what they rest on, and what is told of them."""

    changes: list[Change]
    bare: dict[str, bytes]
    edits: dict[str, list[LineEdit]]
    # The server's limits and the plan; {} and None when all is taken away.
    server: dict[str, int]
    plan: planning.Plan | None
    result: dict[str, Any]
    sites: list[dict[str, Any]] = field(default_factory=list)
    indexes: dict[str, int | None] = field(default_factory=dict)


def read(apache: Apache, stage: MaybeText = None) -> Dump:
    """Return what Apache says of its configuration, or of a copy of it. Raises ApacheUnavailable."""
    return read_apache(apache.reader(stage))


def sites_of(dump: Dump) -> list[dict[str, Any]]:
    """Return the PHP sites, as phpops_php_sites has them."""
    found: list[dict[str, Any]] = Sites(dump, Limits(error_log_max_bytes=0)).facts()["sites"]
    return found


def installed() -> bool:
    """Tell whether this host has Apache."""
    return any(os.access(path, os.X_OK) for path in CONTROLS)


def apply(
    state: str, server: Mapping[str, Any], sites: Asked, apache: Apache, settings: Settings, check_mode: bool
) -> dict[str, Any]:
    """Bring the limits to ``state``; returns what the module returns. Raises LimitError."""
    wanted = core.checked(server, "The server's limits", True)
    try:
        with nullcontext() if check_mode else locked(settings.lock, settings.lock_timeout_seconds):
            record = fcgid_record.read_record(settings.folder)
            work = _absent(apache, record) if state == "absent" else _present(wanted, sites, apache, settings, record)
            _carry_out(work, apache, settings, record, check_mode)
    except Locked as error:
        raise LimitError(
            f"Another run (process {error.holder}) changes Apache ({settings.lock} is locked): try later."
        ) from error
    except (OSError, LineError, Unreadable, ApacheError) as error:
        raise LimitError(f"The limits could not be changed: {error}") from error
    work.result["summary"] = summary(work.result)
    return work.result


def _empty(reason: MaybeText = None) -> dict[str, Any]:
    lists: dict[str, list[Any]] = {name: [] for name in ("sites", "lines", "overridden", "notes", "files", "diff")}
    reload = {"state": "none", "waited_seconds": 0.0, "seconds": None, "php_cgi_before": 0, "busy": 0, "warnings": []}
    known: dict[str, Any] = {"available": reason is None, "reason": reason, "changed": False, "summary": []}
    return {**known, **lists, "server": {}, "restored": {}, "reload": reload}


def _bare(record: Record) -> tuple[dict[str, bytes], dict[str, bytes], list[str]]:
    """Return the bytes of the files that we changed, the same without our changes, and what can't be given back."""
    current, bare, notes = {}, {}, []
    for path in record.files:
        try:
            current[path] = read_bytes(path)
        except Unreadable as error:
            if not error.missing:
                raise
            continue
        bare[path], lost = record.bare(path, current[path])
        notes += [
            f"{path}: the line {masked(edit.new).strip()!r} was changed since by somebody else and stays; it was"
            f" {masked(edit.old).strip()!r} before."
            for edit in lost
        ]
    return current, bare, notes


def _own(apache: Apache, text: MaybeText) -> list[Change]:
    """Return the changes of the file with the server's limits and of the symlink that switches it on."""
    root = apache.config_root.rstrip("/")
    path, link = f"{root}/conf-available/{FILE}", f"{root}/conf-enabled/{FILE}"
    there = entry(path)
    if isinstance(there, Link) or (there is not None and not there.startswith(core.HEADER.encode())):
        raise LimitError(f"{path} was not written by this collection: rename it.")
    switch = entry(link)
    if switch is not None and not isinstance(switch, Link):
        raise LimitError(f"{link} is a file, not the symlink of this collection: rename it.")
    goal = None if text is None else Link(f"../conf-available/{FILE}")
    changes = [Change(path, there, text.encode() if text else None), Change(link, switch, goal)]
    return changes if text else changes[::-1]


def _staging(changes: Sequence[Change]) -> tuple[dict[str, bytes], dict[str, str], list[str]]:
    texts = {change.path: change.after for change in changes if isinstance(change.after, bytes)}
    links = {change.path: change.after.goal for change in changes if isinstance(change.after, Link)}
    return texts, links, [change.path for change in changes if change.after is None]


def _present(server: dict[str, int], asked: Asked, apache: Apache, settings: Settings, record: Record) -> Work:
    if not installed():
        return Work([], {}, {}, {}, None, _empty("Apache is not installed on this host: there is nothing to limit."))
    root = apache.config_root.rstrip("/")
    current, bare, notes = _bare(record)
    place = f"{settings.folder}/{fcgid_record.NAME}"
    own = _own(apache, core.server_text(server, place) if server else None)
    without = [Change(path, current[path], bare[path]) for path in bare if bare[path] != current[path]]
    try:
        with apache.staged(*_staging([*own, *without])) as stage:
            dump = read(apache, stage)
    except ApacheUnavailable as error:
        raise LimitError(f"Nothing was changed. {error}") from error
    if "fcgid" not in dump.modules:
        return Work([], {}, {}, {}, None, _empty("Apache does not load mod_fcgid: there is nothing to limit."))
    found_sites = sites_of(dump)
    by_site, more = planning.site_limits(asked, found_sites)

    def text(path: str) -> str:
        if path not in bare:
            current[path] = bare[path] = read_bytes(path)
        return bare[path].decode("latin-1")

    files = planning.Files(
        real=os.path.realpath,
        ours=lambda path: path.startswith(os.path.realpath(root) + "/"),
        text=text,
    )
    found = planning.plan(
        dump.config, found_sites, server, by_site, f"{root}/conf-enabled/{FILE}", settings.rename, files
    )
    refused, advice = planning.request_problems(dump.config, found_sites, server, found, os.path.realpath)
    if refused:
        raise LimitError("Nothing was changed. " + " ".join(refused))
    after = {}
    for path in sorted({*bare, *found.edits, *found.blocks}):
        try:
            after[path] = apply_all(text(path), found.edits.get(path, []), found.blocks.get(path, [])).encode("latin-1")
        except LineError as error:
            raise LimitError(f"{path}: {error}") from error
    changes = [*own, *(Change(path, current[path], after[path]) for path in after)]
    result = _empty()
    result["notes"] = [*notes, *more, *found.notes, *advice]
    result["lines"], result["overridden"] = lines_changed(found), found.overridden
    edits = {path: found.edits.get(path, []) for path in after if after[path] != bare[path]}
    work = Work(changes, bare, edits, server, found, result, found_sites)
    work.indexes = planning.first_indexes(dump.config, found_sites, os.path.realpath)
    result["sites"] = [{"site": slug, "own": sorted(limits)} for slug, limits in by_site.items()]
    return work


def _absent(apache: Apache, record: Record) -> Work:
    current, bare, notes = _bare(record)
    changes = [*_own(apache, None), *(Change(path, current[path], bare[path]) for path in bare)]
    result = _empty()
    result["notes"] = notes
    result["restored"] = {path: record.is_restored(path, bare[path]) for path in bare}
    return Work(changes, bare, {}, {}, None, result)


def _carry_out(work: Work, apache: Apache, settings: Settings, record: Record, check_mode: bool) -> None:
    result = work.result
    if not result["available"]:
        return
    work.changes = [change for change in work.changes if change.before != change.after]
    due = not record.reloaded and installed() and apache_reload.is_due(apache, record.written)
    result["files"] = [change.path for change in work.changes]
    result["diff"] = [{key: masked(text) for key, text in diff_of(change).items()} for change in work.changes]
    result["changed"] = bool(work.changes)
    config = _checked_copy(work, apache) if installed() else []
    if check_mode:
        running = installed() and bool(apache.parent())
        if (work.changes or due) and running:
            result["reload"]["state"] = "left" if settings.reload == "never" else "due"
        result["changed"] = result["changed"] or (due and settings.reload != "never")
        return
    if not work.changes and not due:
        return
    broken = broken_certificates(config) if settings.reload != "never" and apache.parent() else []
    if broken:
        raise LimitError("A reload would end Apache; nothing was changed: " + " ".join(broken))
    new = _write(work, apache, settings, record) if work.changes else record
    _reload(work, apache, settings, record, new)


def _checked_copy(work: Work, apache: Apache) -> list[Directive]:
    """Return the configuration with all changes, as Apache reads it from a copy, and note what holds there."""
    try:
        with apache.staged(*_staging(work.changes)) as stage:
            config = read(apache, stage).config
    except ApacheUnavailable as error:
        raise LimitError(f"Nothing was changed. {error}") from error
    wrong = _wrong(work, config)
    if wrong:
        raise LimitError(f"Nothing was changed. {wrong}")
    _note(work, config)
    return config


def _wrong(work: Work, config: Sequence[Directive]) -> MaybeText:
    wrong = planning.mismatches(config, work.server, work.plan) if work.plan else []
    return " ".join(wrong) or None


def _note(work: Work, config: Sequence[Directive]) -> None:
    if work.plan is None:
        return
    now = planning.effective(config)
    own = {one["site"]: one["own"] for one in work.result["sites"]}
    names = sorted({*work.server, core.MAX_REQUESTS, *(name for limits in own.values() for name in limits)})
    work.result["server"] = {limit: now[limit] for limit in work.server}
    shown = planning.shown_sites(config, work.sites, work.indexes, names)
    work.result["sites"] = [{**one, "own": own.get(one["site"], [])} for one in shown]


def _put(path: str, wanted: Entry) -> None:
    """Bring a path to what is wanted; a file that is there keeps its owner and mode. Raises OSError."""
    if isinstance(wanted, bytes) and Path(path).is_file() and not Path(path).is_symlink():
        swap({path: wanted})
    else:
        put(path, wanted)


def _restore(work: Work, record: Record, settings: Settings) -> None:
    for change in reversed(work.changes):
        _put(change.path, change.before)
    fcgid_record.write_record(record, settings.folder)


def _write(work: Work, apache: Apache, settings: Settings, record: Record) -> Record:
    """Change the real files and let Apache read them; when it reads anything else all bytes go back."""
    copies = fcgid_record.backup(record, {path: work.bare[path] for path in work.edits}, settings.folder)
    files = {
        path: Changed(fcgid_record.digest(work.bare[path]), copies[path], edits) for path, edits in work.edits.items()
    }
    new = Record(files, time.time(), False)
    # Before the files: a run that is killed in between leaves a record of both, and none of its lines is forgotten.
    both = Record({**record.files, **new.files}, new.written, False)
    for path, known in record.files.items():
        if path in new.files:
            edits = [*known.edits, *(edit for edit in new.files[path].edits if edit not in known.edits)]
            both.files[path] = Changed(new.files[path].sha256, new.files[path].backup, edits)
    fcgid_record.write_record(both, settings.folder)
    complaint: MaybeText = None
    try:
        for change in work.changes:
            _put(change.path, change.after)
        if installed():
            config = read(apache).config
            complaint = _wrong(work, config)
            _note(work, config)
    except (OSError, ApacheUnavailable) as error:
        complaint = str(error)
    if complaint:
        _restore(work, record, settings)
        raise LimitError(f"Apache can't use the changed files, which are as before again: {complaint}")
    new.written = time.time()
    fcgid_record.write_record(new, settings.folder)
    return new


def _reload(work: Work, apache: Apache, settings: Settings, old: Record, new: Record) -> None:
    told = work.result["reload"]
    if not installed() or not apache.parent():
        told["state"], new.reloaded = "not_running", True
    elif settings.reload == "never":
        told["state"] = "left"
    else:
        try:
            done = apache_reload.reload_idle(
                apache,
                settings.idle_timeout_seconds,
                settings.reload_timeout_seconds,
                settings.gone_timeout_seconds,
                settings.reload == "always",
                settings.quiet_seconds,
            )
        except ApacheError as error:
            _restore(work, old, settings)
            down = ""
            if apache.parent():
                with suppress(ApacheError):
                    apache.graceful(settings.reload_timeout_seconds)
            else:
                down = apache.start()
            raise LimitError(f"{error} The files are as before. {down}".rstrip()) from error
        new.reloaded = done.seconds is not None
        told["state"] = "done" if new.reloaded else "busy"
        told["waited_seconds"], told["php_cgi_before"] = round(done.waited_seconds, 2), done.before
        told["seconds"] = None if done.seconds is None else round(done.seconds, 2)
        told["busy"] = len(done.working)
        told["warnings"] = done.warnings(settings.gone_timeout_seconds) if new.reloaded else []
        work.result["changed"] = work.result["changed"] or new.reloaded
    fcgid_record.write_record(new, settings.folder)
