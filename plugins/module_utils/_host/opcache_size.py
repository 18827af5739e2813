# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Sizes one site: compiles its code, asks its running master, and turns both into directives."""

from __future__ import annotations

import json
import os
import pwd
import time
from pathlib import Path
from typing import Any, Mapping, NamedTuple, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import opcache_plan as plans
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_compile import (
    CompileError,
    Php,
    headroom_mib,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_settings import (
    MIB,
    SettingsError,
    is_true,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_sizing import Need, explain, setting_for
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_status import (
    disagreement,
    need_of,
    starved,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.runtime_php import (
    find_runtime_files,
    propose_blacklist,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host import account
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_compiler import (
    Bounds,
    Run,
    compile_files,
    probe,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_master import master_pid, segment_bytes
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_probe import OpcacheOff, ProbeError, measure
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_sites import SizedSite
from ansible_collections.phpops.webhost.plugins.module_utils._host.php_files import Walk, find_php_files, read_head

# A full key table is as bad as full memory, and a key costs 48 bytes: each file of the site gets one, up to here.
MOST_KEYS_BY_FILES = 16000


class Limits(NamedTuple):
    """Bounds of one site's measurement, and how to take it."""

    memory_mib: int
    seconds: int
    max_files: int
    exclude: Sequence[str]
    extensions: Sequence[str]
    ini: Mapping[str, str]
    compile: bool
    free_bytes: int | None
    trust_after_seconds: int
    list_files: int


def size_site(site: SizedSite, run: Run, limits: Limits) -> dict[str, Any]:
    """Return everything that the module tells of one site; what could not be had says why and is None."""
    walk = find_php_files(site.paths, limits.extensions, limits.exclude, limits.max_files, limits.seconds)
    uid, gid, gids, problem = _account(site)
    result: dict[str, Any] = {
        "name": site.name,
        "php_version": site.php_version,
        "paths": site.paths,
        "files": len(walk.files),
        "source_bytes": sum(file.size_bytes for file in walk.files),
        "unreadable": [{"path": path, "error": error} for path, error in walk.unreadable],
        "truncated": walk.truncated,
        "warnings": [problem] if problem else [],
    }
    result["compiled"] = _compiled(site, walk, run, limits, problem)
    result["measured"] = _measured(site, gid, len(walk.files), result["warnings"])
    found = find_runtime_files(walk.files, uid, gids, read_head) if uid is not None else []
    result["runtime_files"] = [one._asdict() for one in found[: limits.list_files]]
    result["blacklist_proposal"] = propose_blacklist(found, walk.files)
    _decide(site, result, limits.trust_after_seconds)
    return result


def _account(site: SizedSite) -> tuple[int | None, int, list[int], str | None]:
    if not site.user:
        return os.geteuid(), os.getegid(), os.getgroups(), None
    try:
        return (*account.ids(site.user, site.group), None)
    except KeyError:
        return (
            None,
            os.getegid(),
            [],
            f"The user {site.user} or its group does not exist on this host: nothing compiled.",
        )


def _compiled(site: SizedSite, walk: Walk, run: Run, limits: Limits, problem: str | None) -> dict[str, Any]:
    reason = problem
    if not limits.compile or site.size == "given":
        reason = "Not asked for."
    elif not walk.files:
        reason = f"There is no PHP file below {', '.join(site.paths) or 'no path'}: name the site's paths."
    elif site.user and os.geteuid() != 0 and pwd.getpwuid(os.geteuid()).pw_name != site.user:
        reason = f"Compiling as {site.user} needs root: run the task with become."
    if reason:
        return {"available": False, "reason": reason}
    try:
        php = probe(run, site.php_binary)
        site.check_version(php.version)
        started = time.monotonic()
        figures = _run_compiler(site, walk, run, limits, php)
        figures["seconds"] = round(time.monotonic() - started, 2)
    except (CompileError, SettingsError) as error:
        return {"available": False, "reason": str(error)}
    need = plans.compiled_need(figures["scripts_bytes"], figures["interned_used_bytes"], figures["keys"])
    figures["used_bytes"] = figures["scripts_bytes"] + figures["interned_used_bytes"]
    figures["failed_files_count"] = len(figures["failed_files"])
    figures["failed_files"] = figures["failed_files"][: limits.list_files]
    whole = figures["truncated"] is None and walk.truncated is None
    basis = (
        f"for {figures['scripts']} compiled scripts (with 20 % for what PHP links at run time, 1 MiB of PHP's own "
        f"strings and two keys each; {'an upper bound' if whole else 'cut short, so there is more'})"
    )
    setting = setting_for(need, 1.0, php.version)
    figures.update(
        available=True,
        reason=None,
        php_version=php.version,
        whole=whole,
        need=need._asdict(),
        recommendation=explain(need, 1.0, setting, basis),
    )
    return figures


def _run_compiler(site: SizedSite, walk: Walk, run: Run, limits: Limits, php: Php) -> dict[str, Any]:
    memory = headroom_mib(limits.free_bytes, limits.memory_mib)
    switch = os.geteuid() == 0 and bool(site.user)
    return compile_files(
        run,
        php,
        [file.path for file in walk.files],
        Bounds(memory, limits.seconds),
        site.user if switch else None,
        site.group if switch else None,
        limits.ini,
    )


def _measured(site: SizedSite, gid: int, files: int, warnings: list[str]) -> dict[str, Any]:
    if not site.socket:
        return {"available": False, "reason": "No socket of a running master is known for this site."}
    try:
        said = measure(site.socket, site.probe_folders, gid, 10.0)
    except OpcacheOff as error:
        site.inherited.setdefault("opcache.enable", "0")
        return {"available": False, "reason": str(error)}
    except ProbeError as error:
        return {"available": False, "reason": str(error)}
    pid = master_pid(site.socket)
    segment = segment_bytes(pid)
    note = disagreement(said.status, segment)
    if note:
        warnings.append(note)
    # The status tells 16 bytes less than the JIT buffer's pages.
    jit = -(-(said.status["jit_buffer_bytes"] or 0) // 4096) * 4096
    need = need_of(said.status, segment - jit if note and segment is not None else None)
    keys_basis = ""
    if need.keys < min(files, MOST_KEYS_BY_FILES):
        need = need._replace(keys=min(files, MOST_KEYS_BY_FILES))
        keys_basis = f"for the site's {files} PHP files ({said.status['num_cached_keys']} are in use)"
    poor = starved(said.status)
    if poor:
        warnings.append(poor)
    basis = f"for {said.status['num_cached_scripts']} scripts of the running master"
    setting = setting_for(need, site.headroom, said.version)
    return {
        "available": True,
        "reason": None,
        "php_version": said.version,
        "master_pid": pid,
        "segment_bytes": segment,
        "age_seconds": said.age_seconds,
        "starved": poor,
        "status": said.status,
        "directives": {key: value for key, value in said.directives.items() if key.startswith("opcache.")},
        "need": need._asdict(),
        "recommendation": explain(need, site.headroom, setting, basis, keys_basis),
    }


def _decide(site: SizedSite, result: dict[str, Any], trust_after_seconds: int) -> None:
    """Add the chosen size and the directives, or the reason why there are none."""
    choice, age = _choice(site, result)
    stored = site.decision
    if choice.need is not None and stored.get("need") and choice.source == stored.get("source"):
        earlier = _need(stored["need"])
        choice = choice._replace(need=plans.peak(choice.need, earlier, age, trust_after_seconds))
    wish = plans.Wish(site.profile, site.directives, site.headroom, site.blacklist_path)
    if choice.source == "compiled":
        wish = wish._replace(headroom=1.0)
    result.update(source=choice.source, reason=None, opcache=None, segment_bytes=None, jit_bytes=None, kept=False)
    try:
        version = result["measured"].get("php_version") or result["compiled"].get("php_version") or site.php_version
        planned = plans.plan(wish, choice, site.current, version, stored.get("directives", []), site.inherited)
    except SettingsError as error:
        result["reason"] = f"Site {site.name}: {error}"
        planned = {}
    result.update(planned)
    if planned and not is_true(planned["opcache"]["opcache.enable"]):
        result["warnings"].append("OPcache is off for this site and stays off: set the directive enable=1 to use it.")
    result["changes"] = [
        f"{key} {site.current.get(key, 'unset')} -> {value}"
        for key, value in (planned.get("opcache") or {}).items()
        if site.current.get(key) != value
    ]
    keep = result["kept"] and bool(stored)
    result["decision"] = (
        stored
        if keep
        else {
            "source": choice.source,
            "need": choice.need._asdict() if choice.need else None,
            "directives": sorted(plans.full_name(name) for name in site.directives),
        }
    )
    result["decision_path"] = site.decision_path
    result["blacklist"] = {"path": site.blacklist_path, "lines": list(site.blacklist)}
    known = [result[source]["need"] for source in ("measured", "compiled") if result[source]["available"]]
    least = setting_for(_need(known[0]), 1.0, site.php_version).memory_consumption * MIB if known else 0
    result["budget"] = {
        "name": site.name,
        "segment_bytes": result["segment_bytes"] or 0,
        "jit_bytes": result["jit_bytes"] or 0,
        "user": site.user or "",
        "php_version": site.php_version,
        "min_segment_bytes": least or result["segment_bytes"] or 0,
    }


def _choice(site: SizedSite, result: Mapping[str, Any]) -> tuple[plans.Choice, int | None]:
    compiled, measured = result["compiled"], result["measured"]
    if site.size == "given":
        return plans.Choice("given", None), None
    if site.size == "measured" and measured["available"] and not (measured["starved"] and compiled["available"]):
        return plans.Choice("measured", _need(measured["need"])), measured["age_seconds"]
    if compiled["available"]:
        return plans.Choice("compiled", _need(compiled["need"])), None
    return plans.Choice("given", None), None


def _need(values: Mapping[str, int]) -> Need:
    return Need(int(values["scripts_bytes"]), int(values["interned_bytes"]), int(values["keys"]))


def hand_over(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a role passes on to other modules, of the sites that have directives."""
    ready = [one for one in results if one["opcache"]]
    lists = [one["blacklist"] for one in ready if one["blacklist"]["path"]]
    named = {one["path"] for one in lists}
    folders = [Path(one["decision_path"]).parent for one in ready]
    stale = [
        str(path) for folder in folders for path in folder.glob("opcache-blacklist-*.txt") if str(path) not in named
    ]
    return {
        "slots": [{"name": one["name"], "opcache": one["opcache"]} for one in ready],
        "budget": [one["budget"] for one in ready],
        "blacklists": [{"path": one["path"], "text": "\n".join([*one["lines"], ""])} for one in lists],
        "decisions": [
            {"path": one["decision_path"], "text": json.dumps(one["decision"], indent=2, sort_keys=True) + "\n"}
            for one in ready
        ],
        "stale_files": sorted(stale),
        "summary": [summary(one) for one in results],
    }


def summary(one: Mapping[str, Any]) -> str:
    """Return one sentence about a site."""
    if not one["opcache"]:
        return str(one["reason"])
    source = one[one["source"]] if one["source"] != "given" else {}
    reason = source["recommendation"]["memory_consumption"]["reason"] if source else "as given."
    reason += "".join(" " + warning for warning in one["warnings"])
    # A site without earlier directives gets a whole profile: the list would say nothing but the profile.
    first = all(" unset -> " in change for change in one["changes"])
    change = "nothing changes" if one["kept"] else "its first directives" if first else "; ".join(one["changes"])
    if one["source"] == "compiled" and one["measured"]["reason"]:
        reason += f" Not measured: {one['measured']['reason']}"
    return f"{one['name']}: {one['opcache']['opcache.memory_consumption']} MiB ({one['source']}: {reason}) {change}."
