# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the images of containers and of virtual machines are both made with."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "molecule" / "images"
LIMIT_SECONDS = 900
ENVIRONMENT = {**os.environ, "CONTAINERS_CONF": str(FOLDER / "containers.conf"), "LC_ALL": "C.UTF-8"}


def podman(*arguments: str) -> str:
    """Run podman with the collection's own settings and return what it says."""
    return subprocess.run(
        ["podman", *arguments], check=True, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, timeout=LIMIT_SECONDS
    ).stdout.strip()


def packages(file: str) -> list[str]:
    """Return the packages that a file beside the hooks lists."""
    lines = (FOLDER / file).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def hash_of(text: str, *files: Path) -> str:
    """Hash what determines an image: a text and files."""
    digest = hashlib.sha256(text.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
