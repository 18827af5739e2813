# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each alert of the role metrics has a test that fires and one that doesn't, words for people, and a page to read."""

from __future__ import annotations

import re

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_catalogue import METRICS, bound
from ansible_collections.phpops.webhost.tests.unit.contract.tree import ROOT, load

RULES_FILE = ROOT / "roles" / "metrics" / "files" / "phpops.rules.yml"
RULES = [rule for group in load(RULES_FILE)["groups"] for rule in group["rules"]]
TESTS = load(ROOT / "molecule" / "metrics" / "files" / "rules_test.yml")["tests"]
GUIDE = (ROOT / "docs" / "docsite" / "rst" / "guide_metrics.rst").read_text(encoding="utf-8")
ROLE = load(ROOT / "roles" / "metrics" / "defaults" / "main.yml")
NAMES = [rule["alert"] for rule in RULES]


def cases(name):
    """Return (test, case) of an alert."""
    return [(test, case) for test in TESTS for case in test["alert_rule_test"] if case["alertname"] == name]


def names_in(text):
    """Return the metrics that a text names."""
    return set(re.findall(r"\bphpops_[a-z0-9_]+", text))


def test_there_are_alerts_and_each_has_one_name():
    assert len(NAMES) == len(set(NAMES)) > 20


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_alert_has_a_test_that_fires_and_one_that_keeps_quiet(rule):
    fires = [(test, case) for test, case in cases(rule["alert"]) if case["exp_alerts"]]
    quiet = [(test, case) for test, case in cases(rule["alert"]) if not case["exp_alerts"]]
    assert fires
    assert quiet
    for test, _case in fires + quiet:
        # Without series of its own an alert keeps quiet whatever it is.
        used = names_in(" ".join(series["series"] for series in test["input_series"]))
        assert used >= names_in(rule["expr"])
    for _test, case in fires:
        for alert in case["exp_alerts"]:
            assert set(alert["exp_annotations"]) == set(rule["annotations"])


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_alert_has_words_for_people(rule):
    assert rule["labels"]["severity"] in ("critical", "warning")
    notes = rule["annotations"]
    assert set(notes) == {"summary", "description", "runbook_url"}
    assert "$labels.instance" in notes["summary"]
    assert "$value" in notes["description"]
    assert notes["description"].endswith(".")


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_alert_leads_to_its_section_of_the_guide(rule):
    link = f"{ROLE['metrics_docs_url']}/docsite/guide_metrics.html#{rule['alert'].lower()}"
    assert rule["annotations"]["runbook_url"] == link
    title = re.search(rf"^{rule['alert']}\n(~+)\n\n(\S.*?)\n\n\S", GUIDE, re.MULTILINE | re.DOTALL)
    assert title
    assert len(title.group(1)) == len(rule["alert"])
    assert title.group(2).startswith(rule["labels"]["severity"].capitalize())


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_alert_uses_metrics_that_there_are(rule):
    assert names_in(rule["expr"])
    assert names_in(rule["expr"]) <= set(METRICS)
    for test, _case in cases(rule["alert"]):
        for series in test["input_series"]:
            name, _brace, labels = series["series"].partition("{")
            assert set(re.findall(r"(\w+)=", labels)) - {"instance"} <= set(METRICS[name].labels)


def test_the_default_address_is_the_collections_own():
    assert load(ROOT / "galaxy.yml")["documentation"] == ROLE["metrics_docs_url"]


def test_the_guide_tells_of_every_metric_and_of_no_other():
    rows = re.findall(r"\* - ``(phpops_\w+)``\n +- (.*)\n +- (.*)\n +- (\d+)\n", GUIDE)
    assert rows == [(one.name, ", ".join(one.labels) or "(none)", one.help, str(one.most)) for one in METRICS.values()]
    assert names_in(GUIDE) <= set(METRICS)
    assert f"never more than {bound()}," in GUIDE


def test_the_readme_counts_the_alerts():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"each of the {len(RULES)} alerts has a test" in readme
