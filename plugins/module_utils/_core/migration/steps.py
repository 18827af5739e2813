# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Joins what the steps of a migration said: what the next step takes, and what the admin is told."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.notes import ALWAYS
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_settings import is_true
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of, human_bytes

MIB = 1024 * 1024
# PHP's own default of opcache.memory_consumption, for a site that nobody sized.
_DEFAULT_MIB = 128


def state(
    plan: Mapping[str, Any],
    sizes: Mapping[str, Any] | None = None,
    slots: Mapping[str, Any] | None = None,
    handlers: Mapping[str, Any] | None = None,
    budget: Mapping[str, Any] | None = None,
    ended: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what follows from the results of the steps so far; a step that was not done yet is None.

    plan: of migration_plan_info. sizes: of opcache_size_info. budget: of memory_budget_info. ended: of php_cgi_idle.
    slots: of site_slot. handlers: of site_handlers.
    specs go to site_slot, budget to memory_budget_info, php_cgi_to_end to php_cgi_idle, ready to site_handlers,
    unwanted to site_slot with state absent; refusal says why the masters don't fit, failed holds a sentence for each
    site that stays as it was, report all that there is to say.
    """
    specs = _specs(plan, sizes or {})
    started = {one["name"]: one for one in (slots or {}).get("sites") or []}
    moved = {one["site"]: one for one in (handlers or {}).get("sites") or []}
    broken = [name for name, one in started.items() if one.get("failed")]
    ready = [site for site in plan.get("handlers") or [] if site["site"] in started and site["site"] not in broken]
    back = [name for name, one in moved.items() if one.get("failed")]
    known = set(plan.get("migrated") or [])
    to_end = _to_end(budget or {})
    return {
        "specs": specs,
        "budget": [_planned(spec, sizes or {}) for spec in specs],
        "php_cgi_leaves": not plan.get("refused") and not plan.get("others"),
        "php_cgi_to_end": to_end,
        "refusal": _refusal(budget or {}, to_end),
        "ready": ready,
        "unwanted": [{"name": name} for name in back if name not in known],
        "failed": _failed(plan, started, moved),
        "report": report(plan, specs, started, moved, handlers or {}, sizes, ended),
    }


def _specs(plan: Mapping[str, Any], sizes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the specs with the sized directives; what the site had by -d or its overrides wins."""
    sized = {one["name"]: one["opcache"] for one in sizes.get("slots") or []}
    merged = []
    for spec in plan.get("specs") or []:
        if spec["name"] in sized:
            merged.append({**spec, "opcache": {**sized[spec["name"]], **(spec.get("opcache") or {})}})
        else:
            merged.append(dict(spec))
    return merged


def _planned(spec: Mapping[str, Any], sizes: Mapping[str, Any]) -> dict[str, Any]:
    sized = {one["name"]: one for one in sizes.get("budget") or []}
    planned = dict(sized.get(spec["name"], {"name": spec["name"]}))
    text = str((spec.get("opcache") or {}).get("opcache.memory_consumption", _DEFAULT_MIB))
    mib = int(text) if text.isdigit() else _DEFAULT_MIB
    planned["segment_bytes"] = mib * MIB
    for option in ("user", "php_version"):
        planned[option] = str(spec.get(option) or "")
    planned["max_children"] = int((spec.get("process_manager") or {}).get("max_children") or 0)
    return planned


def _to_end(budget: Mapping[str, Any]) -> int:
    """Return how many idle php-cgi have to end before the masters start; 0 where that is no way out, or not needed."""
    if budget.get("fits", True):
        return 0
    ways = [way for way in budget.get("ways_out") or [] if way["action"] == "end_idle_php_cgi" and way["fits"]]
    return int(ways[0]["php_cgi_ends_first"]) if ways else 0


def _refusal(budget: Mapping[str, Any], to_end: int) -> str:
    sentence = "To have this role end idle php-cgi, set fpm_migrate_end_idle_php_cgi to true."
    parts = ["Nothing was changed.", str(budget.get("message") or ""), sentence if to_end else ""]
    return " ".join(part for part in parts if part)


def _ended_text(ended: Mapping[str, Any]) -> list[str]:
    if not ended.get("ended") and not ended.get("short"):
        return []
    count = len(ended["ended"])
    what = count_of(count, "idle php-cgi process was", "idle php-cgi processes were")
    fewer = f", {ended['short']} fewer than the budget asks for" if ended.get("short") else ""
    first = what if count else "No idle php-cgi process was"
    return [f"{first} ended before the masters started{fewer}; mod_fcgid starts new ones on demand."]


def _failed(
    plan: Mapping[str, Any], started: Mapping[str, Mapping[str, Any]], moved: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    names = {site["site"]: site["name"] for site in plan.get("sites") or []}
    found = []
    for slug, one in [*started.items(), *moved.items()]:
        if one.get("failed"):
            step = one.get("step") or "unknown"
            name = names.get(slug, slug)
            found.append(
                f"{name} stays on php-cgi; it failed at the step {step}: {one.get('msg') or 'no reason given'}"
            )
    return found


def report(
    plan: Mapping[str, Any],
    specs: Sequence[Mapping[str, Any]],
    started: Mapping[str, Mapping[str, Any]],
    moved: Mapping[str, Mapping[str, Any]],
    handlers: Mapping[str, Any],
    sizes: Mapping[str, Any] | None = None,
    ended: Mapping[str, Any] | None = None,
) -> list[str]:
    """Return the sentences for the admin: sites, what was carried, what is different, what the reload cost."""
    lines = [f"The package {name} was missing." for name in plan.get("packages") or []]
    known = plan.get("migrated") or []
    merged = {spec["name"]: spec for spec in specs}
    found = {one["name"]: one for one in (sizes or {}).get("sites") or []}
    several: dict[str, list[str]] = {}
    moving = [site for site in plan.get("sites") or [] if _moves(site, known, started, moved)]
    for site in moving:
        for sentence in site["reported"]:
            several.setdefault(sentence, []).append(site["name"])
    for site in plan.get("sites") or []:
        slug = site["site"]
        if site.get("refused"):
            lines.append(f"{site['name']}: not migrated. {site['refused']}")
            continue
        if slug in known:
            lines.append(f"{site['name']}: runs by PHP-FPM already.")
            continue
        if site not in moving:
            continue
        carried = count_of(len(site["carried"]), "setting") if site["carried"] else "no settings"
        size = _size_text(site["spec"].get("opcache") or {}, merged.get(slug, {}), found.get(slug))
        lines.append(f"{site['name']}: PHP-FPM as {site['spec'].get('user')}, {size}, {carried} carried.")
        own = [sentence for sentence in site["reported"] if len(several[sentence]) == 1]
        lines += [f"{site['name']}: {sentence}" for sentence in [*found.get(slug, {}).get("warnings", []), *own]]
    lines += [f"{', '.join(names)}: {sentence}" for sentence, names in several.items() if len(names) > 1]
    if any(not started.get(spec["name"], {}).get("failed") and spec["name"] not in known for spec in specs):
        lines += ["All sites that move: " + sentence for sentence in ALWAYS]
    lines += _failed(plan, started, moved)
    lines += _ended_text(ended or {})
    reload = handlers.get("reload") or {}
    if reload.get("reloads"):
        times = "once" if reload["reloads"] == 1 else f"{reload['reloads']} times"
        seconds = ", ".join(str(item) for item in reload.get("seconds") or [])
        busy = reload.get("busy_at_reload", 0)
        waited = reload.get("idle_wait_seconds", 0)
        lines.append(
            f"Apache was reloaded {times} ({seconds} s) after {waited} s of waiting for idle php-cgi;"
            f" {count_of(busy, 'request was', 'requests were')} in php-cgi then."
        )
    return lines + [str(line) for line in reload.get("warnings") or []]


def _moves(
    site: Mapping[str, Any],
    known: Sequence[str],
    started: Mapping[str, Mapping[str, Any]],
    moved: Mapping[str, Mapping[str, Any]],
) -> bool:
    """Return whether a site is new to PHP-FPM and nothing went wrong with it so far."""
    slug = str(site["site"])
    failed = started.get(slug, {}).get("failed") or moved.get(slug, {}).get("failed")
    return not site.get("refused") and slug not in known and not failed


def _size_text(own: Mapping[str, Any], spec: Mapping[str, Any], sized: Mapping[str, Any] | None) -> str:
    """Return how large a site's OPcache is, and why; own: what the site had itself, before it was sized."""
    if not is_true(str(own.get("opcache.enable", "1"))):
        return "OPcache off as before"
    mib = (spec.get("opcache") or {}).get("opcache.memory_consumption", _DEFAULT_MIB)
    if "opcache.memory_consumption" in own:
        return f"OPcache {mib} MiB as before"
    if not sized or not sized.get(sized["source"], {}).get("available"):
        why = sized.get("reason") if sized else None
        return f"OPcache {mib} MiB (PHP's default{': ' + why if why else ''})"
    compiled = sized[sized["source"]]
    scripts = f"{compiled['scripts']:,} script{'' if compiled['scripts'] == 1 else 's'} compiled"
    bound = "an upper bound" if compiled.get("whole") else "not all of its files"
    return f"OPcache {mib} MiB ({scripts}: {human_bytes(compiled['used_bytes'])}; {bound})"
