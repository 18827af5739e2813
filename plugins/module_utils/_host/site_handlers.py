# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Moves the handlers of many sites at once, with one reload, and takes back those that answer otherwise than before."""

from __future__ import annotations

import contextlib
import copy
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration import block, pages
from ansible_collections.phpops.webhost.plugins.module_utils._core.vhost_host import needs_proxy
from ansible_collections.phpops.webhost.plugins.module_utils._host import handler_files as files
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache_control import (
    Apache,
    ApacheError,
    broken_certificates,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache_reload import reload_idle
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable
from ansible_collections.phpops.webhost.plugins.module_utils._host.lock import Locked, locked
from ansible_collections.phpops.webhost.plugins.module_utils._host.pages import fetch


class HandlersError(Exception):
    """Nothing could be changed, or all was taken back; one sentence."""


@dataclass(frozen=True)
class Settings:
    """How long to wait for what, in seconds."""

    idle_timeout_seconds: float = 30.0
    reload_timeout_seconds: float = 60.0
    request_timeout_seconds: float = 30.0
    gone_timeout_seconds: float = 60.0
    lock_timeout_seconds: float = 60.0
    # Longer than a second: a page that bears the time in seconds is seen to change by itself.
    between_seconds: float = 1.5
    lock: str = "/run/phpops-apache.lock"
    backup_folder: str = files.BACKUP_FOLDER


@dataclass
class Outcome:
    """What became of one site."""

    name: str
    site: str
    changed: bool = False
    failed: bool = False
    step: str | None = None
    msg: str = ""
    restored: bool | None = None

    def fail(self, step: str, msg: str) -> None:
        """Note that the site failed; it goes on as it was."""
        self.failed, self.step, self.msg, self.changed = True, step, msg, False


@dataclass
class Work:
    """One run: the sites, the files, and what happened."""

    state: str
    sites: list[dict[str, Any]]
    outcomes: dict[str, Outcome]
    before: dict[str, bytes] = field(default_factory=dict)
    reload: dict[str, Any] = field(default_factory=lambda: {"reloads": 0, "seconds": [], "warnings": []})

    def alive(self) -> list[dict[str, Any]]:
        """Return the sites that have not failed."""
        return [site for site in self.sites if not self.outcomes[site["site"]].failed]

    def edit(self) -> files.Edit:
        """Return what the files are to be, for the sites that have not failed."""
        if self.state == "present":
            return files.with_blocks(self.alive(), self.before)
        return files.without_blocks([site["site"] for site in self.alive()], self.before)


@contextlib.contextmanager
def _locked(settings: Settings) -> Iterator[None]:
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(locked(settings.lock, settings.lock_timeout_seconds))
        except Locked as error:
            raise HandlersError(
                f"Another run (process {error.holder}) changes Apache ({settings.lock} is locked): try later."
            ) from error
        except OSError as error:
            raise HandlersError(f"Apache's files are not changed: the lock can't be taken ({error}).") from error
        yield


def apply(
    state: str,
    sites: Sequence[Mapping[str, Any]],
    urls: Sequence[Mapping[str, Any]],
    apache: Apache,
    settings: Settings,
    check_mode: bool,
) -> dict[str, Any]:
    """Give the sites their blocks, or take them away. Raises HandlersError and UrlError."""
    targets = [pages.target(entry) for entry in urls]
    if check_mode:
        return _apply(state, sites, targets, apache, settings, True)
    with _locked(settings):
        return _apply(state, sites, targets, apache, settings, False)


def _apply(
    state: str,
    sites: Sequence[Mapping[str, Any]],
    targets: Sequence[pages.Target],
    apache: Apache,
    settings: Settings,
    check_mode: bool,
) -> dict[str, Any]:
    record = files.read_record(settings.backup_folder)
    work = _collect(state, sites, record)
    edit = work.edit()
    links = files.missing_links(apache.modules(), apache.config_root) if state == "present" and work.alive() else {}
    gone = _links_to_remove(work, edit, record, apache)
    if not edit.changed() and not links and not gone:
        return _result(work, edit, {}, [], False)
    complaint = apache.complaint()
    if complaint:
        raise HandlersError(f"Apache's configuration doesn't pass as it is; nothing was changed: {complaint}")
    _stage(work, apache, links, gone)
    edit = work.edit()
    if check_mode or not (edit.changed() or links or gone):
        return _result(work, edit, links, gone, bool(edit.changed() or links or gone))
    if not apache.parent():
        raise HandlersError(f"Apache is not running ({apache.pid_file} names no process): start it first.")
    broken = broken_certificates(apache.dump())
    if broken:
        raise HandlersError("A reload would end Apache; nothing was changed: " + " ".join(broken))
    goals = _goals(work, targets)
    first = _before([goal for _site, goal in goals], settings)
    files.backup(record, edit, settings.backup_folder)
    old_record = copy.deepcopy(record)
    _note(record, work)
    files.write_record(record, settings.backup_folder)
    made, removed = _swap(edit, links, gone, apache)
    record.links = sorted((set(record.links) | set(made)) - set(removed))
    files.write_record(record, settings.backup_folder)
    try:
        _reload(work, apache, settings)
    except ApacheError as error:
        down = _undo(edit, made, removed, apache, settings)
        files.write_record(old_record, settings.backup_folder)
        raise HandlersError(f"{error} The files are as before. {down}".rstrip()) from error
    _compare(work, goals, first, settings)
    _take_back(work, edit, apache, settings)
    final = work.edit()
    _finish(work, final, record, settings)
    return _result(work, final, links, gone, bool(final.changed() or links or gone))


def _collect(state: str, sites: Sequence[Mapping[str, Any]], record: files.Record) -> Work:
    wanted = [dict(site) for site in sites]
    if state == "absent":
        slugs = {str(stored.get("name")): slug for slug, stored in record.sites.items()}
        names = [slugs.get(site["site"], site["site"]) for site in wanted] or sorted(record.sites)
        wanted = [{"site": name, **record.sites.get(name, {"name": name, "names": [], "vhosts": []})} for name in names]
    work = Work(state, wanted, {site["site"]: Outcome(str(site.get("name")), site["site"]) for site in wanted})
    for site in wanted:
        try:
            mine = files.read_all([vhost["file"] for vhost in site["vhosts"]])
            if state == "present":
                files.with_blocks([site], mine)
        except (Unreadable, block.BlockError) as error:
            work.outcomes[site["site"]].fail("place", str(error))
            continue
        work.before.update(mine)
    return work


def _links_to_remove(work: Work, edit: files.Edit, record: files.Record, apache: Apache) -> list[str]:
    """Return the module links that we made and nobody needs any more."""
    leaving = {site["site"] for site in work.alive()}
    if work.state == "present" or not record.links or set(record.sites) - leaving:
        return []
    pointers = "/var/lib/phpops/"
    # Lines of one's own, and other sites' virtual hosts, may name a pointer as well as the blocks that go.
    if any(pointers.encode() in files.bare(content) for content in edit.after.values()):
        return []

    def of_block(item: Directive) -> bool:
        return pointers in item.arguments and os.path.realpath(item.file) in edit.after

    return [] if needs_proxy(apache.dump(), of_block) else list(record.links)


def _stage(work: Work, apache: Apache, links: Mapping[str, str], gone: list[str]) -> None:
    """Let Apache check the sites' blocks on a copy; a site whose block it refuses fails alone."""
    edit = work.edit()
    texts = {path: edit.after[path] for path in edit.changed()}
    complaint = apache.staged_complaint(texts, links, gone)
    if complaint is None:
        return
    if work.state == "absent":
        raise HandlersError(f"Apache refuses its configuration without the blocks; nothing was changed: {complaint}")
    for site in work.alive():
        alone = files.with_blocks([site], work.before)
        said = apache.staged_complaint({path: alone.after[path] for path in alone.changed()}, links, gone)
        if said:
            work.outcomes[site["site"]].fail("check", f"Apache refuses the block: {said}")
    edit = work.edit()
    complaint = apache.staged_complaint({path: edit.after[path] for path in edit.changed()}, links, gone)
    if complaint:
        raise HandlersError(f"Apache refuses the blocks together; nothing was changed: {complaint}")


def _goals(work: Work, targets: Sequence[pages.Target]) -> list[tuple[str, pages.Target]]:
    """Return (site, URL) to compare; a site that no URL belongs to is asked for its first page's status."""
    found = []
    for site in work.alive():
        mine = [goal for goal in targets if pages.belongs(goal, site)]
        if not mine and site.get("names") and site["vhosts"]:
            port = str(site["vhosts"][0].get("address") or "*:80").rpartition(":")[2]
            scheme = "https" if port == "443" else "http"
            if port.isdigit():
                url = f"{scheme}://{site['names'][0]}:{port}/"
                mine = [pages.Target(url, scheme, site["names"][0], int(port), "/", body=False)]
        found += [(site["site"], goal) for goal in mine]
    return found


def _before(goals: Sequence[pages.Target], settings: Settings) -> dict[pages.Target, tuple[pages.Page, bool]]:
    """Return (the answer, whether one of a moment earlier has the same body) for each URL; one wait for all of them."""
    earlier = {goal: fetch(goal, settings.request_timeout_seconds) for goal in goals}
    if any(goal.body for goal in earlier):
        time.sleep(settings.between_seconds)
    answers = {goal: fetch(goal, settings.request_timeout_seconds) for goal in earlier}
    return {goal: (answers[goal], answers[goal].digest == earlier[goal].digest) for goal in earlier}


def _note(record: files.Record, work: Work) -> None:
    for site in work.alive():
        if work.state == "present":
            record.sites[site["site"]] = {
                "name": site.get("name"),
                "names": list(site.get("names") or []),
                "vhosts": [{"file": vhost["file"], "address": vhost.get("address")} for vhost in site["vhosts"]],
            }


def _swap(
    edit: files.Edit, links: Mapping[str, str], gone: list[str], apache: Apache
) -> tuple[list[str], dict[str, str]]:
    """Change the real files and check again; on a complaint all bytes go back. Return (links made, links removed)."""
    made: list[str] = []
    removed: dict[str, str] = {}
    complaint: str | None = None
    try:
        files.swap({path: edit.after[path] for path in edit.changed()})
        made = files.make_links(links)
        removed = files.remove_links(gone)
        complaint = apache.complaint()
    except OSError as error:
        complaint = str(error)
    if complaint is not None:
        files.swap({path: edit.before[path] for path in edit.changed()})
        files.remove_links(made)
        files.make_links(removed)
        raise HandlersError(f"Apache refuses the changed files, which are as before again: {complaint}")
    return made, removed


def _undo(edit: files.Edit, made: Sequence[str], removed: Mapping[str, str], apache: Apache, settings: Settings) -> str:
    """Put all files back after a reload that went wrong; return "" or a sentence that Apache is down all the same."""
    files.swap({path: edit.before[path] for path in edit.changed()})
    files.remove_links(made)
    files.make_links(removed)
    if not apache.parent():
        return apache.start()
    with contextlib.suppress(ApacheError):
        apache.graceful(settings.reload_timeout_seconds)
    return ""


def _reload(work: Work, apache: Apache, settings: Settings) -> None:
    """Wait for idle php-cgi, reload once, and see the old php-cgi end."""
    done = reload_idle(
        apache, settings.idle_timeout_seconds, settings.reload_timeout_seconds, settings.gone_timeout_seconds, True
    )
    report = work.reload
    report["reloads"] += 1
    report["seconds"].append(round(done.seconds or 0.0, 2))
    report["idle_wait_seconds"] = round(report.get("idle_wait_seconds", 0.0) + done.waited_seconds, 2)
    report["php_cgi_before"] = max(report.get("php_cgi_before", 0), done.before)
    report["busy_at_reload"] = report.get("busy_at_reload", 0) + len(done.working)
    report["orphans_ended"] = report.get("orphans_ended", 0) + len(done.ended)
    report["php_cgi_left"] = [process.pid for process in done.left]
    report["warnings"] += done.warnings(settings.gone_timeout_seconds)


def _compare(
    work: Work,
    goals: Sequence[tuple[str, pages.Target]],
    first: Mapping[pages.Target, tuple[pages.Page, bool]],
    settings: Settings,
) -> None:
    for site, goal in goals:
        before, stable = first[goal]
        after = fetch(goal, settings.request_timeout_seconds)
        said = pages.difference(goal, before, after)
        if said and not stable and before.status == after.status:
            work.reload["warnings"].append(f"The body of {goal.url} changes by itself: only its status was compared.")
            continue
        if said:
            work.outcomes[site].fail("compare", said)


def _take_back(work: Work, edit: files.Edit, apache: Apache, settings: Settings) -> None:
    """Put the files of the sites that failed after the reload back, with one more reload."""
    final = work.edit()
    back = {path: final.after[path] for path in final.after if final.after[path] != edit.after[path]}
    if not back:
        return
    files.swap(back)
    complaint = apache.complaint()
    if complaint:
        raise HandlersError(f"Apache refuses the files with failed sites taken back: {complaint}")
    try:
        _reload(work, apache, settings)
    except ApacheError as error:
        raise HandlersError(f"{error} The failed sites' files are as before.") from error


def _finish(work: Work, final: files.Edit, record: files.Record, settings: Settings) -> None:
    for site in work.sites:
        outcome = work.outcomes[site["site"]]
        mine = {vhost["file"] for vhost in site["vhosts"]} & set(final.after)
        if not outcome.failed:
            outcome.changed = bool(mine & set(final.changed()))
        if any(site["site"] in block.sites_in(final.after[path].decode("latin-1")) for path in mine):
            continue
        record.sites.pop(site["site"], None)
        if work.state == "absent":
            outcome.restored = all(files.restored(record, path, files.bare(final.after[path])) for path in mine)
    for path in [path for path, content in final.after.items() if not block.sites_in(content.decode("latin-1"))]:
        record.files.pop(path, None)
    files.write_record(record, settings.backup_folder)


def _result(
    work: Work, edit: files.Edit, links: Mapping[str, str], gone: Sequence[str], changed: bool
) -> dict[str, Any]:
    diff = [
        {
            "before_header": path,
            "after_header": path,
            "before": edit.before[path].decode("utf-8", errors="replace"),
            "after": edit.after[path].decode("utf-8", errors="replace"),
        }
        for path in edit.changed()
    ]
    for path, goal in sorted(links.items()):
        diff.append({"before_header": path, "after_header": path, "before": "", "after": f"symlink to {goal}\n"})
    for path in gone:
        diff.append({"before_header": path, "after_header": path, "before": "symlink\n", "after": ""})
    for site in work.sites:
        outcome = work.outcomes[site["site"]]
        if not outcome.failed and not outcome.changed:
            outcome.changed = bool({vhost["file"] for vhost in site["vhosts"]} & set(edit.changed()))
    return {
        "changed": changed,
        "sites": [vars(outcome) for outcome in work.outcomes.values()],
        "leaving": [{"name": one.site} for one in work.outcomes.values() if work.state == "absent" and not one.failed],
        "reload": work.reload,
        "modules_enabled": sorted(Path(path).name for path in links),
        "diff": diff,
    }
