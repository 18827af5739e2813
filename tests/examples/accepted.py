# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says what is wrong with an example: a playbook, role, module, variable, option, value or tag that does not exist."""

from __future__ import annotations

import ast
import json
import re
import shlex
from copy import deepcopy
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.splitter import parse_kv

ROOT = Path(__file__).resolve().parents[2]
NAME = "phpops.webhost."
FLAGS = {"--check", "--diff"}
VALUED = {"-i": "inventory", "-e": "variables", "--tags": "tags", "--skip-tags": "tags", "--limit": "hosts"}


def load(path: Path) -> Any:
    """Read a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@lru_cache(maxsize=None)
def role_options(role: str) -> dict[str, Any]:
    """Return the options of a role's main entry point."""
    specs = load(ROOT / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"]
    return dict(specs["main"].get("options", {}))


@lru_cache(maxsize=None)
def variables() -> dict[str, Any]:
    """Return the options of all roles; the roles' names keep them apart."""
    roles = sorted(path.parents[1].name for path in ROOT.glob("roles/*/meta/argument_specs.yml"))
    return {name: option for role in roles for name, option in role_options(role).items()}


@lru_cache(maxsize=None)
def module_options(module: str) -> dict[str, Any]:
    """Return a module's options as it documents them, with those of its fragments."""
    source = ast.parse((ROOT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8"))
    texts = {
        node.targets[0].id: node.value.value
        for node in source.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.targets[0], ast.Name)
    }
    documentation = yaml.safe_load(texts["DOCUMENTATION"])
    found = dict(documentation.get("options") or {})
    for name in documentation.get("extends_documentation_fragment", []):
        file, _dot, part = name[len(NAME) :].partition(".")
        fragment = import_module(f"ansible_collections.phpops.webhost.plugins.doc_fragments.{file}").ModuleDocFragment
        found.update(yaml.safe_load(getattr(fragment, (part or "documentation").upper())).get("options") or {})
    return found


@lru_cache(maxsize=None)
def playbook_roles(playbook: str) -> tuple[str, ...]:
    """Return the roles of a playbook, and those that its roles include by name."""
    found = [
        entry["role"][len(NAME) :] for play in load(ROOT / "playbooks" / f"{playbook}.yml") for entry in play["roles"]
    ]
    for role in found:
        text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "roles" / role / "tasks").glob("*.yml"))
        found += [
            name for name in re.findall(rf"name: {re.escape(NAME)}(\w+)$", text, re.MULTILINE) if name not in found
        ]
    return tuple(name for name in found if (ROOT / "roles" / name).is_dir())


@lru_cache(maxsize=None)
def playbook_variables(playbook: str) -> set[str]:
    """Return the names that mean something to a playbook: those in its own lines and its roles' options."""
    own = re.findall(r"\{\{ (\w+)", (ROOT / "playbooks" / f"{playbook}.yml").read_text(encoding="utf-8"))
    return {*own, *(name for role in playbook_roles(playbook) for name in role_options(role))}


@lru_cache(maxsize=None)
def playbook_tags(playbook: str) -> set[str]:
    """Return the tags that choose something in a playbook."""

    def walk(node: Any) -> set[str]:
        if isinstance(node, list):
            return set().union(*(walk(item) for item in node))
        if not isinstance(node, dict):
            return set()
        own = node.get("tags", [])
        listed = own if isinstance(own, list) else [] if "{{" in str(own) else [own]
        return {str(tag) for tag in listed} | walk([value for name, value in node.items() if name != "tags"])

    files = [ROOT / "playbooks" / f"{playbook}.yml"]
    files += [path for role in playbook_roles(playbook) for path in (ROOT / "roles" / role / "tasks").glob("*.yml")]
    return walk([load(path) for path in files]) - {"always", "never"}


def without_required(options: dict[str, Any]) -> dict[str, Any]:
    """Return options of which an example may show some only; the elements of a list stay whole."""
    return {
        name: {key: value for key, value in option.items() if key != "required"} for name, option in options.items()
    }


def is_template(value: Any) -> bool:
    """Tell whether Ansible computes a value."""
    return "{{" in json.dumps(value, default=str)


def wrong_options(options: dict[str, Any], given: dict[str, Any], who: str) -> list[str]:
    """Return what the argument spec refuses; templates are taken as they are, where nothing but text can be known."""
    known = {name: value for name, value in given.items() if not is_template(value) or name not in options}
    result = ArgumentSpecValidator(deepcopy(options)).validate(deepcopy(known))
    return [f"{who}: {message}" for message in result.error_messages]


def wrong_variables(given: dict[str, Any]) -> list[str]:
    """Return what is wrong with variables as they stand in group_vars."""
    return wrong_options(without_required(variables()), given, "variables")


def _task(task: dict[str, Any]) -> list[str]:
    found = []
    for key, value in task.items():
        if key.startswith(NAME):
            module = key[len(NAME) :]
            if not (ROOT / "plugins" / "modules" / f"{module}.py").exists():
                found.append(f"there is no module {key}")
            elif isinstance(value, dict):
                found += wrong_options(module_options(module), value, key)
        elif key in ("block", "rescue", "always"):
            found += [problem for inner in value for problem in _task(inner)]
    return found


def wrong_play(play: dict[str, Any]) -> list[str]:
    """Return what is wrong with a play's roles, their variables, and its tasks of our modules."""
    found = []
    for entry in play.get("roles", []):
        name = entry["role"] if isinstance(entry, dict) else entry
        role = name[len(NAME) :]
        if not name.startswith(NAME) or not (ROOT / "roles" / role).is_dir():
            found.append(f"there is no role {name}")
            continue
        given = {**play.get("vars", {}), **(entry.get("vars", {}) if isinstance(entry, dict) else {})}
        found += wrong_options(role_options(role), given, name)
    return found + [problem for task in play.get("tasks", []) for problem in _task(task)]


def wrong_yaml(text: str) -> list[str]:
    """Return what is wrong with an example in YAML: a playbook, or variables."""
    found = yaml.safe_load(text)
    if isinstance(found, dict):
        return wrong_variables(found)
    if isinstance(found, list) and all(isinstance(play, dict) and "hosts" in play for play in found):
        return [problem for play in found for problem in wrong_play(play)]
    return ["this is neither a playbook nor variables"]


def is_playbook(text: str) -> bool:
    """Tell whether an example in YAML is a playbook."""
    return isinstance(yaml.safe_load(text), list)


def _words(words: list[str]) -> tuple[dict[str, list[str]], list[str], list[str]]:
    """Return (values by option, other words, problems) of ansible-playbook's command line."""
    values: dict[str, list[str]] = {}
    rest, found = [], []
    left = iter(words)
    for word in left:
        if word in VALUED:
            values.setdefault(VALUED[word], []).append(next(left, ""))
        elif word.startswith("-") and word not in FLAGS:
            found.append(f"{word} is an option that these tests don't know")
        elif not word.startswith("-"):
            rest.append(word)
    return values, rest, found


def _given(text: str) -> dict[str, Any]:
    """Return what -e gives: key=value, of which Ansible makes strings, or YAML."""
    return dict(yaml.safe_load(text) if text.startswith("{") else parse_kv(text))


def wrong_playbook_command(words: list[str]) -> list[str]:
    """Return what is wrong with the words behind ansible-playbook."""
    values, rest, found = _words(words)
    if len(rest) != 1 or not rest[0].startswith(NAME):
        return [*found, f"not one playbook of the collection: {rest}"]
    playbook = rest[0][len(NAME) :]
    if not (ROOT / "playbooks" / f"{playbook}.yml").exists():
        return [*found, f"there is no playbook {rest[0]}"]
    for tag in ",".join(values.get("tags", [])).split(","):
        if tag and tag not in playbook_tags(playbook):
            found.append(f"{playbook} has no tag {tag}")
    for text in values.get("variables", []):
        given = _given(text)
        found += [f"{playbook} has no variable {name}" for name in given if name not in playbook_variables(playbook)]
        found += wrong_variables({name: value for name, value in given.items() if name in variables()})
    return found


def wrong_adhoc_command(words: list[str]) -> list[str]:
    """Return what is wrong with the words behind ansible."""
    if "-m" not in words:
        return ["no module is named"]
    module = words[words.index("-m") + 1]
    if not module.startswith(NAME) or not (ROOT / "plugins" / "modules" / f"{module[len(NAME) :]}.py").exists():
        return [f"there is no module {module}"]
    arguments = parse_kv(words[words.index("-a") + 1]) if "-a" in words else {}
    return wrong_options(module_options(module[len(NAME) :]), arguments, module)


def wrong_command(text: str) -> list[str]:
    """Return what is wrong with a command of Ansible; those of other programs are not judged."""
    program, *words = shlex.split(text)
    check = {"ansible": wrong_adhoc_command, "ansible-playbook": wrong_playbook_command}.get(program)
    return check(words) if check else []


def changes_nothing(text: str) -> bool:
    """Tell whether a command only reads: a module of facts or info, the diagnosis, or a dry run."""
    program, *words = shlex.split(text)
    if program == "ansible" and "-m" in words:
        return words[words.index("-m") + 1].endswith(("_facts", "_info"))
    return program == "ansible-playbook" and (NAME + "diagnose" in words or "--check" in words)
