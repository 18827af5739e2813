# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the verdicts, the playbook tune and the README say of each other's roles is the same."""

from __future__ import annotations

import re

from ansible_collections.phpops.webhost.plugins.module_utils._core.tune_plan import PLAY, ROLES
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import judge
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.all_cases import FIRES
from ansible_collections.phpops.webhost.tests.unit.contract.tree import ROOT, load, readme_table

CURED = {
    (verdict["code"], role)
    for _code, _severity, facts, _words in FIRES
    for verdict in judge(facts)
    if verdict["cure"]["play"] == PLAY
    for role in verdict["cure"]["tags"] or ["no tag"]
}


def test_every_cure_by_the_playbook_names_a_role_of_it():
    assert {role for _code, role in CURED} == set(ROLES)


def test_the_readme_says_which_role_cures_which_verdict():
    rows = [row.split(" | ") for row in readme_table().splitlines()]
    told = {
        (code, role)
        for row in rows
        if len(row) == 3
        for code in re.findall(r"`(\w+)`", row[1])
        for role in re.findall(r"`(\w+)`", row[2])
    }
    assert CURED - told == set()


def test_the_playbook_has_every_role_in_its_order_with_a_tag_of_its_name():
    (block,) = load(ROOT / "roles" / "tune" / "tasks" / "apply.yml")
    assert [task["tags"] for task in block["block"]] == [[role] for role in ROLES]
    for role, task in zip(ROLES, block["block"]):
        include = task["ansible.builtin.include_role"]
        assert include == {"name": f"phpops.webhost.{role}", "apply": {"tags": [role]}}
        assert task["when"] == f"'{role}' in __tune_plan.roles"
    assert list(load(ROOT / "roles" / "tune" / "vars" / "main.yml")["__tune_steps"]) == list(ROLES)
