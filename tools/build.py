# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the collection as it would be published, and checks that only what users need is in it."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from paths import VENV, environment
from sanity import COLLECTION, copy_tracked

# What a user gets; all else is for those who work on the collection.
WANTED = {"CHANGELOG.md", "CONTRIBUTING.md", "FILES.json", "LICENSES", "MANIFEST.json", "README.md", "REUSE.toml"}
WANTED |= {"changelogs", "docs", "meta", "playbooks", "plugins", "roles"}


def main() -> int:
    """Build from a copy of the tracked files and look into the archive."""
    with tempfile.TemporaryDirectory(prefix="phpops-build-") as temporary:
        collection = Path(temporary) / COLLECTION
        copy_tracked(collection)
        command = [str(VENV / "bin" / "ansible-galaxy"), "collection", "build", "--output-path", temporary]
        subprocess.run(command, cwd=collection, env=environment(), check=True)
        with tarfile.open(next(Path(temporary).glob("*.tar.gz"))) as archive:
            found = {name.partition("/")[0] for name in archive.getnames()}
    print(f"in the archive: {' '.join(sorted(found))}")
    for problem, names in (("too much", found - WANTED), ("missing", WANTED - found)):
        if names:
            print(f"error: {problem}: {' '.join(sorted(names))}", file=sys.stderr)
    return 0 if found == WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
