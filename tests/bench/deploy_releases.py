# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives of an application that differ from release to release in one file, its name."""

from __future__ import annotations

import gzip
import io
import subprocess
import tarfile
from pathlib import Path

from host import ROOT, BenchHost

SMALL = ROOT / "molecule" / "slot_flip" / "files" / "app"
SMALL_FILES = ("work.php", "post.php", "slow.php")


class Releases:
    """Makes an archive when it is asked for; all of an application but one small file is compressed once."""

    def __init__(self, host: BenchHost, folder: Path) -> None:
        self.host, self.folder = host, folder
        self._common: dict[str, bytes] = {}

    def archive(self, app: str, release: str) -> Path:
        """Return the path of the release's .tar.gz on this machine."""
        if app not in self._common:
            self._common[app] = gzip.compress(self._without_end(app), compresslevel=1)
        path = self.folder / f"{app}.tar.gz"
        # Two gzip members are one gzip file, and the first part of the archive has no end of its own.
        path.write_bytes(self._common[app] + gzip.compress(_name_file(release)))
        return path

    def _without_end(self, app: str) -> bytes:
        plain = self.folder / f"{app}.tar"
        if app == "small":
            with tarfile.open(plain, "w") as archive:
                for name in SMALL_FILES:
                    archive.add(SMALL / name, name)
        else:
            with plain.open("wb") as file:
                command = [
                    "podman",
                    "exec",
                    self.host.name,
                    "tar",
                    "-C",
                    f"/srv/{app}",
                    "-c",
                    "--exclude=./release.php",
                    ".",
                ]
                subprocess.run(command, stdout=file, check=True, timeout=300)
        with tarfile.open(plain, "a") as archive:
            end = archive.offset
        content = plain.read_bytes()[:end]
        plain.unlink()
        return content


def _name_file(release: str) -> bytes:
    content = f"<?php return '{release}';\n".encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("release.php")
        entry.size, entry.mode = len(content), 0o644
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
