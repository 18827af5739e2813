# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.phpops.webhost.plugins.filter import verdict_text as text_plugin
from ansible_collections.phpops.webhost.plugins.filter import verdicts as verdicts_plugin
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import Thresholds


def test_the_filters_work_one_after_the_other() -> None:
    (verdicts,) = verdicts_plugin.FilterModule().filters().values()
    (text,) = text_plugin.FilterModule().filters().values()
    found = verdicts({"phpops_shm": {"available": True, "tmpfs": [{"path": "/t", "size_bytes": 9, "used_bytes": 9}]}})
    assert text(found, "web1").startswith(
        "web1: 0 critical, 1 warning, 8 info\n[warning] tmpfs_near_full: The tmpfs /t"
    )


def test_the_documentation_lists_every_threshold_with_its_default() -> None:
    options = yaml.safe_load(verdicts_plugin.DOCUMENTATION)["options"]
    documented = {name: option["default"] for name, option in options.items() if name != "_input"}
    assert documented == vars(Thresholds())


@pytest.mark.parametrize("value", [None, [], "x", 1])
def test_facts_of_another_type_are_refused(value: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="give it a dictionary such as ansible_facts"):
        verdicts_plugin.verdicts(value)


def test_a_wrong_threshold_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match=r"verdicts: near_limit is 90: give a share"):
        verdicts_plugin.verdicts({}, near_limit=90)


@pytest.mark.parametrize("value", [None, "x", [1], [{"code": "x"}]])
def test_a_text_of_something_else_is_refused(value: Any) -> None:
    with pytest.raises(AnsibleFilterError, match=r"give it what phpops\.webhost\.verdicts returned"):
        text_plugin.verdict_text(value, "web1")
