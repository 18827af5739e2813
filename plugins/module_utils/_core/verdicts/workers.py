# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Verdicts over the private memory of PHP workers."""

from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of, human_bytes
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
)

_KINDS = ("php-fpm", "php-cgi")
_RECYCLE = Cure("Let workers go that grew too large.", "phpops.webhost.tune", tags=["worker_recycle"])


def php_workers_large(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """The workers of a master, or php-cgi, hold much memory that they share with nobody, also in swap."""
    found = []
    for group in entries(section(facts, "phpops_shm"), "groups"):
        # A master of PHP-FPM holds little, and is no worker.
        workers = number(group, "processes") - (1 if group.get("kind") == "php-fpm" else 0)
        private = number(group, "anon_bytes") + number(group, "swap_bytes")
        if group.get("kind") not in _KINDS or workers < 1 or private / workers < marks.worker_bytes:
            continue
        name = str(group.get("unit") or group.get("name"))
        sentence = (
            f"{count_of(workers, 'PHP worker')} of {name} {'holds' if workers == 1 else 'hold'} {human_bytes(private)}"
            f" of private memory, {human_bytes(private // workers)} each."
        )
        evidence = [Evidence("PHP workers", workers, "processes"), Evidence("private memory", private, "bytes")]
        found.append(Verdict("php_workers_large", WARNING, sentence, evidence, _RECYCLE))
    return found
