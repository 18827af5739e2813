# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scenario can't pass without hosts or tests, and each playbook is run by one."""

from __future__ import annotations

import re

import pytest
from ansible_collections.phpops.webhost.tests.unit.contract.tree import (
    NO_SCENARIO,
    PLAYBOOKS,
    ROOT,
    SCENARIOS,
    load,
    readme_table,
    text_below,
)


def test_every_folder_of_molecule_is_a_scenario():
    folders = {path.name for path in (ROOT / "molecule").iterdir() if path.is_dir() and any(path.rglob("*.*"))}
    assert folders - set(NO_SCENARIO) == set(SCENARIOS)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario_has_hosts(scenario):
    groups = load(ROOT / "molecule" / scenario / "inventory" / "hosts.yml")
    hosts = groups["php_hosts"]["hosts"]
    prefix = scenario.replace("_", "-") + "-"
    assert hosts
    assert [name for name in hosts if not name.startswith(prefix)] == []


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario_has_tests(scenario):
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "molecule" / scenario / "tests").glob("test_*.py")]
    assert any(re.search(r"^def test_\w+\(\w", text, re.MULTILINE) for text in texts)
    assert any("assert " in text for text in texts)
    assert not any(re.search(r"pytest\.(mark\.)?(skip|xfail)", text) for text in texts)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario_keeps_the_sequence_that_verifies(scenario):
    settings = load(ROOT / "molecule" / scenario / "molecule.yml") or {}
    sequence = settings.get("scenario", {}).get("test_sequence")
    base = load(ROOT / ".config" / "molecule" / "config.yml")["scenario"]["test_sequence"]
    for wanted in ("create", "verify", "destroy"):
        assert wanted in (sequence or base)
    # Where the first run is a test of its own, the tests are what runs the playbook.
    tests = text_below(ROOT / "molecule" / scenario / "tests")
    assert "converge" in (sequence or base) or '"ansible-playbook"' in tests


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_playbook_is_run_by_a_scenario(playbook):
    used = "\n".join(
        path.read_text(encoding="utf-8")
        for scenario in SCENARIOS
        for path in (ROOT / "molecule" / scenario).glob("*.yml")
    )
    converged = re.search(
        rf"import_playbook: (phpops\.webhost\.{playbook}$|.*playbooks/{playbook}\.yml)", used, re.MULTILINE
    )
    # One that changes something each time can't be a converge, which is done twice: the tests run it.
    tests = text_below(ROOT / "molecule")
    called = re.search(rf"\bplaybook\(\"{playbook}\"", tests) and re.search(rf"\bapp\.{playbook}\(", tests)
    assert converged or called


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_playbook_is_in_the_readme(playbook):
    assert re.search(rf"\b{playbook}\b", readme_table())
