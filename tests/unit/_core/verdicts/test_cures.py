# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import judge
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.facts_fixture import errors, site, sites


def test_a_cure_names_a_few_sites_and_leaves_many_to_the_default() -> None:
    for count, variables in ((5, {"fpm_migrate_sites": list("abcde")}), (6, {})):
        found = sites(*(site(name, shm_errors=errors(1)) for name in "abcdef"[:count]))
        assert judge(found)[0]["cure"]["variables"] == variables
