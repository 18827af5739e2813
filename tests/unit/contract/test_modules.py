# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each module is documented, listed, unit-tested and run in a scenario."""

from __future__ import annotations

import ast
import re

import pytest
import yaml
from ansible_collections.phpops.webhost.tests.unit.contract.tree import MODULES, ROOT, readme_table, run_by_scenarios

FACTS_SUFFIX = "_facts"


def documents(module):
    """Return DOCUMENTATION, EXAMPLES and RETURN of a module without importing it."""
    source = ast.parse((ROOT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8"))
    found = {}
    for node in source.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            found[node.targets[0].id] = yaml.safe_load(node.value.value)
    return found


def descriptions(node, path=""):
    """Yield every description with its path; a colon in a line turns a sentence into a mapping."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "description" and not isinstance(value, dict):
                for line in value if isinstance(value, list) else [value]:
                    yield path, line
            else:
                yield from descriptions(value, f"{path}/{key}")


@pytest.mark.parametrize("module", MODULES)
def test_descriptions_are_sentences(module):
    found = documents(module)
    wrong = [
        (path, line)
        for name in ("DOCUMENTATION", "RETURN")
        for path, line in descriptions(found[name], name)
        if not isinstance(line, str) or not line.rstrip().endswith((".", ")", ":"))
    ]
    assert wrong == []


@pytest.mark.parametrize("module", MODULES)
def test_become_and_the_modes_are_documented(module):
    documentation = documents(module)["DOCUMENTATION"]
    fragments = documentation.get("extends_documentation_fragment", [])
    assert {"check_mode", "diff_mode"} <= set(documentation.get("attributes", {})) or any(
        "attributes" in fragment for fragment in fragments
    )
    assert re.search(r"\bbecome\b|\broot\b", yaml.safe_dump(documentation)), "says nothing about the rights it needs"


@pytest.mark.parametrize("module", MODULES)
def test_examples_use_the_full_name(module):
    used = {
        key
        for task in documents(module)["EXAMPLES"]
        for part in [task, *task.get("tasks", [])]
        for key in part
        if key.endswith(module)
    }
    assert used == {f"phpops.webhost.{module}"}


@pytest.mark.parametrize("module", [name for name in MODULES if name.endswith(FACTS_SUFFIX)])
def test_facts_are_named_after_the_module(module):
    facts = documents(module)["RETURN"]["ansible_facts"]["contains"]
    name = "phpops_" + module[: -len(FACTS_SUFFIX)]
    assert list(facts) == [name]
    assert {"available", "reason"} <= set(facts[name]["contains"])


@pytest.mark.parametrize("module", MODULES)
def test_module_has_unit_tests(module):
    path = ROOT / "tests" / "unit" / "modules" / f"test_{module}.py"
    assert path.exists(), f"write {path.relative_to(ROOT)}"


@pytest.mark.parametrize("module", MODULES)
def test_module_is_in_the_readme(module):
    assert re.search(rf"\b{module}\b", readme_table())


@pytest.mark.parametrize("module", MODULES)
def test_module_runs_in_a_scenario(module):
    assert f"phpops.webhost.{module}" in run_by_scenarios()
