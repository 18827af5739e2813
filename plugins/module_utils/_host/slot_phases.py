# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The first phase of a deploy, one call: bring the idle slot up with a release, or take it down again."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any, Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core import flip
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import SpecError, build, merge
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import SLOTS, Layout, render
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_store as store
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_timer, systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_base import Settings
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_call import LAYOUT, on_site, whole
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_steps import Steps

# Older ids are not remembered: their directories are long gone.
HISTORY = 50
# A warm slot that does not answer within this time is started anew.
PING_SECONDS = 5.0

# What slot_prepare returns: of the site's report, and beside it.
TOLD = ("changed", "failed", "step", "msg", "reasons", "missing", "budget", "diff", "live_slot")
NOTHING: dict[str, Any] = {
    "prepared": False,
    "warm": False,
    "slot": None,
    "release": None,
    "live_release": None,
    "unit": None,
    "socket": None,
    "segment_bytes": None,
}
Stored = Mapping[str, Any]


def _answer(site: Steps, **found: Any) -> dict[str, Any]:
    report = site.report.as_dict()
    return {**NOTHING, **{key: report[key] for key in TOLD}, "live_slot": site.live, **found}


def _id(stored: Stored | None) -> str | None:
    release = (stored or {}).get("release") or {}
    return release.get("id")


def deployed(stored: Stored | None, given: Stored, release: Stored | None) -> dict[str, Any]:
    """Return the options of a site that serves the given release, with what was live before it in its history."""
    if release is None:
        raise StepFailed("A deploy needs a release: give its id and path.")
    public = str(release.get("public") or "").strip("/")
    path = str(release["path"]).rstrip("/")
    now = (stored or {}).get("release")
    history = list(now["history"]) if now else []
    if now and now["id"] != release["id"]:
        history = [*history, now["id"]]
    options = merge(stored, {**given, "document_root": f"{path}/{public}" if public else path})
    return {**options, "release": {"id": release["id"], "path": path, "history": history[-HISTORY:]}}


def earlier(name: str, stored: Stored | None) -> dict[str, Any]:
    """Return the live site's options with the release that was live before; StepFailed where there is none.

    Ids whose directory is gone are passed over.
    """
    now = (stored or {}).get("release")
    if stored is None or not now:
        raise StepFailed(f"Site {name} serves no release, so there is none to roll back to.")
    folder = PurePosixPath(now["path"]).parent
    history = list(now["history"])
    while history:
        path = folder / history[-1]
        if Path(path).is_dir():
            public = _public(stored, path)
            release = {"id": history[-1], "path": str(path), "history": history[:-1]}
            return {**stored, "release": release, "document_root": str(path / public if public else path)}
        history.pop()
    raise StepFailed(f"Site {name}: before release {now['id']} no release was live that is still in {folder}.")


def _public(stored: Stored, path: PurePosixPath) -> str:
    """Return the folder of a release that is served: as its own record says, else as the live one's is."""
    try:
        public = json.loads(read_text(f"{path}.json"))["public"]
    except (Unreadable, ValueError, KeyError, TypeError):
        now = PurePosixPath(stored["release"]["path"])
        public = str(PurePosixPath(stored["document_root"]).relative_to(now))
    return "" if public in (None, ".") else str(public).strip("/")


def _wanted(site: Steps, action: str, given: Stored, release: Stored | None) -> tuple[dict[str, Any], Stored | None]:
    stored = site.stored()
    if action == "rollback":
        return earlier(site.name, stored), stored
    if action == "roll":
        if stored is None:
            raise StepFailed(f"Site {site.name} is not on this host, so there is no master to replace.")
        return merge(stored, {**given, "document_root": None}), stored
    return deployed(stored, given, release), stored


def _warm(site: Steps, release: Stored) -> bool:
    """Return whether the idle slot still serves that release as it did when it was live."""
    if slot_timer.WARM not in site.marks() or not site.ready(site.new_master):
        return False
    stored = store.read_stored(site.name, site.idle, site.layout)
    if stored is None or _id(stored) != release["id"]:
        return False
    try:
        # Its own history may be longer; nothing else may differ from what it was started with.
        return not store.differing(render(build(stored), site.idle, site.layout)) and _answers(site)
    except SpecError:
        return False


def _answers(site: Steps) -> bool:
    try:
        site.new_master.wait_until_it_answers(PING_SECONDS)
    except StepFailed:
        return False
    return True


def _keep_waiting(site: Steps) -> None:
    """Give a warm slot the time of one that waits for its switch."""
    # As in retire(): a timer that a killed run left to the live slot would say of the old one that it waits.
    slot_timer.disarm(site.run, site.name, SLOTS)
    marks = [slot_timer.WARM, slot_timer.PREPARED]
    slot_timer.arm(site.run, site.name, site.idle, slot_timer.PREPARED_SECONDS, marks, site.layout)


def _prepare(site: Steps, action: str, given: Stored, release: Stored | None) -> dict[str, Any]:
    """Bring the idle slot up for a deploy, a rollback (to what was live before) or a roll (the same, a new master).

    release: {id, path, public} of a deploy. Returns slot_prepare's result; raises StepFailed and SpecError before
    anything is touched.
    """
    options, stored = _wanted(site, action, given, release)
    spec = build(options)
    told = {"live_release": _id(stored), "release": options.get("release")}
    if action == "rollback" and _warm(site, options["release"]):
        return _take_warm(site, told)
    if not site.compare(spec, stored):
        prepared = site.wanted or site.live is None
        return _answer(site, **told, prepared=prepared, slot=site.idle if prepared else None)
    if not site.wanted:
        site.repair(spec)
        return _answer(site, **told)
    steps = site.steps(spec)
    result = site.execute({name: steps[name] for name in flip.PREPARE if name in site.names}, site.discard)
    if result.failed:
        return _answer(site, **told)
    return _answer(site, **told, **_ready(site))


def _take_warm(site: Steps, told: Stored) -> dict[str, Any]:
    missing = site.spoiled(True)
    site.report.changed = True
    site.report.reasons = [f"release {told['live_release']} → {told['release']['id']}"]
    if site.settings.check_mode:
        site.report.missing = missing
    elif missing:
        raise StepFailed(" ".join(missing))
    else:
        _keep_waiting(site)
    return _answer(site, **told, **_ready(site), warm=True)


def _ready(site: Steps) -> dict[str, Any]:
    master = site.new_master
    return {
        "prepared": True,
        "slot": site.idle,
        "unit": master.unit,
        "socket": master.socket,
        "segment_bytes": master.segment_bytes(site.new_pid or int(site.state(master.unit)["MainPID"] or "0")),
    }


def _discard(site: Steps) -> dict[str, Any]:
    """Take the idle slot down that waits for a switch which does not come, and start the live one where it is down.

    A slot that is only warm stays; one that may still have requests of its own (the switch was done) is drained first,
    and stays when it can't be.
    """
    told = {"live_release": _id(site.stored()), "release": None}
    marks, active = site.marks(), site.up(site.new_master)
    paths = store.slot_paths(site.name, site.idle, site.layout)
    down = site.old_master is not None and not site.up(site.old_master)
    takes = (bool(paths) or active) and slot_timer.WARM not in marks
    site.report.changed = takes or down
    site.report.diff = [
        {"before": "".join(f"{path}\n" for path in paths if takes), "after": "", "before_header": f"slot {site.idle}"}
    ]
    if site.settings.check_mode or not site.report.changed:
        return _answer(site, **told)
    waits = slot_timer.PREPARED in marks
    # One that waits has no requests and ends at once: a host in classic mode may have no room for both.
    if down and not (takes and waits):
        site.revive()
    if takes:
        if active and not waits:
            busy = site.retire(fail=False)
            if busy is not None:
                return _answer(site, **told)
        site.discard()
    return _answer(site, **told)


def prepare(
    given: Stored,
    release: Stored | None,
    action: str,
    deploy_id: str | None,
    run: systemd.Run,
    settings: Settings,
    layout: Layout = LAYOUT,
) -> dict[str, Any]:
    """Return what slot_prepare returns for state prepared."""

    def act(site: Steps) -> dict[str, Any]:
        return _prepare(site, action, given, release)

    return whole(on_site(str(given["name"]), deploy_id, run, settings, layout, Steps, act), TOLD, NOTHING)


def discard(
    name: str, deploy_id: str | None, run: systemd.Run, settings: Settings, layout: Layout = LAYOUT
) -> dict[str, Any]:
    """Return what slot_prepare returns for state discarded."""
    return whole(on_site(name, deploy_id, run, settings, layout, Steps, _discard), TOLD, NOTHING)
