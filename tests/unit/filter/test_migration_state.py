# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter hands over to _core, and says what it wants."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.phpops.webhost.plugins.filter.migration_state import FilterModule

migration_state = FilterModule().filters()["migration_state"]


def test_an_empty_plan_has_nothing_to_report():
    assert migration_state({"handlers": [], "sites": [], "specs": []})["report"] == []


def test_it_wants_a_plan():
    with pytest.raises(AnsibleFilterError, match="register it first"):
        migration_state({})
