# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of the README and the guides are checked; each command is run, or listed with the reason why not."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.phpops.webhost.tests.unit.contract.tree import ROOT, SCENARIOS, text_below

sys.path.insert(0, str(ROOT / "tests" / "examples"))

import accepted
import examples

YAML = [block for block in examples.blocks() if block.language == "yaml"]
COMMANDS = sorted({command.text for command in examples.commands()})
LANGUAGES = {"apacheconf", "console", "ini", "inline", "nginx", "text", "yaml"}
LISTED = yaml.safe_load((ROOT / "tests" / "examples" / "not_run.yml").read_text(encoding="utf-8"))


def test_the_examples_are_found():
    # Each of these stands in another kind of place.
    for text in (
        "make demo",
        "ansible all -i hosts -b -m phpops.webhost.slab_facts -a top=5",
        "ansible-playbook -i hosts phpops.webhost.rollback",
        "ansible-playbook -i hosts phpops.webhost.migrate -e fpm_migrate_state=absent",
    ):
        assert text in COMMANDS
    assert {block.place.partition(":")[0] for block in YAML} >= {
        f"docs/docsite/rst/guide_{name}.rst" for name in ("deploy", "fcgid", "report", "tmpdir")
    }


def test_every_block_names_its_language():
    assert {block.language for block in examples.blocks()} == LANGUAGES
    for path in examples.SOURCES:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".md":
            fences = re.findall(r"^ *```(.*)$", text, re.MULTILINE)
            assert all(fences[::2]) and not any(fences[1::2]), path
        else:
            assert re.findall(r"^(?! *\.\. ).*::$", text, re.MULTILINE) == [], path
            named = re.findall(r"code-block:: \S+$", text, re.MULTILINE)
            assert (
                text.count("code-block::")
                == len(named)
                == len([block for block in examples.blocks_of(text, path.name) if block.language != "inline"])
            )


@pytest.mark.parametrize("block", YAML, ids=lambda block: block.place)
def test_yaml_is_accepted(block):
    assert accepted.wrong_yaml(block.text) == []


def test_playbooks_pass_the_syntax_check(tmp_path):
    """All at once: Ansible's start is most of the time."""
    names = []
    for number, block in enumerate(block for block in YAML if accepted.is_playbook(block.text)):
        names.append(f"{number}-{re.sub(r'[^a-z]+', '-', block.place)}.yml")
        (tmp_path / names[-1]).write_text(block.text + "\n", encoding="utf-8")
    assert len(names) >= 3
    done = syntax_check(tmp_path, names)
    assert done.returncode == 0, done.stdout
    assert re.findall(r"^playbook: (.*)$", done.stdout, re.MULTILINE) == names


def test_the_syntax_check_finds_a_mistake(tmp_path):
    (tmp_path / "wrong.yml").write_text(
        "- hosts: web\n  roles:\n    - role: phpops.webhost.tmpdirs\n", encoding="utf-8"
    )
    assert "phpops.webhost.tmpdirs" in syntax_check(tmp_path, ["wrong.yml"]).stdout


def syntax_check(folder, names):
    """Let Ansible read playbooks as a user's controller would."""
    tree = next(Path(path) for path in sys.path if (Path(path) / "ansible_collections/phpops/webhost").is_dir())
    return subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "--inventory", "web,", "--syntax-check", *names],
        cwd=folder,
        env={"ANSIBLE_COLLECTIONS_PATH": str(tree), "HOME": str(folder), "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_command_is_accepted(command):
    assert accepted.wrong_command(command) == []


def test_literals_with_extra_variables_name_some_that_there_are():
    found = [re.match(r"-e (\w+)=", block.text) for block in examples.blocks() if block.language == "inline"]
    known = set(accepted.variables()) | {
        name for path in ROOT.glob("playbooks/*.yml") for name in accepted.playbook_variables(path.stem)
    }
    names = {match[1] for match in found if match}
    assert len(names) >= 3
    assert names - known == set()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tmpdir_sizes_bytes: 1", "tmpdir_sizes_bytes"),
        ("opcache_sites: [shop]", "opcache_sites"),
        ("opcache_profile: releases", "in_place, release"),
        ("- hosts: web\n  roles:\n    - role: phpops.webhost.tmpdirs", "there is no role phpops.webhost.tmpdirs"),
        ("- hosts: web\n  roles:\n    - role: phpops.webhost.swap\n      vars: {swap_size: 1}", "swap_size"),
        ("- hosts: web\n  tasks:\n    - phpops.webhost.slab_facts: {top: many}", "top"),
        ("- hosts: web\n  tasks:\n    - phpops.webhost.slabs:", "there is no module phpops.webhost.slabs"),
        ("- phpops.webhost.slab_facts:", "neither a playbook nor variables"),
    ],
)
def test_wrong_yaml_is_found(text, words):
    assert words in " ".join(accepted.wrong_yaml(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ansible all -i hosts -m phpops.webhost.slabs", "there is no module phpops.webhost.slabs"),
        ("ansible all -i hosts -m phpops.webhost.slab_facts -a first=5", "first"),
        ("ansible all -i hosts -m phpops.webhost.slab_facts -a top=five", "top"),
        ("ansible-playbook -i hosts phpops.webhost.diagnosis", "there is no playbook phpops.webhost.diagnosis"),
        ("ansible-playbook -i hosts phpops.webhost.tune --tags swaps", "tune has no tag swaps"),
        ("ansible-playbook -i hosts phpops.webhost.migrate --tags swap", "migrate has no tag swap"),
        ("ansible-playbook -i hosts phpops.webhost.tune -e swap_statt=absent", "tune has no variable swap_statt"),
        ("ansible-playbook -i hosts phpops.webhost.tune -e swap_state=gone", "swap_state"),
        ("ansible-playbook -i hosts phpops.webhost.migrate -e swap_state=absent", "migrate has no variable swap_state"),
        ("ansible-playbook -i hosts phpops.webhost.tune --chek", "--chek"),
    ],
)
def test_wrong_commands_are_found(text, words):
    assert words in " ".join(accepted.wrong_command(text))


def test_a_command_without_its_mark_does_not_get_lost():
    block = examples.Block("guide.rst:1", "console", "$ ansible all -m ping\nansible all -m setup")
    with pytest.raises(ValueError, match="is no command"):
        examples.commands_of(block)


def test_every_command_is_run_or_listed_with_a_reason():
    listed = [command for group in LISTED for command in group["commands"]]
    assert len(listed) == len(set(listed))
    assert set(listed) - set(COMMANDS) == set(), "no text has these any more"
    assert set(examples.to_run()) == set(COMMANDS) - set(listed)
    assert all(reason.endswith(".") for reason in examples.not_run().values())
    # What is run must not change a host: the others are to be listed.
    assert [command for command in examples.to_run() if not accepted.changes_nothing(command)] == []
    # Dry runs and facts are run, unless a host needs more than its name for them.
    assert [command for command in listed if accepted.changes_nothing(command)] == [
        "ansible-playbook -i hosts phpops.webhost.deploy --check --diff"
    ]


def test_the_scenario_runs_what_is_to_be_run():
    text = (ROOT / "molecule" / "diagnose" / "tests" / "test_examples.py").read_text(encoding="utf-8")
    assert '@pytest.mark.parametrize("command", examples.to_run(), ids=str)' in text


def test_the_scenarios_named_instead_run_the_same_playbook():
    for group in LISTED:
        playbooks = {name for command in group["commands"] for name in re.findall(r"phpops\.webhost\.(\w+)", command)}
        if not playbooks:
            continue
        assert group["scenario"] in SCENARIOS
        text = text_below(ROOT / "molecule" / group["scenario"]) + text_below(ROOT / "molecule" / "shared" / "deploy")
        for playbook in playbooks:
            assert re.search(rf"phpops\.webhost\.{playbook}\b|\bplaybook\(\"{playbook}\"|\bapp\.{playbook}\(", text)
