# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible_collections.phpops.webhost.tests.unit._core.verdicts.case_fixture import fires, keeps_quiet
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.facts_fixture import (
    keeping,
    moved,
    php_cgi,
    shm_of,
    sites,
)


def of_the_server(found: dict[str, Any]) -> dict[str, Any]:
    """Return sites whose handler is the whole server's."""
    given = found["phpops_php_sites"]["sites"]
    return sites(*({**one, "php": {**one["php"], "server_wide": True}} for one in given))


def after_migration(found: dict[str, Any]) -> dict[str, Any]:
    return sites(*(moved(one) for one in found["phpops_php_sites"]["sites"]))


# (code, severity, facts that fire it, words of its sentence)
FIRES = [
    (
        "idle_php_cgi_stay",
        "warning",
        {**keeping(3, 3, 0), "phpops_shm": php_cgi(11, 11)["phpops_shm"]},
        "mod_fcgid keeps up to 6 idle php-cgi of 2 sites for ever (FcgidMinProcessesPerClass); 11 php-cgi run now and"
        " hold 704 MiB of OPcache.",
    ),
    # The sites still have their handlers, and the next request starts one.
    (
        "idle_php_cgi_stay",
        "warning",
        keeping(3, 3),
        "of 2 sites for ever (FcgidMinProcessesPerClass); 0 php-cgi run now.",
    ),
    (
        "idle_php_cgi_stay",
        "warning",
        {**of_the_server(keeping(3, 3)), **shm_of(php_cgi(1, 1))},
        "1 php-cgi runs now and holds 64 MiB of OPcache.",
    ),
]
# (code, facts just below the mark)
QUIETS = [
    ("idle_php_cgi_stay", keeping(3, 2, 0)),
    ("idle_php_cgi_stay", after_migration(keeping(3, 3, 3))),
    ("idle_php_cgi_stay", {**after_migration(keeping(3, 3, 3)), **shm_of(php_cgi(2, 2))}),
    ("idle_php_cgi_stay", of_the_server(keeping(3, 3))),
]

test_a_verdict_fires_with_its_numbers = fires(FIRES)
test_a_verdict_keeps_quiet_below_its_mark = keeps_quiet(QUIETS)
