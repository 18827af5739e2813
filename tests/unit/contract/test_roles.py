# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each role says in argument_specs what it takes, gives the same defaults, and runs in a scenario."""

from __future__ import annotations

import re

import pytest
from ansible_collections.phpops.webhost.tests.unit.contract.tree import (
    ROLES,
    ROOT,
    load,
    readme_table,
    run_by_scenarios,
)


def options(role):
    """Return the options of a role's main entry point."""
    return load(ROOT / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"]["main"].get("options", {})


def defaults(role):
    """Return a role's default variables."""
    path = ROOT / "roles" / role / "defaults" / "main.yml"
    return (load(path) or {}) if path.exists() else {}


@pytest.mark.parametrize("role", ROLES)
def test_defaults_and_argument_specs_name_the_same_variables(role):
    specified = {name for name, option in options(role).items() if "default" in option}
    optional_without_default = {
        name for name, option in options(role).items() if "default" not in option and not option.get("required")
    }
    assert set(defaults(role)) - optional_without_default == specified


@pytest.mark.parametrize("role", ROLES)
def test_defaults_are_what_the_argument_specs_say(role):
    specified = {name: option["default"] for name, option in options(role).items() if "default" in option}
    literal = {name: value for name, value in defaults(role).items() if "{{" not in str(value) and name in specified}
    assert literal == {name: specified[name] for name in literal}


@pytest.mark.parametrize("role", ROLES)
def test_every_option_is_described_and_typed(role):
    def walk(found, path):
        for name, option in found.items():
            yield f"{path}{name}", option
            yield from walk(option.get("options", {}), f"{path}{name}.")

    for name, option in walk(options(role), ""):
        lines = option["description"] if isinstance(option["description"], list) else [option["description"]]
        assert all(isinstance(line, str) for line in lines), name
        assert "type" in option, name
        assert option["type"] != "list" or "elements" in option, name


@pytest.mark.parametrize("role", ROLES)
def test_variables_carry_the_role_name(role):
    names = set(defaults(role)) | set(options(role))
    for path in (ROOT / "roles" / role / "vars").glob("*.yml"):
        names |= set(load(path) or {})
    for path in (ROOT / "roles" / role / "tasks").glob("*.yml"):
        names |= set(re.findall(r"^ +register: (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    assert {name for name in names if not name.startswith((f"{role}_", f"__{role}_"))} == set()


@pytest.mark.parametrize("role", ROLES)
def test_main_is_an_index(role):
    tasks = ROOT / "roles" / role / "tasks" / "main.yml"
    assert len(tasks.read_text(encoding="utf-8").splitlines()) <= 30


@pytest.mark.parametrize("role", ROLES)
def test_role_is_in_the_readme(role):
    assert re.search(rf"\b{role}\b", readme_table())


@pytest.mark.parametrize("role", ROLES)
def test_role_runs_in_a_scenario(role):
    assert f"phpops.webhost.{role}" in run_by_scenarios()
