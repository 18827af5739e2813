# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.phpops.webhost.plugins.filter import facts_age as plugin


def test_the_age_is_told_as_of_now() -> None:
    (facts_age,) = plugin.FilterModule().filters().values()
    found = facts_age({"phpops_shm": {}, "diagnose_gathered": {"time": "2020-01-01T00:00:00Z"}})
    assert found["time"] == "2020-01-01T00:00:00Z"
    assert "days" in found["text"]


@pytest.mark.parametrize("value", [None, [], "x"])
def test_facts_of_another_type_are_refused(value: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="give it ansible_facts"):
        plugin.facts_age(value)
