# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the playbooks tells what the playbooks are; guides of symptoms have the same parts, and come first."""

from __future__ import annotations

import re
import sys

import pytest
from ansible_collections.phpops.webhost.tests.unit.contract.tree import PLAYBOOKS, ROOT, load

sys.path.insert(0, str(ROOT / "tests" / "examples"))

import accepted

DOCSITE = ROOT / "docs" / "docsite"
INDEX = (ROOT / "docs" / "site" / "index.rst").read_text(encoding="utf-8")
SECTIONS = {section["title"]: section["toctree"] for section in load(DOCSITE / "extra-docs.yml")["sections"]}
PARTS = ["What you see", "See it on your hosts", "What it means", "Cure it", "Undo it"]


def headings(text, sign):
    """Return the headings that are underlined with a sign, in order."""
    return re.findall(rf"^(\S.*)\n{re.escape(sign)}{{3,}}$", text, re.MULTILINE)


def playbook_sections():
    """Return what the page says of each playbook."""
    text = (DOCSITE / "rst" / "playbooks.rst").read_text(encoding="utf-8")
    parts = re.split(r"^(\S.*)\n-{3,}$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2]))


def field(text, name):
    """Return a field of a section, with its lines joined; "" when it is not there."""
    found = re.search(rf"^:{name}: (.*(?:\n +\S.*)*)", text, re.MULTILINE)
    return " ".join(found[1].split()) if found else ""


def literals(text):
    return re.findall(r"``([^`]+)``", text)


def test_the_page_has_all_playbooks_and_no_other():
    assert sorted(playbook_sections()) == PLAYBOOKS


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_the_page_says_what_a_playbook_is(playbook):
    text = playbook_sections()[playbook]
    (play,) = load(ROOT / "playbooks" / f"{playbook}.yml")
    (entry,) = play["roles"]
    role = entry["role"]
    assert field(text, "Role") == f":ansplugin:`{role}#role`"
    own = re.findall(r"\{\{ (\w+)", (ROOT / "playbooks" / f"{playbook}.yml").read_text(encoding="utf-8"))
    variables = field(text, "Variables")
    assert {name for name in literals(variables) if name != "-e"} == set(own)
    included = {f"phpops.webhost.{name}" for name in accepted.playbook_roles(playbook)} - {role}
    assert set(re.findall(r"`(phpops\.webhost\.\w+)#role`", variables)) == included
    assert set(literals(field(text, "Tags"))) == accepted.playbook_tags(playbook)
    assert field(text, "Tags")
    assert bool(field(text, "Hosts")) == bool(play.get("become"))
    assert literals(field(text, "Sets")) == [f"{name}: {value}" for name, value in entry.get("vars", {}).items()]
    # And in a sentence what it does.
    assert re.match(r"\s+[A-Z][^:]{20,}", text)


def test_every_guide_is_in_the_lists_and_in_the_sidebar_in_the_same_order():
    guides = [name for names in SECTIONS.values() for name in names]
    assert sorted(guides) == sorted(path.stem for path in (DOCSITE / "rst").glob("*.rst"))
    assert re.findall(r"^   /collections/phpops/webhost/docsite/(\w+)$", INDEX, re.MULTILINE) == guides
    assert re.findall(r":caption: (.*)$", INDEX, re.MULTILINE) == [*SECTIONS, "Reference"]


def test_the_symptoms_are_first():
    assert next(iter(SECTIONS)) == "Symptoms"
    assert headings(INDEX, "-")[0] == "What do you see?"
    table = INDEX.partition("What do you see?")[2].partition(".. code-block::")[0]
    assert re.findall(r":ref:`ansible_collections\.phpops\.webhost\.docsite\.(\w+)`", table) == SECTIONS["Symptoms"]


@pytest.mark.parametrize("guide", SECTIONS["Symptoms"])
def test_a_guide_of_a_symptom_goes_from_the_message_to_the_way_back(guide):
    text = (DOCSITE / "rst" / f"{guide}.rst").read_text(encoding="utf-8")
    assert headings(text, "-") == PARTS
    bodies = dict(zip(PARTS, re.split(r"^\S.*\n-{3,}$", text, flags=re.MULTILINE)[1:]))
    assert ".. code-block:: text" in bodies["What you see"]
    looks = bodies["See it on your hosts"]
    assert "$ ansible all " in looks and "$ ansible-playbook -i hosts phpops.webhost.diagnose" in looks
    assert re.search(r"\d", bodies["What it means"])
    for part in ("Cure it", "Undo it"):
        assert "$ ansible-playbook -i hosts phpops.webhost." in bodies[part]


@pytest.mark.parametrize("guide", SECTIONS["Symptoms"])
def test_the_messages_of_the_index_are_in_the_guide(guide):
    row = next(row for row in INDEX.split("   * - ")[1:] if f"docsite.{guide}`" in row)
    text = " ".join((DOCSITE / "rst" / f"{guide}.rst").read_text(encoding="utf-8").split())
    messages = literals(" ".join(row.split()))
    assert messages
    assert [message for message in messages if message not in text] == []
