# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import judge
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import Thresholds
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.case_fixture import fires, keeps_quiet
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.facts_fixture import (
    errors,
    facts,
    master,
    moved,
    opcache,
    shm,
    site,
    sites,
)


def slots(active: bool | None) -> dict[str, Any]:
    slot = {"unit": "phpops-fpm@wiki-blue.service", "active": active}
    site_of = {"name": "wiki", "live_slot": "blue", "slots": {"blue": slot, "green": {"active": False}}}
    return facts(phpops_slot={"available": True, "sites": [site_of]})


# (code, severity, facts that fire it, words of its sentence)
FIRES = [
    (
        "shm_allocation_errors",
        "critical",
        sites(site("a.example.org", shm_errors=errors(3)), site("b.example.org", shm_errors=errors(7))),
        "PHP was refused its shared memory segment of 64 MiB 10 times, as the error logs say "
        "(b.example.org 7, a.example.org 3); the last one: 2026-01-02 10:00:00.",
    ),
    (
        "shm_allocation_errors",
        "critical",
        facts(
            phpops_php_sites={
                "apache": {"error_log": "/log", "shm_errors": errors(9)},
                # The site without a log of its own writes to the server's.
                "sites": [
                    site("a", error_log="/log", shm_errors=errors(9)),
                    site("b", error_log="/b", shm_errors=errors(1)),
                ],
            }
        ),
        "64 MiB 10 times, as the error logs say (Apache's own log 9, b 1)",
    ),
    (
        "shm_allocation_errors",
        "critical",
        opcache(
            master("wiki", error_log="/log", shm_errors=errors(2)),
            # Both slots of a site may write to one log.
            master("wiki", slot="green", error_log="/log", shm_errors=errors(2)),
            master(None, error_log="/fpm.log", shm_errors=errors(1)),
        ),
        "64 MiB 3 times, as the error logs say (wiki 2, php8.2-fpm.service 1)",
    ),
    (
        "error_logs_unreadable",
        "info",
        opcache(master(error_log="/log", shm_errors={"count": None, "reason": "/log can't be read: use become."})),
        "Whether PHP was refused shared memory is unknown for wiki: /log can't be read: use become.",
    ),
    (
        "error_logs_unreadable",
        "info",
        sites(site("a", shm_errors={"count": None, "reason": "/log can't be read: run the task with become."})),
        "Whether PHP was refused shared memory is unknown for a: /log can't be read: run the task with become.",
    ),
    (
        "live_slot_down",
        "critical",
        slots(False),
        "The live slot blue of wiki has no running master (phpops-fpm@wiki-blue.service): its PHP requests fail.",
    ),
    (
        "site_not_migratable",
        "info",
        sites(site("a.example.org", migratable=False, reasons=["Its wrapper can't be read."])),
        "a.example.org can't be moved to PHP-FPM: Its wrapper can't be read.",
    ),
    (
        "processes_unreadable",
        "info",
        shm(groups=[{"name": "php-cgi", "kind": "php-cgi", "unreadable_processes": 4}]),
        "The memory of 4 processes can't be read (php-cgi 4)",
    ),
    ("processes_unreadable", "info", shm(processes={"hidden": True}), "mounted with hidepid"),
    (
        "facts_unavailable",
        "info",
        facts(phpops_slab={"available": False, "reason": "x: run the task with become."}),
        "Nothing is known about the slab caches: x: run the task with become.",
    ),
    (
        "facts_unavailable",
        "info",
        facts(phpops_slot={"reason": "/var/lib/phpops can't be read: run the task with become."}),
        "Nothing is known about the slots of sites: /var/lib/phpops can't be read: run the task with become.",
    ),
    (
        "facts_unavailable",
        "info",
        facts(phpops_oom_policy={"available": False, "reason": "`systemctl show` ended with 1: x"}),
        "Nothing is known about what systemd does after an OOM kill: `systemctl show` ended with 1: x",
    ),
    (
        "facts_unavailable",
        "info",
        facts(budget={"fits": None}),
        "Nothing is known about the memory budget: it was not gathered.",
    ),
    (
        "facts_unavailable",
        "info",
        facts(phpops_beancounters={"available": False, "supported": True, "reason": "Run it with become."}),
        "Nothing is known about the beancounters",
    ),
]
# (code, facts just below the mark)
QUIETS = [
    ("shm_allocation_errors", sites(site("a", shm_errors=errors(0)), site("b"))),
    ("shm_allocation_errors", opcache(master(error_log="/log", shm_errors=errors(0)), master(shm_errors=None))),
    ("error_logs_unreadable", opcache(master(error_log="/log", shm_errors=errors(0)), master(shm_errors=None))),
    ("live_slot_down", slots(True)),
    ("live_slot_down", slots(None)),
    ("error_logs_unreadable", sites(site("a", shm_errors=errors(0)), site("b"))),
    (
        "site_not_migratable",
        sites(site("a"), site("b", "mod_php", False), moved(site("c"))),
    ),
    ("processes_unreadable", shm(groups=[{"name": "other", "kind": "other", "unreadable_processes": 1}])),
    ("processes_unreadable", shm(groups=[{"name": "php-cgi", "unreadable_processes": 0}])),
    ("facts_unavailable", facts()),
    ("facts_unavailable", opcache({"reason": "It does not answer."})),
    ("facts_unavailable", facts(phpops_slot={"available": True, "reason": None})),
    ("facts_unavailable", facts(budget={"fits": False})),
]

test_a_verdict_fires_with_its_numbers = fires(FIRES)
test_a_verdict_keeps_quiet_below_its_mark = keeps_quiet(QUIETS)


def test_the_cure_of_refused_segments_depends_on_whom_they_were_refused() -> None:
    (verdict,) = judge(opcache(master(error_log="/log", shm_errors=errors(1))))
    assert (verdict["cure"]["play"], verdict["cure"]["tags"]) == ("phpops.webhost.tune", ["opcache"])
    found = opcache(
        master(error_log="/log", shm_errors=errors(1)), phpops_php_sites=sites(site("a"))["phpops_php_sites"]
    )
    assert judge(found)[0]["cure"]["play"] == "phpops.webhost.migrate"


def test_errors_below_the_threshold_are_no_verdict() -> None:
    assert judge(sites(site("a", shm_errors=errors(4))), Thresholds.of({"shm_errors": 5})) == []
