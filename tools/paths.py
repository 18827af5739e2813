# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the tools keep things, and the environment that every part runs in."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
CACHE = Path(os.environ.get("PHPOPS_CACHE") or Path.home() / ".cache" / "phpops")
# One tree per checkout: Ansible finds the collection under ansible_collections/, through a link.
TREE = Path(os.environ.get("PHPOPS_TREE") or CACHE / "trees" / str(ROOT).strip("/").replace("/", "-"))


def environment() -> dict[str, str]:
    """Return the environment for Ansible, molecule and podman; nothing of the caller's Ansible settings gets in."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "MOLECULE_"))}
    clean.pop("PYTHONPATH", None)
    return {
        **clean,
        "ANSIBLE_COLLECTIONS_PATH": str(TREE),
        "ANSIBLE_HOME": str(CACHE / "ansible"),
        "CONTAINERS_CONF": str(ROOT / "molecule" / "images" / "containers.conf"),
        "LC_ALL": "C.UTF-8",
        "MOLECULE_GLOB": "molecule/*/molecule.yml",
        "NO_COLOR": "1",
        "PATH": f"{VENV / 'bin'}:{os.environ.get('PATH', os.defpath)}",
        "PHPOPS_CACHE": str(CACHE),
        "PHPOPS_TREE": str(TREE),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
