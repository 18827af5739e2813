# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.phpops.webhost.tests.unit._core.verdicts.case_fixture import fires, keeps_quiet
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.facts_fixture import (
    MIB,
    master,
    opcache,
    pool,
    slot_site,
)

KEPT = {
    "file": "/etc/apache2/x.conf",
    "line": 7,
    "why": "`enablereuse=on` keeps connections open",
    "cure": "take it out",
}

# (code, severity, facts that fire it, words of its sentence)
FIRES = [
    (
        "max_children_reached",
        "warning",
        opcache(master(None, pools=[pool(max_children_reached=3, memory_by_worker=[{"anon_bytes": 40 * MIB}])])),
        "All workers were busy: www of php8.2-fpm.service (3 times since its start, with 5 workers at most).",
    ),
    (
        "max_children_reached",
        "warning",
        opcache(master(pools=[pool(max_children_reached=None, listen_queue=4, active=5)])),
        "wiki (now, with 5 workers at most, 4 requests wait).",
    ),
    (
        "deploy_blocked",
        "warning",
        slot_site(web_findings=[KEPT, KEPT]),
        "/etc/apache2/x.conf:7: `enablereuse=on` keeps connections open.",
    ),
    (
        "opcache_unknown",
        "info",
        opcache({"reason": "The task needs become.", "unit": "php8.2-fpm.service"}),
        "OPcache is unknown for php8.2-fpm.service: The task needs become.",
    ),
]
# (code, facts just below the mark)
QUIETS = [
    ("max_children_reached", opcache(master(pools=[pool(listen_queue=4, active=4), pool(active=5)]))),
    ("deploy_blocked", slot_site(web_findings=[])),
    ("opcache_unknown", opcache(master())),
]

test_a_verdict_fires_with_its_numbers = fires(FIRES)
test_a_verdict_keeps_quiet_below_its_mark = keeps_quiet(QUIETS)
