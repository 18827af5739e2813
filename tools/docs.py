# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the documentation of modules, plugins and roles as antsibull-docs will publish it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from paths import VENV, environment
from sanity import COLLECTION, copy_tracked


def main() -> int:
    """Lint a copy: in the checkout, antsibull-docs would copy .venv as well."""
    with tempfile.TemporaryDirectory(prefix="phpops-docs-") as temporary:
        collection = Path(temporary) / COLLECTION
        copy_tracked(collection)
        command = [str(VENV / "bin" / "antsibull-docs"), "lint-collection-docs", "--plugin-docs"]
        command += ["--validate-collection-refs=self", str(collection)]
        return subprocess.run(command, env=environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
