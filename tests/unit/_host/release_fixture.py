# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host in a temporary folder: archives to build releases from, and slots that name them."""

from __future__ import annotations

import grp
import io
import json
import os
import pwd
import tarfile
from pathlib import Path
from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host import release

USER = pwd.getpwuid(os.geteuid()).pw_name
GROUP = grp.getgrgid(os.getegid()).gr_name


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    """Return one member of a tar."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, mode
    return info


def tar(path: Path, *members: tuple[str, str] | tarfile.TarInfo, mode: str = "w:gz") -> str:
    """Write an archive of files (name, content) and of members without content."""
    with tarfile.open(str(path), mode, encoding="utf-8", errors="surrogateescape") as archive:  # type: ignore[call-overload]
        for one in members:
            info, content = (one, b"") if isinstance(one, tarfile.TarInfo) else (member(one[0]), one[1].encode())
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return str(path)


class Host:
    """One site's folder and the slots of this host."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "srv" / "wiki"
        self.releases = self.path / "releases"
        self.layout = Layout(*(str(folder / name) for name in ("lib", "etc", "run", "units")))

    def run(self, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        """Call the module's run."""
        base = {"site": "wiki", "path": str(self.path), "state": "present", "owner": USER, "group": GROUP, "user": USER}
        return release.run({**base, **options}, check_mode, self.layout)

    def build(self, name: str, *files: tuple[str, str], **options: Any) -> dict[str, Any]:
        """Build a release of this id from these files."""
        source = {"kind": "archive", "path": tar(self.folder / f"{name}.tgz", *files)}
        return self.run(id=name, source=source, **options)

    def live(self, name: str, *history: str, slot: str = "blue", site: str = "wiki") -> None:
        """Let a slot be live with a release."""
        state, config = Path(self.layout.slot_dir(site, slot)), Path(self.layout.config_dir(site, slot))
        pointer = Path(self.layout.pointer(site))
        for folder in (state, config, pointer.parent):
            folder.mkdir(parents=True, exist_ok=True)
        place = self.releases / name
        told = {"user": USER, "release": {"id": name, "path": str(place), "history": list(history)}}
        (config / "site.json").write_text(json.dumps(told), encoding="utf-8")
        for link, target in ((pointer, f"../slots/{slot}"), (state / "release", place), (state / "docroot", place)):
            if link.is_symlink():
                link.unlink()
            link.symlink_to(target)

    def names(self) -> list[str]:
        """Return all names in the folder of releases."""
        return sorted(path.name for path in self.releases.iterdir())
