# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.phpops.webhost.tests.unit._core.verdicts.case_fixture import fires, keeps_quiet
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.facts_fixture import MIB, large

# (code, severity, facts that fire it, words of its sentence)
FIRES = [
    (
        "php_workers_large",
        "warning",
        large(9, 8 * 256 * MIB, "php-fpm"),
        "8 PHP workers of php8.2-fpm.service hold 2 GiB of private memory, 256 MiB each.",
    ),
    ("php_workers_large", "warning", large(1, 300 * MIB, "php-cgi"), "1 PHP worker of php-cgi holds 300 MiB"),
]
# (code, facts just below the mark)
QUIETS = [
    ("php_workers_large", large(9, 8 * 256 * MIB - 1, "php-fpm")),
    ("php_workers_large", large(1, 300 * MIB, "php-fpm")),
    ("php_workers_large", large(2, 600 * MIB, "apache")),
]

test_a_verdict_fires_with_its_numbers = fires(FIRES)
test_a_verdict_keeps_quiet_below_its_mark = keeps_quiet(QUIETS)
