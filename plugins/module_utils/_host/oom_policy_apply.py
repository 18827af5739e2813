# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Lets units outlive a process that the OOM killer ends, or takes that back; says what systemd then has loaded."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any, Callable, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import oom_policy
from ansible_collections.phpops.webhost.plugins.module_utils._host import drop_ins
from ansible_collections.phpops.webhost.plugins.module_utils._host.drop_ins import Change
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, bytes_if_there
from ansible_collections.phpops.webhost.plugins.module_utils._host.lock import Locked, locked
from ansible_collections.phpops.webhost.plugins.module_utils._host.oom_policy import Paths, Reading, Unit, look

Run = Callable[..., "tuple[int, str, str]"]
LOCK = "/run/phpops/.oom-policy.lock"
_LOCK_SECONDS = 60.0


class PolicyFailed(Exception):
    """Nothing was changed, or all is as it was before; one sentence."""


def bring(
    run: Run,
    names: Sequence[str],
    state: str,
    restart: str | None,
    check_mode: bool,
    paths: Paths,
    lock: str = LOCK,
) -> dict[str, Any]:
    """Bring the units to ``state`` (present, absent); returns what the module returns.

    Raises PolicyFailed, and SystemctlError and BadUnit, when nothing was changed.
    """
    try:
        with nullcontext() if check_mode else locked(lock, _LOCK_SECONDS):
            if state == "present":
                return _present(run, names, restart, check_mode, paths)
            return _absent(run, names, check_mode, paths)
    except Locked as error:
        raise PolicyFailed(
            f"Another run (process {error.holder}) changes drop-ins; try again when it has ended."
        ) from error
    except Unreadable as error:
        raise PolicyFailed(error.reason) from error
    except OSError as error:
        raise PolicyFailed(f"The drop-ins could not be changed: {error}.") from error


def _present(run: Run, names: Sequence[str], restart: str | None, check_mode: bool, paths: Paths) -> dict[str, Any]:
    before = look(run, names, paths)
    if not before.units:
        raise PolicyFailed(f"This host has none of the units {', '.join(names)}: name one that it has.")
    wanted = oom_policy.wanted(restart)
    changes: list[Change] = []
    lost: dict[str, str] = {}
    for path in sorted({oom_policy.drop_in(unit.name, paths.units) for unit in before.units}):
        meant = [unit for unit in before.units if oom_policy.drop_in(unit.name, paths.units) == path]
        ours = _ours(path)
        had = None if ours is None else ours.decode("utf-8", "replace")
        text = oom_policy.drop_in_text(had, [unit.loaded for unit in meant], restart)
        told = {unit.name: _lost(unit, oom_policy.parse_settings(text or ""), path) for unit in meant}
        lost.update({unit: sentence for unit, sentence in told.items() if sentence})
        if text != had and not any(told.values()):
            changes.append(Change(path, ours, None if text is None else text.encode()))
    # A run that was killed before systemd read its files leaves nothing to write.
    stale = any(unit.name not in lost and not _has(unit, wanted) for unit in before.units)
    after = _change(run, changes, stale, before, check_mode, lambda: look(run, names, paths))
    if not check_mode:
        for unit in after.units:
            if not _has(unit, wanted):
                lost.setdefault(unit.name, _refused(unit, wanted))
    shown = _shown(before, after, changes, paths, lambda unit: _has(unit, wanted))
    lines = oom_policy.summary(shown, wanted, lost)
    lines += [f"{item['name']}: skipped. {item['reason']}" for item in after.left_out]
    lines += [after.reason] if after.reason else []
    result = _result(after, shown, changes, stale or bool(changes), lines)
    return {**result, "failed": bool(lost), "msg": " ".join(lost.values())}


def _absent(run: Run, names: Sequence[str], check_mode: bool, paths: Paths) -> dict[str, Any]:
    contents = {
        str(path): bytes_if_there(str(path))
        for path in sorted(Path(paths.units).glob(f"*.service.d/{oom_policy.FILE_NAME}"))
    }
    changes = [Change(path, content, None) for path, content in contents.items() if _is_ours(content)]
    removed = [change.path for change in changes]
    own = [Path(path).parent.name[: -len(".d")] for path in removed]
    names = [*names, *(name for name in own if name not in names)]
    before = look(run, names, paths)
    # A run that was killed before systemd read its files leaves nothing to remove.
    stale = any(
        _loads(unit, paths) and not Path(oom_policy.drop_in(unit.name, paths.units)).exists() for unit in before.units
    )
    after = _change(run, changes, stale, before, check_mode, lambda: look(run, names, paths))
    shown = _shown(before, after, changes, paths, lambda unit: _loads(unit, paths))
    result = _result(after, shown, changes, stale or bool(changes), oom_policy.summary_absent(shown, removed))
    return {**result, "failed": False, "msg": ""}


def _is_ours(content: bytes | None) -> bool:
    return content is not None and content.startswith(oom_policy.HEADER.encode())


def _ours(path: str) -> bytes | None:
    """Return the bytes of our drop-in; PolicyFailed for a file of somebody else."""
    content = bytes_if_there(path)
    if content is not None and not _is_ours(content):
        raise PolicyFailed(f"{path} was not written by this collection: give it another name.")
    return content


def _has(unit: Unit, wanted: dict[str, str]) -> bool:
    return all(unit.loaded[name] == value for name, value in wanted.items())


def _loads(unit: Unit, paths: Paths) -> bool:
    return oom_policy.drop_in(unit.name, paths.units) in unit.loaded["DropInPaths"].split()


def _lost(unit: Unit, settings: dict[str, str], path: str) -> str | None:
    """Return whose drop-in wins over ours, as a sentence, or None."""
    for name, value in settings.items():
        later = oom_policy.later_setting(unit.drop_ins, name, value)
        if later:
            return (
                f"{unit.name}: {later[0]} sets {name}={later[1]} and is read after {path}; take that line out, or leave"
                f" {unit.name} out of the units."
            )
    return None


def _refused(unit: Unit, wanted: dict[str, str]) -> str:
    has = ", ".join(f"{name}={unit.loaded[name] or '(unknown)'}" for name in wanted)
    return (
        f"{unit.name} still has {has} after a daemon-reload; look at `systemctl cat {oom_policy.shown_as(unit.name)}`."
    )


def _change(
    run: Run,
    changes: Sequence[Change],
    stale: bool,
    before: Reading,
    check_mode: bool,
    again: Callable[[], Reading],
) -> Reading:
    """Check the drop-ins, and outside of check mode write them; returns what systemd then has."""
    if not changes and not stale:
        return before
    folders = {Path(change.path).parent.name for change in changes if change.after is not None}
    units = [unit.name for unit in before.units if f"{oom_policy.template(unit.name)}.d" in folders]
    complaint = drop_ins.complaint(run, changes, units) if units else None
    if complaint:
        raise PolicyFailed(f"Nothing was changed, as systemd would refuse it: {complaint}")
    if check_mode:
        return before
    after: list[Reading] = []

    def wrong() -> str | None:
        after.append(again())
        states = {unit.name: unit.loaded["LoadState"] for unit in before.units}
        broken = [unit for unit in after[0].units if unit.loaded["LoadState"] != states.get(unit.name)]
        return f"{broken[0].name} is {broken[0].loaded['LoadState']} now" if broken else None

    reason = drop_ins.apply(run, changes, wrong)
    if reason:
        raise PolicyFailed(f"All is as it was before: {reason.rstrip('.')}.")
    return after[0]


def _shown(
    before: Reading,
    after: Reading,
    changes: Sequence[Change],
    paths: Paths,
    in_force: Callable[[Unit], bool],
) -> list[dict[str, Any]]:
    """Return what became of each unit, as the module returns it."""
    was = {unit.name: unit.loaded for unit in before.units}
    planned = {change.path: change.after for change in changes}
    units = []
    for unit in after.units:
        path = oom_policy.drop_in(unit.name, paths.units)
        there = planned[path] is not None if path in planned else Path(path).exists()
        old = was.get(unit.name, unit.loaded)
        units.append(
            {
                "unit": unit.name,
                "active": unit.active,
                "drop_in": path if there else None,
                "changed": path in planned,
                "before": {"oom_policy": old["OOMPolicy"] or None, "restart": old["Restart"] or None},
                "oom_policy": unit.loaded["OOMPolicy"] or None,
                "restart": unit.loaded["Restart"] or None,
                "in_force": in_force(unit),
                "notes": unit.notes,
            }
        )
    return units


def _result(
    after: Reading, units: list[dict[str, Any]], changes: Sequence[Change], changed: bool, summary: list[str]
) -> dict[str, Any]:
    return {
        "changed": changed,
        "units": units,
        "left_out": after.left_out,
        "honoured": after.reason is None,
        "reason": after.reason,
        "summary": summary,
        "diff": [change.shown() for change in changes],
    }
