# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes what the parts made: test hosts, images, virtual environment, caches."""

from __future__ import annotations

import shutil
import sys

from image_tools import podman
from paths import CACHE, ROOT, VENV

sys.path.insert(0, str(ROOT / "molecule" / "shared" / "vm"))

from machine import machines


def main() -> None:
    """Remove the machines, the containers made from our images, the images, and our files."""
    for machine in machines():
        machine.remove()
    if shutil.which("podman"):
        for image in podman("images", "--quiet", "--filter", "label=phpops.hash").split():
            for container in podman("ps", "--all", "--quiet", "--filter", f"ancestor={image}").split():
                podman("rm", "--force", "--time", "0", container)
            podman("image", "rm", "--force", image)
    made = (".ansible", ".mypy_cache", ".ruff_cache", ".hypothesis", "demo/report", "docs/build")
    for path in (VENV, CACHE, *(ROOT / name for name in made)):
        shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    main()
