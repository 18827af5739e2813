# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Gives sites with slots their folder for temporary files by a slot flip, and takes it back by another one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import phpinfo, tmpdir_site
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import SiteSpec, build
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir import Directory, TmpdirError
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_store as store
from ansible_collections.phpops.webhost.plugins.module_utils._host import systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import (
    Unreadable,
    fsync_dir,
    read_text,
    write_atomic,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot import Settings, Site
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_call import on_site
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_master import php_fpm
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_run import together

# By site: what it had before, and what we set.
RECORD = "/var/lib/phpops/tmpdir-sites.json"


def read_record(path: str = RECORD) -> dict[str, Any]:
    """Return the record; TmpdirError for a damaged one, without which nothing could be taken back."""
    try:
        return dict(json.loads(read_text(path)))
    except Unreadable as error:
        if error.missing:
            return {}
        raise TmpdirError(error.reason) from error
    except (ValueError, TypeError) as error:
        raise TmpdirError(
            f"{path} can't be read ({error}): restore it, or remove it to forget what was before."
        ) from error


def _keep(site: str, record: Mapping[str, Any] | None, path: str) -> None:
    known = read_record(path)
    if record is None:
        known.pop(site, None)
    else:
        known[site] = dict(record)
    if known:
        Path(path).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        # Values of environment variables may be secrets.
        write_atomic(path, json.dumps(known, indent=1, sort_keys=True) + "\n", 0o600)
    elif Path(path).exists():
        Path(path).unlink()
        fsync_dir(Path(path).parent)


def ask_php(run: systemd.Run, spec: SiteSpec, slot: str | None, layout: Layout) -> dict[str, str]:
    """Return directives as the site's user gets them from PHP: with a slot's own ini files, or (None) without any.

    StepFailed when PHP can't be asked. OPcache is switched off for the question: asking reserves no segment.
    """
    status, out, err = run([*php_fpm(spec, slot, layout), "--define", "opcache.enable=0", "--info"])
    if status != 0:
        said = (err + out).strip().splitlines()
        raise StepFailed(f"php-fpm{spec.php_version} can't read its ini files: {said[0] if said else status}")
    found = phpinfo.directives(out, "")
    return {name: found[name] for name in tmpdir_site.DIRECTIVES if name in found}


def apply(
    directories: Sequence[Directory],
    run: systemd.Run,
    settings: Settings,
    sessions: bool,
    extend: bool,
    stop_on_error: bool,
    layout: Layout,
    record: str = RECORD,
) -> dict[str, Any]:
    """Give each site its folder; returns {sites, changed, failed, diff, msg}. Raises TmpdirError."""
    records = read_record(record)
    acts = []
    for one in directories:

        def act(site: Site, one: Directory = one) -> dict[str, Any]:
            stored = _stored(site)
            spec = build(stored)
            php = ask_php(run, spec, None, layout)
            known = records.get(one.site) or {}
            shut = tmpdir_site.hardening_refusal(spec.hardening, one.path)
            if shut:
                raise StepFailed(f"Site {one.site}: {shut}")
            try:
                wanted = tmpdir_site.change(
                    spec.environment, spec.ini, known, php, one.path, one.size_bytes, sessions, extend
                )
            except TmpdirError as error:
                raise StepFailed(f"Site {one.site}: {error}") from error
            if not settings.check_mode and wanted.record != known:
                _keep(one.site, wanted.record, record)
            result = site.present({"name": one.site, "environment": wanted.environment, "ini": wanted.ini})
            return {**result, "path": one.path, "notes": list(wanted.notes)}

        acts.append((one.site, act))
    return _all(acts, run, settings, stop_on_error, layout)


def take_back(
    names: Sequence[str],
    run: systemd.Run,
    settings: Settings,
    stop_on_error: bool,
    layout: Layout,
    record: str = RECORD,
) -> dict[str, Any]:
    """Give each site what it had before, without any names all of them; returns what apply() does."""
    records = read_record(record)
    live = store.sites(layout)
    acts = []
    for name in [name for name in records if not names or name in names]:
        if name not in live:
            if not settings.check_mode:
                _keep(name, None, record)
            continue

        def act(site: Site, name: str = name) -> dict[str, Any]:
            spec = build(_stored(site))
            environment, ini, foreign = tmpdir_site.before(spec.environment, spec.ini, records[name])
            result = site.present({"name": name, "environment": environment, "ini": ini})
            if not settings.check_mode and not result["failed"]:
                _keep(name, None, record)
            notes = [f"{option} was changed by somebody else since and stays as it is." for option in foreign]
            return {**result, "path": None, "notes": notes}

        acts.append((name, act))
    return _all(acts, run, settings, stop_on_error, layout)


def _stored(site: Site) -> dict[str, Any]:
    stored = site.stored()
    if stored is None:
        raise StepFailed(f"Site {site.name} has no stored options: bring it to them by fpm_site first.")
    return stored


def _all(
    acts: Sequence[tuple[str, Callable[[Site], dict[str, Any]]]],
    run: systemd.Run,
    settings: Settings,
    stop_on_error: bool,
    layout: Layout,
) -> dict[str, Any]:
    results: list[dict[str, Any]] = []
    for name, act in acts:
        result = {"path": None, "notes": [], **on_site(name, None, run, settings, layout, Site, act), "php": None}
        if not settings.check_mode and not result["failed"]:
            result["php"] = _effect(name, run, layout)
        results.append(result)
        if result["failed"] and stop_on_error:
            break
    return together(results)


def _effect(name: str, run: systemd.Run, layout: Layout) -> dict[str, Any] | None:
    """Return what PHP says by the live slot's ini files, and whether the site's user can write to its folder."""
    live = store.live_slot(name, layout)
    stored = store.read_stored(name, live, layout) if live else None
    if live is None or stored is None:
        return None
    spec = build(stored)
    try:
        found: dict[str, Any] = dict(ask_php(run, spec, live, layout))
    except StepFailed:
        return None
    folder = found.get("sys_temp_dir") or spec.environment.get("TMPDIR") or tmpdir_site.PHP_DEFAULT
    test = ["runuser", "-u", spec.user, "-g", spec.group, "--", "test", "-w", folder, "-a", "-x", folder]
    return {**found, "TMPDIR": spec.environment.get("TMPDIR", ""), "writable": run(test)[0] == 0}
