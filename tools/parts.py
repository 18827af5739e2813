# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of `make test`: what each runs and how long it may take."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from paths import ROOT, TREE, VENV

UTILS = "ansible_collections.phpops.webhost.plugins.module_utils"


@dataclass(frozen=True)
class Part:
    """One line of the summary; the name is <group> or <group>:<what>."""

    name: str
    command: tuple[str, ...]
    limit_seconds: int = 600
    # Of the parts with the same word here one runs at a time.
    alone: str = ""

    @property
    def group(self) -> str:
        """Return what `make` calls it by."""
        return self.name.partition(":")[0]


def tool(name: str) -> str:
    """Return the path of a program of the virtual environment."""
    return str(VENV / "bin" / name)


def shell_files() -> list[str]:
    """List the tracked files that a shell runs."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    found = []
    for name in filter(None, listing.split("\0")):
        path = ROOT / name
        if name.endswith((".txt", ".j2")) or not path.is_file():
            continue
        with path.open("rb") as file:
            if file.readline(64).rstrip() in (b"#!/bin/sh", b"#!/bin/bash", b"#!/usr/bin/env bash"):
                found.append(name)
    return found


def scenarios() -> list[str]:
    """List the molecule scenarios by name."""
    return sorted(path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml"))


def is_long(scenario: str) -> bool:
    """Tell whether a scenario takes longer than `make test` may."""
    return scenario.startswith("soak_")


def is_virtual(scenario: str) -> bool:
    """Tell whether a scenario's hosts are virtual machines."""
    return scenario.startswith("vm_")


def molecule(scenario: str, limit_seconds: int = 2400) -> Part:
    """Return the part that runs one scenario's whole sequence, after any other run of it on this machine."""
    # One virtual machine keeps both cores of a small machine busy: one such scenario at a time.
    alone = "vm" if is_virtual(scenario) else scenario
    command = ("flock", f"/run/lock/phpops-molecule-{alone}", tool("molecule"), "test", "--scenario-name", scenario)
    return Part(f"molecule:{scenario}", command, limit_seconds, alone)


def test_parts() -> list[Part]:
    """Return the parts of `make test` in the order in which they start."""
    python = sys.executable
    tools = str(Path(__file__).parent)
    short = [name for name in scenarios() if not is_long(name)]
    return [
        Part("images", (python, f"{tools}/images.py"), 1800),
        # One after the other they take longest: the first starts at once.
        *(molecule(name) for name in short if is_virtual(name)),
        Part("lint:ruff", (tool("ruff"), "check", "--no-cache", ".")),
        Part("lint:format", (tool("ruff"), "format", "--no-cache", "--check", ".")),
        Part("lint:yamllint", (tool("yamllint"), "--strict", ".")),
        Part("lint:ansible-lint", (tool("ansible-lint"), "--offline", "--nocolor", "--strict")),
        Part("lint:reuse", (tool("reuse"), "lint", "--lines")),
        Part("lint:changelog", (tool("antsibull-changelog"), "lint")),
        Part("lint:shellcheck", ("shellcheck", *shell_files())),
        Part("lint:build", (python, f"{tools}/build.py")),
        Part("docs", (python, f"{tools}/docs.py")),
        Part("typecheck:utils", ("env", f"MYPYPATH={TREE}", tool("mypy"), "-p", UTILS)),
        Part(
            "typecheck:tools",
            ("env", f"MYPYPATH={ROOT}/tools:{ROOT}/tests/load:{ROOT}/molecule/shared/vm", tool("mypy"), "tools"),
        ),
        Part("unit", (tool("pytest"), "--quiet", "tests/unit"), 900),
        Part("sanity:oldest", (python, f"{tools}/sanity.py", "oldest"), 1200),
        Part("sanity:newest", (python, f"{tools}/sanity.py", "newest"), 1200),
        *(molecule(name) for name in short if not is_virtual(name)),
    ]


def soak_parts() -> list[Part]:
    """Return the parts that take longer than `make test` may."""
    return [
        Part("images", (sys.executable, f"{Path(__file__).parent}/images.py"), 1800),
        Part("soak:unit", (tool("pytest"), "--quiet", "--hypothesis-profile=soak", "tests/unit"), 7200),
        *(molecule(name, 14400) for name in scenarios() if is_long(name)),
    ]
