# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The sites that a migration would take, and the cure that several verdicts name."""

from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_handlers import PHP_CGI_METHODS
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import (
    Cure,
    Facts,
    entries,
    section,
    sub,
)

# More names than this would make a command that nobody reads; without names the migration takes all sites it can.
_MOST_NAMES = 5


def on_php_cgi(facts: Facts) -> list[Facts]:
    """Return the sites that php-cgi serves today; the facts show one that was migrated as PHP-FPM's."""
    sites = entries(section(facts, "phpops_php_sites"), "sites")
    return [site for site in sites if sub(site, "php").get("method") in PHP_CGI_METHODS]


def movable(facts: Facts) -> list[str]:
    """Return the names of the sites that a migration would take."""
    return [str(site.get("name")) for site in on_php_cgi(facts) if site.get("migratable") is True]


def migrate(facts: Facts) -> Cure:
    """Return the migration of all sites that it would take, by name when they are few."""
    sites = movable(facts)
    text = "Move the sites from php-cgi to PHP-FPM, whose workers share one segment."
    return Cure(text, "phpops.webhost.migrate", {"fpm_migrate_sites": sites} if 0 < len(sites) <= _MOST_NAMES else {})
