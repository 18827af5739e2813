# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Verdicts over the PHP sites of a host, and over facts that could not be read."""

from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_report import NO_MASTER
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import NO_SLOTS
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of, human_bytes
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import cures
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.masters import SIZE, name_of
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import (
    CRITICAL,
    INFO,
    Cure,
    Evidence,
    Facts,
    Thresholds,
    Verdict,
    entries,
    listed,
    number,
    section,
    sub,
)

# (key of the facts, what they tell)
_GATHERED = (
    ("phpops_shm", "shared memory"),
    ("phpops_slab", "the slab caches"),
    ("phpops_php_sites", "the PHP sites"),
    ("phpops_beancounters", "the beancounters"),
    ("phpops_oom", "what the OOM killer did"),
    ("phpops_oom_policy", "what systemd does after an OOM kill"),
    ("phpops_slot", "the slots of sites"),
    ("phpops_opcache", "OPcache"),
    ("budget", "the memory budget"),
)


def _error_logs(facts: Facts) -> list[tuple[str, Facts]]:
    """Return what each error log tells of refused segments, by whose log it is; each file once.

    php-cgi says it while it starts, and then its stderr is still the server's own log. A PHP-FPM master has its own.
    """
    found = section(facts, "phpops_php_sites")
    apache = sub(found, "apache")
    logs = [("Apache's own log", apache), *((str(site.get("name")), site) for site in entries(found, "sites"))]
    logs += [(name_of(master), master) for master in entries(sub(facts, "phpops_opcache"), "masters")]
    by_path: dict[str, tuple[str, Facts]] = {}
    for name, owner in logs:
        if sub(owner, "shm_errors"):
            by_path.setdefault(str(owner.get("error_log") or name), (name, sub(owner, "shm_errors")))
    return list(by_path.values())


def shm_allocation_errors(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """Error logs say that PHP was refused the shared memory segment it asked for."""
    hit = [(number(errors, "count"), name, errors) for name, errors in _error_logs(facts)]
    hit = sorted((item for item in hit if item[0] >= marks.shm_errors), key=lambda item: (-item[0], item[1]))
    if not hit:
        return []
    total = sum(count for count, _name, _errors in hit)
    sizes = sorted({size for _count, _name, errors in hit for size in errors.get("segment_bytes") or []})
    of_size = f" of {' and '.join(human_bytes(size) for size in sizes[-2:])}" if sizes else ""
    last = max((str(errors["last"]) for _count, _name, errors in hit if errors.get("last")), default="")
    names = listed([f"{name} {count}" for count, name, _errors in hit])
    sentence = (
        f"PHP was refused its shared memory segment{of_size} {count_of(total, 'time')}, as the error logs say ({names})"
        + (f"; the last one: {last}." if last else ".")
    )
    evidence = [Evidence(f"refused segments of {name}", count, "errors") for count, name, _errors in hit]
    cure = cures.migrate(facts) if section(facts, "phpops_php_sites") is None or cures.on_php_cgi(facts) else SIZE
    return [Verdict("shm_allocation_errors", CRITICAL, sentence, evidence, cure)]


def error_logs_unreadable(facts: Facts, _marks: Thresholds) -> list[Verdict]:
    """Error logs that could not be read, so that nobody knows whether segments were refused."""
    logs = [
        (name, str(errors.get("reason") or "")) for name, errors in _error_logs(facts) if errors.get("count") is None
    ]
    if not logs:
        return []
    sentence = f"Whether PHP was refused shared memory is unknown for {listed([name for name, _reason in logs])}: "
    cure = Cure("Run it with become, or look where these logs go.", "phpops.webhost.diagnose")
    evidence = [Evidence("error logs not read", len(logs), "files")]
    return [Verdict("error_logs_unreadable", INFO, sentence + logs[0][1], evidence, cure)]


def sites_not_migratable(facts: Facts, _marks: Thresholds) -> list[Verdict]:
    """Sites that php-cgi serves and that the migration can't take, each with its reasons."""
    found = []
    for site in cures.on_php_cgi(facts):
        if site.get("migratable") is False:
            reasons = [str(reason) for reason in site.get("reasons") or []]
            sentence = f"{site.get('name')} can't be moved to PHP-FPM: {' '.join(reasons) or 'no reason was given.'}"
            evidence = [Evidence("reasons", len(reasons), "reasons")]
            cure = Cure("Change what is named there, or leave the site on php-cgi.")
            found.append(Verdict("site_not_migratable", INFO, sentence, evidence, cure))
    return found


def _is_no_finding(key: str, part: Facts) -> bool:
    """Return whether facts that are not available say that the host has no such thing, or are judged elsewhere."""
    if key == "phpops_beancounters":
        return part.get("supported") is False  # Only OpenVZ has them.
    if key == "phpops_slot":
        return str(part.get("reason")).startswith(NO_SLOTS)
    if key == "phpops_opcache":
        # Masters that could not be asked have a verdict of their own.
        return bool(entries(part, "masters")) or part.get("reason") == NO_MASTER
    # The budget is a module's answer, not facts.
    return key == "budget" and isinstance(part.get("fits"), bool)


def facts_unavailable(facts: Facts, _marks: Thresholds) -> list[Verdict]:
    """Facts that are missing, so that the diagnosis says nothing about them."""
    found = []
    for key, what in _GATHERED:
        part = sub(facts, key)
        if part.get("available") is True or _is_no_finding(key, part):
            continue
        reason = str(part.get("reason") or "it was not gathered.")
        sentence = f"Nothing is known about {what}: {reason}"
        cure = Cure("Gather the facts of this host.", "phpops.webhost.diagnose")
        if "become" in reason:
            cure = Cure("Run it with become.", "phpops.webhost.diagnose", {"ansible_become": True})
        found.append(Verdict("facts_unavailable", INFO, sentence, [Evidence(f"{key} missing", 1, "facts")], cure))
    return found


def live_slot_down(facts: Facts, _marks: Thresholds) -> list[Verdict]:
    """The slot that takes a site's traffic has no running master."""
    found = []
    for site in entries(section(facts, "phpops_slot"), "sites"):
        name, live = str(site.get("name")), str(site.get("live_slot"))
        slot = sub(sub(site, "slots"), live)
        if slot.get("active") is False:
            sentence = (
                f"The live slot {live} of {name} has no running master ({slot.get('unit')}): its PHP requests fail."
            )
            cure = Cure(
                f"Look at it with: journalctl --unit {slot.get('unit')}. Then bring the site up.", "phpops.webhost.site"
            )
            found.append(
                Verdict("live_slot_down", CRITICAL, sentence, [Evidence("running masters", 0, "processes")], cure)
            )
    return found


def processes_unreadable(facts: Facts, _marks: Thresholds) -> list[Verdict]:
    """Shared memory of some processes could not be read, so sums are too small."""
    shm = section(facts, "phpops_shm")
    # Kernel helpers and the like hold no segment that matters here.
    served = [group for group in entries(shm, "groups") if group.get("kind") != "other"]
    groups = [group for group in served if number(group, "unreadable_processes")]
    hidden = sub(shm, "processes").get("hidden") is True
    if not groups and not hidden:
        return []
    total = sum(number(group, "unreadable_processes") for group in groups)
    names = listed([f"{group.get('name')} {number(group, 'unreadable_processes')}" for group in groups])
    sentence = f"The memory of {count_of(total, 'process', 'processes')} can't be read ({names}): sums are too small."
    if not groups:
        sentence = "The list of processes is not whole, as /proc is mounted with hidepid: sums are too small."
    cure = Cure(
        "Run it with become; a container needs the capability SYS_PTRACE too.",
        "phpops.webhost.diagnose",
        {"ansible_become": True},
    )
    evidence = [Evidence("processes not read", total, "processes")]
    return [Verdict("processes_unreadable", INFO, sentence, evidence, cure)]
