# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the contract tests read of the collection: its modules, roles, playbooks, scenarios and tracked files."""

from __future__ import annotations

import re
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
# Folders in molecule/ that are no scenario.
NO_SCENARIO = ("images", "shared")


def _stems(pattern: str) -> list[str]:
    return sorted(path.stem for path in ROOT.glob(pattern) if not path.name.startswith("_"))


MODULES = _stems("plugins/modules/*.py")
PLAYBOOKS = _stems("playbooks/*.yml")
ROLES = sorted(path.name for path in ROOT.glob("roles/*") if path.is_dir())
SCENARIOS = sorted(
    path.name
    for path in ROOT.glob("molecule/*")
    if path.is_dir() and path.name not in NO_SCENARIO and (path / "molecule.yml").exists()
)


def load(path: Path) -> Any:
    """Read a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@lru_cache(maxsize=None)
def tracked() -> tuple[Path, ...]:
    """List the files that git tracks and that still exist."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    return tuple(ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file())


def text_below(folder: Path) -> str:
    """Return all YAML, Python and templates below a folder as one text."""
    kinds = (".yml", ".yaml", ".py", ".j2")
    return "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in kinds
    )


@lru_cache(maxsize=None)
def run_by_scenarios() -> str:
    """Return the text of all scenarios and of every playbook and role of ours that they lead to."""
    texts = {"molecule": text_below(ROOT / "molecule")}
    grown = True
    while grown:
        grown = False
        for name in re.findall(r"(?:phpops\.webhost\.|playbooks/)(\w+)", "\n".join(texts.values())):
            for path in (ROOT / "playbooks" / f"{name}.yml", ROOT / "roles" / name):
                if path.exists() and str(path) not in texts:
                    texts[str(path)] = text_below(path) if path.is_dir() else path.read_text(encoding="utf-8")
                    grown = True
    return "\n".join(texts.values())


def readme_table() -> str:
    """Return the rows of the tables in README.md."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if line.startswith("|"))
