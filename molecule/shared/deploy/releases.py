# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases R1, R2, … of the application in app/, as archives: python3 releases.py FOLDER R1 R2

All have the same files, but release.php names the release, the style sheet has a name of its own in each, and R1 has a
page that no later one has.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import tarfile
from pathlib import Path

APP = Path(__file__).resolve().parent / "app"
ONLY_FIRST = '<?php usleep(50000); echo "main=R1 late=R1\\n";\n'


def sheet(name: str) -> str:
    """Return the path of a release's style sheet below its document root."""
    return f"assets/app.{hashlib.sha256(name.encode()).hexdigest()[:8]}.css"


def files(name: str, changes: dict[str, str | None] | None = None) -> dict[str, bytes]:
    """Return the files of a release by path; changes: a file's text by path, or None for a file that isn't there."""
    found = {str(path.relative_to(APP)): path.read_bytes() for path in sorted(APP.rglob("*")) if path.is_file()}
    found["RELEASE"] = f"{name}\n".encode()
    found["assets.txt"] = f"{sheet(name)}\n".encode()
    found["public/release.php"] = f"<?php return '{name}';\n".encode()
    found[f"public/{sheet(name)}"] = f"/* {name} */\n".encode()
    if name == "R1":
        found["public/dropped.php"] = ONLY_FIRST.encode()
    for path, text in (changes or {}).items():
        if text is None:
            del found[path]
        else:
            found[path] = text.encode()
    return found


def archive(folder: Path, name: str, changes: dict[str, str | None] | None = None) -> Path:
    """Write a release as FOLDER/<name>.tar.gz, the same bytes each time, and return its path."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as out:
        for path, content in sorted(files(name, changes).items()):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o644
            out.addfile(entry, io.BytesIO(content))
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / f"{name}.tar.gz"
    written.write_bytes(gzip.compress(tar.getvalue(), mtime=0))
    return written


def directory(folder: Path, name: str, changes: dict[str, str | None] | None = None) -> Path:
    """Write a release as the folder FOLDER/<name> and return its path."""
    for path, content in files(name, changes).items():
        target = folder / name / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder / name


if __name__ == "__main__":
    for wanted in sys.argv[2:]:
        archive(Path(sys.argv[1]), wanted)
