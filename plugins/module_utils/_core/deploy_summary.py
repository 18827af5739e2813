# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What the one who deploys is told at the end, line by line."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._core.support import no_php
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of, human_bytes
from ansible_collections.phpops.webhost.plugins.module_utils._core.vhost import build
from ansible_collections.phpops.webhost.plugins.module_utils._core.vhost import lines as vhost_lines

Result = Mapping[str, Any]
# What the role calls a release that a dry run can't know.
UNKNOWN = "new"


def lines(run: Mapping[str, Any]) -> list[str]:
    """Return the summary of one host.

    run: site, action, check_mode, warnings, hooks (their names), served (whether a web server names the site),
    front_controller, installs (the version of PHP that a run installs where it is missing), and the results of the
    modules that ran, by the name of their step: lease, release, prepare, prime, switch, drain, pruned. One that did
    not run is missing or None.
    """
    results = {
        name: run.get(name) or {} for name in ("lease", "release", "prepare", "prime", "switch", "drain", "pruned")
    }
    told = _taken_over(results["lease"])
    if run.get("check_mode"):
        told += _would(run, results)
    else:
        told += _head(run, results["prepare"], results["switch"])
        told += _release(results["release"])
        told += _prime(results["prime"])
        told += _first_request(results["prime"], results["switch"])
        told += _drain(results["drain"], run.get("hooks") or []) if results["switch"].get("previous_slot") else []
        told += _kept(results["pruned"])
    told += _unserved(run)
    return told + [f"WARNING: {text}" for text in run.get("warnings") or [] if text]


def _unserved(run: Result) -> list[str]:
    """Return the lines for a virtual host of one's own, when no web server of the host names the site."""
    if run.get("served", True):
        return []
    site = str(run.get("site"))
    told = [
        "WARNING: no enabled configuration of Apache or nginx names the site's socket, so nothing is"
        " checked through a web server. Put these lines into its virtual host, or set deploy_web_server."
    ]
    for server in ("apache", "nginx"):
        told += [f"{server}:"]
        options = {"site": site, "front_controller": run.get("front_controller") or ""}
        told += [f"    {line}" for line in vhost_lines(build(options, server, Layout()), server)]
    return told


def _id(release: Any) -> str:
    """Return a release's id, whether a module gave the id or a dictionary with it."""
    if isinstance(release, Mapping):
        release = release.get("id")
    return str(release or "")


def _named(release: Any, none: str = "the code that is there") -> str:
    found = _id(release)
    if found == UNKNOWN:
        return "a new release"
    return f"release {found}" if found else none


def _seconds(value: Any) -> str:
    """Return a time as people read it: 9 ms, 1.2 s."""
    seconds = float(value or 0)
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _taken_over(lease: Result) -> list[str]:
    over = lease.get("taken_over")
    if not over:
        return []
    return [
        f"A run of {over['holder']} ended without a word in step {over['step']}; its lease was taken over after"
        f" {_seconds(lease.get('waited_seconds'))}, and what it left is cleared."
    ]


def _head(run: Result, prepare: Result, switch: Result) -> list[str]:
    site = run.get("site")
    if not prepare.get("prepared"):
        live = f"{site}: {_named(prepare.get('live_release'))} is live already"
        if prepare.get("changed"):
            why = "; ".join([*(prepare.get("reasons") or []), *([prepare["msg"]] if prepare.get("msg") else [])])
            return [f"{live}; it was put right{': ' if why else ''}{why}."]
        return [f"{live}; nothing was changed (deploy_force would flip to a new master with it)."]
    slot, before = switch.get("live_slot") or prepare.get("slot"), switch.get("previous_slot")
    was = f"; before: {_named(prepare.get('live_release'))} in slot {before}" if before else "; it is the first one"
    warm = ", which was still warm" if prepare.get("warm") else ""
    return [f"{site}: {_named(prepare.get('release'))} is live in slot {slot}{warm}{was}."]


def _release(result: Result) -> list[str]:
    release = result.get("release")
    if not release:
        return []
    size = f"{count_of(int(release.get('files') or 0), 'file')}, {human_bytes(int(release.get('bytes') or 0))}"
    built = "it was there already" if result.get("reused") else f"built in {_seconds(release.get('seconds'))}"
    assets = int(result.get("assets_carried") or 0)
    more = f", {count_of(assets, 'asset')} of earlier releases kept reachable" if assets else ""
    return [f"release: {size}, {built}{more}, in {release.get('path')}"]


def _prime(prime: Result) -> list[str]:
    if not prime.get("rounds"):
        return []
    asked = (
        f"{count_of(int(prime.get('requests') or 0), 'request')} in {count_of(int(prime['rounds']), 'round')},"
        f" {_seconds(prime.get('seconds'))}"
    )
    if prime.get("scripts") is None:
        return [f"primed: {asked}; OPcache is off"]
    used, whole = int(prime.get("used_bytes") or 0), int(prime.get("segment_bytes") or 0)
    keys, most = int(prime.get("cached_keys") or 0), int(prime.get("max_keys") or 0)
    share = f" ({used / whole:.0%})" if whole else ""
    return [
        f"primed: {count_of(int(prime['scripts']), 'script')} with {asked}; cache"
        f" {human_bytes(used)} of {human_bytes(whole)}{share}, {keys:,} of {most:,} keys"
    ]


def _first_request(prime: Result, switch: Result) -> list[str]:
    points = [point for point in prime.get("entry_points") or [] if point.get("first_seconds")]
    told = []
    if points:
        slowest = max(points, key=lambda point: float(point["first_seconds"]))
        told.append(
            f"first request of {slowest.get('path')}: {_seconds(slowest['first_seconds'])} cold,"
            f" {_seconds(slowest.get('last_seconds'))} primed"
        )
    if switch.get("first_request_seconds"):
        told.append(f"first request after the switch: {_seconds(switch['first_request_seconds'])}")
    return told


def _drain(drain: Result, hooks: Sequence[str]) -> list[str]:
    if "finished" not in drain:
        return []
    if not drain["finished"]:
        left_out = " The hook after_drain was left out." if "after_drain" in hooks else ""
        return [f"WARNING: the drain has not finished. {drain.get('msg') or ''}".strip() + left_out]
    warm = float(drain.get("warm_seconds") or 0)
    if drain.get("stopped") or not warm:
        return [f"drain: {_seconds(drain.get('seconds'))}; the old slot is stopped"]
    return [
        f"drain: {_seconds(drain.get('seconds'))}; the old slot stays warm for {warm:.0f} s: a rollback until then"
        " starts nothing"
    ]


def _kept(pruned: Result) -> list[str]:
    told = []
    if pruned.get("pruned"):
        told.append(f"removed: {', '.join(_id(one) for one in pruned['pruned'])}")
    used = [one for one in pruned.get("kept") or [] if "process" in str(one.get("why"))]
    return told + [f"kept: {one.get('id')}, {one.get('why')}" for one in used]


def _would(run: Result, results: Mapping[str, Result]) -> list[str]:
    """Return what a run without --check would do."""
    prepare, release = results["prepare"], results["release"]
    told = []
    if run.get("action") == "deploy":
        found = release.get("release") or {}
        if not found.get("id"):
            told.append("A release would be built of what is sent to the host; its id is known then.")
        elif not release.get("reused"):
            told.append(f"Release {found['id']} would be built in {found.get('path')}.")
        told += [
            f"shared/{one.get('path')} would be {one.get('action')}."
            for one in release.get("shared") or []
            if one.get("action") in ("made", "seeded")
        ]
        told += [
            f"shared/{one.get('path')} is not there: until something brings it, the release is refused."
            for one in release.get("shared") or []
            if one.get("action") == "missing"
        ]
    missing = [str(text) for text in prepare.get("missing") or []]
    version = str(run.get("installs") or "")
    if version and version not in (results["lease"].get("php_versions") or []):
        told.append(f"php{version}-fpm would be installed.")
        missing = [text for text in missing if text != no_php(str(run.get("site")), version)]
    told += missing
    if missing:
        stays = f"; {_named(prepare.get('live_release'))} stays" if prepare.get("live_slot") else ""
        told.append(f"{run.get('site')}: until that is put right, nothing goes live{stays}.")
    elif prepare.get("prepared"):
        live = f", {_named(prepare.get('live_release'))} would go" if prepare.get("live_slot") else ""
        told.append(f"Slot {prepare.get('slot')} would go live with {_named(prepare.get('release'))}{live}.")
        told += [f"because: {reason}" for reason in prepare.get("reasons") or []]
    elif prepare.get("changed"):
        told.append(
            f"{run.get('site')}: {_named(prepare.get('live_release'))} is live already; its files would be put right."
        )
    elif prepare:
        told.append(f"{run.get('site')}: {_named(prepare.get('live_release'))} is live already; no slot would change.")
    hooks = run.get("hooks") or []
    return told + ([f"Hooks that a dry run leaves out: {', '.join(hooks)}."] if hooks else [])
