# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Puts a tmpfs and its folders in place for temporary files, now and at every boot; and takes them away."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import tmpdir, tmpdir_fstab
from ansible_collections.phpops.webhost.plugins.module_utils._core.budget import Verdict, judge
from ansible_collections.phpops.webhost.plugins.module_utils._core.budget_model import HostMemory
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir import Directory, TmpdirError
from ansible_collections.phpops.webhost.plugins.module_utils._host import (
    mounts,
    systemd,
    tmpdir_apache,
    tmpdir_folders,
    tmpdir_site,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.budget import measure
from ansible_collections.phpops.webhost.plugins.module_utils._host.fstab import (
    FSTAB,
    FstabError,
    read_fstab,
    replace_fstab,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.reservation import reservations

_STAYS = (
    "Apache runs with TMPDIR={} until its next restart, so that folder stays: run the role again after the restart, or"
    " with tmpdir_restart_webserver."
)


@dataclass(frozen=True)
class Place:
    """Where things are; other values are for tests."""

    fstab: str = FSTAB
    scratch: str = "/run/phpops"
    tmpfiles: str = "/etc/tmpfiles.d"
    mountinfo: str = "/proc/self/mountinfo"
    # What is there as long as somebody is told to use the folders.
    told: tuple[str, ...] = (
        tmpdir_site.RECORD,
        tmpdir_apache.Settings.record,
        tmpdir_apache.Settings.drop_in,
        tmpdir_apache.CONF,
    )


@dataclass(frozen=True)
class Settings:
    """What is wanted. ``size_bytes``: of /dev/shm, where ``mount`` is shm."""

    mount: str = tmpdir.SHM
    size_bytes: int = 0
    age: str = "1d"
    sessions: bool = False
    budget_override: bool = False
    check_mode: bool = False


@dataclass
class Plan:
    """What is to be done: fstab's texts, sizes by mount point that is not as it should be, files of tmpfiles.d."""

    before: str
    after: str
    sizes: dict[str, int] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    verdict: Verdict | None = None


def present(
    run: systemd.Run,
    directories: Sequence[Directory],
    there: Iterable[str],
    settings: Settings,
    place: Place,
    host: HostMemory | None = None,
) -> dict[str, Any]:
    """Mount what is needed and make the folders. ``there``: all sites of the host, whose folders stay in any case.

    ``host`` is for tests. Raises TmpdirError, FstabError, SystemctlError, Unreadable, OSError; a mount that fails
    leaves fstab as it was.
    """
    tmpdir.check_age(settings.age)
    plan = _plan(directories, there, settings, place)
    texts = {
        tmpdir.tmpfiles_path(one.site, place.tmpfiles): tmpdir.tmpfiles_text(one, settings.age, settings.sessions)
        for one in directories
    }
    stale = tmpdir_folders.stale(texts, [one.site for one in directories], there, place.tmpfiles)
    tmpdir_folders.refuse_foreign(directories)
    plan.verdict = _judge(plan, settings, host)
    diff = [*_fstab_diff(plan, place), *tmpdir_folders.diff(texts, stale)]
    wrong = [one.path for one in directories if not tmpdir_folders.is_right(one, settings.sessions)]
    changed = bool(plan.before != plan.after or plan.sizes or plan.gone or wrong or diff)
    if changed and not settings.check_mode:
        _mount_all(run, plan, place)
        tmpdir_folders.write(run, texts, stale)
        tmpdir_folders.check(directories, settings.sessions)
    return {
        "changed": changed,
        "diff": diff,
        "mounts": mounts.described([*_targets(directories, settings)], place.mountinfo),
        "directories": [one.as_dict() for one in directories],
        "warnings_found": [text for one in directories for text in tmpdir.warnings(one)] + _timer_warning(run),
        "budget": plan.verdict.as_dict() if plan.verdict is not None else None,
    }


def absent(run: systemd.Run, settings: Settings, place: Place, in_use: str | None = None) -> dict[str, Any]:
    """Take away all that present() made, and mount /dev/shm as it was before. Raises as present().

    ``in_use``: the TMPDIR that Apache runs with. Where that is its folder, it stays for a run after Apache's restart.
    """
    before = read_fstab(place.fstab)
    own = [tmpdir.path_of(mount, tmpdir.WEB_SERVER_NAME) for mount in (tmpdir.SHM, tmpdir.OWN)]
    held = in_use if in_use in own else None
    known = {target: entry for target, entry in tmpdir_fstab.managed(before).items() if target != held}
    told = [path for path in place.told if Path(path).exists()]
    if told and not settings.check_mode:
        raise TmpdirError(f"Somebody is still told to use the folders ({told[0]} is there): take that back first.")
    after = before
    for target in known:
        after = tmpdir_fstab.take(after, target)
    texts = tmpdir_folders.ours(place.tmpfiles)
    kept = texts.pop(tmpdir.tmpfiles_path(tmpdir.WEB_SERVER_NAME, place.tmpfiles), None) if held else None
    plan = Plan(before, after)
    diff = [*_fstab_diff(plan, place), *tmpdir_folders.diff({}, texts)]
    if diff and not settings.check_mode:
        for target in known:
            if target != tmpdir.SHM_PATH and mounts.at(target, place.mountinfo):
                mounts.unmount(run, target)
        # Before fstab, which alone remembers how it was mounted; what is given here wins over the entry (mount(8)).
        if tmpdir.SHM_PATH in known and known[tmpdir.SHM_PATH].mounted:
            mounts.remount(run, tmpdir.SHM_PATH, known[tmpdir.SHM_PATH].mounted)
        if before != after:
            replace_fstab(run, before, after, place.fstab, place.scratch)
        tmpdir_folders.remove(texts)
        for target in [*known, tmpdir.OWN_PATH]:
            with suppress(OSError):
                if target != tmpdir.SHM_PATH:
                    Path(target).rmdir()
    return {
        "changed": bool(diff),
        "diff": diff,
        "mounts": mounts.described([tmpdir.SHM_PATH], place.mountinfo),
        "directories": [],
        "warnings_found": [_STAYS.format(held)] if kept is not None else [],
        "budget": None,
    }


def _targets(directories: Sequence[Directory], settings: Settings) -> dict[str, int]:
    if settings.mount == tmpdir.SHM:
        return {tmpdir.SHM_PATH: settings.size_bytes}
    return {one.path: one.size_bytes for one in directories}


def _plan(directories: Sequence[Directory], there: Iterable[str], settings: Settings, place: Place) -> Plan:
    before = read_fstab(place.fstab)
    known = tmpdir_fstab.managed(before)
    other = [target for target in known if (target == tmpdir.SHM_PATH) != (settings.mount == tmpdir.SHM)]
    if other:
        raise TmpdirError(
            f"The sites of this host use {other[0]}, made with another tmpdir_mount than {settings.mount}: take that"
            " back first (tmpdir_state: absent), then run the role again."
        )
    plan = Plan(before, before)
    if settings.mount == tmpdir.SHM:
        _plan_shared(plan, settings, place, tmpdir.SHM_PATH not in known)
        return plan
    for one in directories:
        tmpdir.check_size(f"The size of site {one.site}", one.size_bytes)
        uid, gid, mode = one.owner
        entry = tmpdir_fstab.own_entry(one.path, one.size_bytes, uid, gid, f"{mode:04o}")
        plan.after = tmpdir_fstab.put(plan.after, one.path, entry, "")
        if not mounts.is_so(one.path, one.size_bytes, place.mountinfo):
            plan.sizes[one.path] = one.size_bytes
    # Apache itself may use its own one until its next restart.
    kept = [*there, tmpdir.WEB_SERVER_NAME]
    wanted = {one.path for one in directories} | {tmpdir.path_of(tmpdir.OWN, site) for site in kept}
    plan.gone = sorted(set(known) - wanted)
    for target in plan.gone:
        plan.after = tmpdir_fstab.take(plan.after, target)
    return plan


def _plan_shared(plan: Plan, settings: Settings, place: Place, first: bool) -> None:
    target = tmpdir.SHM_PATH
    tmpdir.check_size("tmpdir_size_bytes", settings.size_bytes)
    now = mounts.at(target, place.mountinfo)
    if now is None or now.fstype != "tmpfs":
        raise TmpdirError(f"{target} is no tmpfs on this host: give each site one of its own (tmpdir_mount: own).")
    mounted = tmpdir_fstab.mounted_options(now.options, now.super_options)
    entry = tmpdir_fstab.shared_entry(plan.before, target, settings.size_bytes, mounted)
    plan.after = tmpdir_fstab.put(plan.before, target, entry, mounted)
    if not mounts.is_so(target, settings.size_bytes, place.mountinfo):
        plan.sizes[target] = settings.size_bytes
        tmpdir.refuse_crowded(settings.size_bytes, mounts.used_bytes(target), first)


def _judge(plan: Plan, settings: Settings, host: HostMemory | None) -> Verdict | None:
    """Ask the budget for the new sizes; TmpdirError with its numbers where they don't fit."""
    if not plan.sizes:
        return None
    verdict = judge(host or measure(), [], reservations=reservations(), tmpfs=plan.sizes)
    if not verdict.fits and not settings.budget_override:
        raise TmpdirError(f"Nothing was changed. {verdict.message}")
    return verdict


def _mount_all(run: systemd.Run, plan: Plan, place: Place) -> None:
    """Write fstab and mount by it, which is what a boot does; what fails leaves the old one."""
    for target in plan.gone:
        if mounts.at(target, place.mountinfo):
            mounts.unmount(run, target)
    made = [target for target in plan.sizes if not mounts.at(target, place.mountinfo)]
    for target in made:
        Path(target).mkdir(mode=0o755, parents=True, exist_ok=True)
    if plan.before != plan.after:
        replace_fstab(run, plan.before, plan.after, place.fstab, place.scratch)
    done: list[str] = []
    try:
        for target, size in plan.sizes.items():
            if target in made:
                mounts.mount(run, target)
                done.append(target)
            else:
                mounts.remount(run, target)
            if not mounts.is_so(target, size, place.mountinfo):
                raise TmpdirError(f"{target} is not mounted as /etc/fstab says: this host doesn't honour its options.")
    except TmpdirError:
        for target in done:
            with suppress(TmpdirError):
                mounts.unmount(run, target)
        if plan.before != plan.after:
            with suppress(FstabError):
                replace_fstab(run, plan.after, plan.before, place.fstab, place.scratch)
        raise
    for target in plan.gone:
        with suppress(OSError):
            Path(target).rmdir()


def _fstab_diff(plan: Plan, place: Place) -> list[dict[str, str]]:
    if plan.before == plan.after:
        return []
    before, after = (tmpdir_folders.without_passwords(text) for text in (plan.before, plan.after))
    return [{"before_header": place.fstab, "after_header": place.fstab, "before": before, "after": after}]


def _timer_warning(run: systemd.Run) -> list[str]:
    unit = "systemd-tmpfiles-clean.timer"
    shown: Mapping[str, str] = systemd.show(run, unit, ["ActiveState"])
    if shown["ActiveState"] == "active":
        return []
    return [f"{unit} is not active on this host: stale files stay until it is started."]
