# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Verdicts over the pools of PHP-FPM: workers that were all busy, masters that do not answer, and their way in."""

from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of, human_bytes
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.masters import (
    Hit,
    name_of,
    tell,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import (
    INFO,
    WARNING,
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

_MOST_LINES = 3


def _worker_bytes(pool: Facts) -> int:
    sizes = [number(worker, "anon_bytes") for worker in entries(pool, "memory_by_worker")]
    return sum(sizes) // len(sizes) if sizes else 0


def max_children_reached(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """All workers of a pool were busy, so that requests waited or were refused."""
    hits = []
    for master in entries(sub(facts, "phpops_opcache"), "masters"):
        for pool in entries(master, "pools"):
            fpm = sub(pool, "fpm")
            times, most, queue = (
                number(fpm, "max_children_reached"),
                number(fpm, "max_children"),
                number(fpm, "listen_queue"),
            )
            waits = bool(queue and most and number(fpm, "active") >= most)
            if times < marks.max_children_reached and not waits:
                continue
            name = str(master.get("site") or f"{pool.get('pool')} of {name_of(master)}")
            words = f"{count_of(times, 'time')} since its start" if times else "now"
            words += f", with {count_of(most, 'worker')} at most" if most else ""
            words += f", {count_of(queue, 'request waits', 'requests wait')}" if waits else ""
            each = _worker_bytes(fpm)
            room = f" Each takes {human_bytes(each)} of private memory now." if each else ""
            text = f"Find what keeps them busy, else allow more (pm.max_children) where memory allows it.{room}"
            play = "phpops.webhost.site" if master.get("site") else None
            if play:
                text = text.replace("pm.max_children", "process_manager.max_children in fpm_site_sites")
            evidence = [
                Evidence(f"max_children reached by {name}", times, "times"),
                Evidence(f"requests that wait for {name}", queue, "requests"),
            ]
            hits.append(Hit(name, words, evidence, Cure(text, play)))
    return tell("max_children_reached", WARNING, "All workers were busy", hits)


def opcache_unknown(facts: Facts, _marks: Thresholds) -> list[Verdict]:
    """Masters that could not be asked, so that nothing is known of their cache."""
    masters = [one for one in entries(sub(facts, "phpops_opcache"), "masters") if one.get("reason")]
    if not masters:
        return []
    reason = str(masters[0].get("reason"))
    sentence = f"OPcache is unknown for {listed([name_of(master) for master in masters])}: {reason}"
    cure = Cure("Do what the reason says, or leave it: nothing else depends on it.")
    if "become" in reason:
        cure = Cure("Run it with become.", "phpops.webhost.diagnose", {"ansible_become": True})
    evidence = [Evidence("masters that could not be asked", len(masters), "masters")]
    return [Verdict("opcache_unknown", INFO, sentence, evidence, cure)]


def deploy_blocked(facts: Facts, _marks: Thresholds) -> list[Verdict]:
    """A line of the web server would break a site's next deploy, such as connections that are kept for ever."""
    lines: dict[tuple[str, int], Facts] = {}
    for site in entries(section(facts, "phpops_slot"), "sites"):
        for line in entries(site, "web_findings"):
            lines.setdefault((str(line.get("file")), number(line, "line")), line)
    if not lines:
        return []
    shown = [f"{file}:{place}: {line.get('why')}" for (file, place), line in lines.items()]
    more = len(shown) - _MOST_LINES
    sentence = "; ".join(shown[:_MOST_LINES]) + (f"; and {count_of(more, 'other line')}." if more > 0 else ".")
    cures = list(dict.fromkeys(str(line.get("cure")) for line in lines.values()))
    text = f"Before the next deploy, which refuses to begin: {'; '.join(cures[:_MOST_LINES])}."
    evidence = [Evidence("lines that break a deploy", len(lines), "lines")]
    return [Verdict("deploy_blocked", WARNING, sentence, evidence, Cure(text))]
