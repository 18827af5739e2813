# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Verdicts over the limits of mod_fcgid."""

from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of, human_bytes
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import cures
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import (
    WARNING,
    Cure,
    Evidence,
    Facts,
    Thresholds,
    Verdict,
    entries,
    number,
    section,
    sub,
)

_LIMIT = "FcgidMinProcessesPerClass"


def _kept(site: Facts) -> int:
    return number(sub(sub(sub(site, "fcgid"), "directives"), _LIMIT), "value")


def _only_by_the_server(site: Facts) -> bool:
    """A handler of the whole server reaches virtual hosts, too, that nobody asks for PHP, such as the default one."""
    return sub(site, "php").get("server_wide") is True


def idle_php_cgi_stay(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """mod_fcgid lets so many idle php-cgi of each site live for ever, whatever its other limits say."""
    shm = section(facts, "phpops_shm")
    groups = [group for group in entries(shm, "groups") if group.get("kind") == "php-cgi"]
    processes = sum(number(group, "processes") for group in groups)
    sites = [(site, _kept(site)) for site in cures.on_php_cgi(facts)]
    sites = [(site, kept) for site, kept in sites if kept and not (shm and not processes and _only_by_the_server(site))]
    total = sum(kept for _site, kept in sites)
    if total < marks.kept_php_cgi:
        return []
    size = sum(number(group, "opcache_bytes") for group in groups)
    sentence = (
        f"mod_fcgid keeps up to {count_of(total, 'idle php-cgi', 'idle php-cgi')} of {count_of(len(sites), 'site')} for"
        f" ever ({_LIMIT}); {processes} php-cgi {'runs' if processes == 1 else 'run'} now"
    )
    hold = "holds" if processes == 1 else "hold"
    sentence += f" and {hold} {human_bytes(size)} of OPcache." if size else "."
    evidence = [
        Evidence("idle php-cgi that may stay", total, "processes"),
        Evidence("php-cgi processes", processes, "processes"),
        Evidence("reserved by them", size, "bytes"),
    ]
    cure = Cure(
        f"Let idle php-cgi end: {_LIMIT} 0 with a process lifetime.", "phpops.webhost.tune", tags=["fcgid_limits"]
    )
    return [Verdict("idle_php_cgi_stay", WARNING, sentence, evidence, cure)]
