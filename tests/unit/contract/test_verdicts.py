# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every verdict and every mark is in the guide and in the role, and the role gathers what the verdicts judge."""

from __future__ import annotations

import re
from dataclasses import fields

from ansible_collections.phpops.webhost.plugins.module_utils._core import report_opcache
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import Thresholds
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.all_cases import FIRES
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.facts_fixture import QUIET
from ansible_collections.phpops.webhost.tests.unit.contract.test_modules import documents
from ansible_collections.phpops.webhost.tests.unit.contract.tree import ROOT, load

GUIDE = (ROOT / "docs" / "docsite" / "rst" / "guide_verdicts.rst").read_text(encoding="utf-8")
ROLE = ROOT / "roles" / "diagnose"
MARKS = {f"diagnose_{item.name}": item.default for item in fields(Thresholds)}


def test_the_guide_has_every_verdict_and_no_other():
    first_cells = re.findall(r"^   \* - (``.*)$", GUIDE, re.MULTILINE)
    last = ["facts_unavailable", "processes_unreadable", "error_logs_unreadable"]
    told = {code for cell in first_cells for code in re.findall(r"``(\w+)``", cell)}
    told |= {code for code in last if f"``{code}``" in GUIDE}
    assert told == {code for code, _severity, _facts, _words in FIRES}


def test_the_guide_has_every_mark():
    assert {name for name in MARKS if f"``{name}``" not in GUIDE} == set()


def test_the_role_has_every_mark_with_its_default_and_hands_it_on():
    defaults = load(ROLE / "defaults" / "main.yml")
    assert {name: defaults.get(name) for name in MARKS} == MARKS
    handed = load(ROLE / "vars" / "main.yml")["__diagnose_thresholds"]
    kinds = {item.name: type(item.default).__name__ for item in fields(Thresholds)}
    assert handed == {name: f"{{{{ diagnose_{name} | {kind} }}}}" for name, kind in kinds.items()}


def test_the_role_gathers_all_facts_that_are_judged():
    modules = {key for task in load(ROLE / "tasks" / "gather.yml") for key in task if key.startswith("phpops.webhost.")}
    judged = {f"phpops.webhost.{name[len('phpops_') :]}_facts" for name in QUIET if name != "budget"}
    assert modules == {*judged, "phpops.webhost.memory_budget_info"}


def test_the_report_draws_what_opcache_facts_returns():
    facts = documents("opcache_facts")["RETURN"]["ansible_facts"]["contains"]["phpops_opcache"]["contains"]
    master = facts["masters"]["contains"]
    # Told of in a text, as the name of a method of dict can't be documented as a key.
    assert set(report_opcache.KEYS) - {"keys"} <= set(master)
    assert set(report_opcache.FPM) <= set(master["fpm"]["contains"])
