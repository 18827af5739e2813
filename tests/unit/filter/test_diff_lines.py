# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.phpops.webhost.plugins.filter.diff_lines import FilterModule

diff_lines = FilterModule().filters()["diff_lines"]


def test_one_entry_and_a_list_are_taken() -> None:
    entry = {"before": "", "after": "new\n"}
    assert diff_lines(entry) == diff_lines([entry])
    assert diff_lines([entry])[-1] == "+new"


@pytest.mark.parametrize("given", ["text", None, ["text"]])
def test_something_else_is_an_error(given: object) -> None:
    with pytest.raises(AnsibleFilterError, match="register the result first"):
        diff_lines(given)
