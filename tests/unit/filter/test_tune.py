# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.phpops.webhost.plugins.filter import tune_plan as plan_plugin
from ansible_collections.phpops.webhost.plugins.filter import tune_summary as summary_plugin


def test_the_filters_work_one_after_the_other() -> None:
    (tune_plan,) = plan_plugin.FilterModule().filters().values()
    (tune_summary,) = summary_plugin.FilterModule().filters().values()
    lines = tune_summary(tune_plan({}, "swap"), {"swap": [{"changed": True}]})
    assert "swap: done, named in tune_roles." in lines


def test_a_wrong_choice_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="tune_roles names swop"):
        plan_plugin.tune_plan({}, "swop")


@pytest.mark.parametrize("value", [None, [], "x"])
def test_something_else_is_refused(value: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="give it a dictionary such as ansible_facts"):
        plan_plugin.tune_plan(value)
    with pytest.raises(AnsibleFilterError, match="tune_summary got no plan"):
        summary_plugin.tune_summary(value, {})
