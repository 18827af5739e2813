# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Apache's files with and without the sites' blocks, their backups, and the record of what was changed."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.migration import block
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import (
    Unreadable,
    fsync_dir,
    read_bytes,
    read_text,
    write_atomic,
)

BACKUP_FOLDER = "/var/lib/phpops/backup/apache"
_NEEDED = ("proxy", "proxy_fcgi")


@dataclass
class Record:
    """What was changed, by us, and where the bytes of before are. It is kept until the last block is gone."""

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    sites: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Edit:
    """The bytes of some files as they are, and as they are to be. Paths are real ones, never symlinks."""

    before: dict[str, bytes]
    after: dict[str, bytes]

    def changed(self) -> list[str]:
        """Return the paths whose bytes change."""
        return sorted(path for path in self.after if self.after[path] != self.before[path])


def read_record(folder: str = BACKUP_FOLDER) -> Record:
    """Return the record, an empty one where there is none. A damaged one is an empty one too: the marks rule."""
    try:
        stored = json.loads(read_text(Path(folder) / "handlers.json"))
        return Record(dict(stored["files"]), list(stored["links"]), dict(stored["sites"]))
    except (Unreadable, ValueError, KeyError, TypeError):
        return Record()


def write_record(record: Record, folder: str = BACKUP_FOLDER) -> None:
    """Store the record, durably; only root may read it."""
    _make_folder(folder)
    text = json.dumps({"files": record.files, "links": record.links, "sites": record.sites}, indent=1, sort_keys=True)
    write_atomic(Path(folder) / "handlers.json", text + "\n", 0o600)


def _make_folder(folder: str) -> None:
    Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)


def backup(record: Record, edit: Edit, folder: str = BACKUP_FOLDER) -> None:
    """Keep the bytes, owner and mode of every file that changes, outside of Apache's folder (it loads any file there).

    The bytes of before the first block stay the ones to come back to; each later run keeps its own copy beside.
    """
    place = Path(folder) / time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    for path in edit.changed():
        _make_folder(str(place))
        status = Path(path).stat()
        copy = place / path.strip("/").replace("/", "__")
        write_atomic(copy, edit.before[path], 0o600)
        without = bare(edit.before[path])
        if path not in record.files or not block.sites_in(edit.before[path].decode("latin-1")):
            record.files[path] = {
                "backup": str(copy),
                "sha256": hashlib.sha256(without).hexdigest(),
                "uid": status.st_uid,
                "gid": status.st_gid,
                "mode": stat.S_IMODE(status.st_mode),
            }
    fsync_dir(folder)


def bare(content: bytes) -> bytes:
    """Return a file's bytes without the blocks of any site."""
    text = content.decode("latin-1")
    for site in block.sites_in(text):
        text = block.remove(text, site)
    return text.encode("latin-1")


def with_blocks(sites: Sequence[Mapping[str, Any]], before: Mapping[str, bytes]) -> Edit:
    """Return the edit that gives these sites their blocks. Raises BlockError."""
    placements: dict[str, list[tuple[int, str, str]]] = {}
    for site in sites:
        for vhost in site["vhosts"]:
            placements.setdefault(vhost["file"], []).append((int(vhost["line"]), site["site"], site["block"]))
    after = dict(before)
    for path, blocks in placements.items():
        after[path] = block.place(before[path].decode("latin-1"), blocks).encode("latin-1")
    return Edit(dict(before), after)


def without_blocks(sites: Sequence[str], before: Mapping[str, bytes]) -> Edit:
    """Return the edit that takes these sites' blocks away, whatever else was changed in the files meanwhile."""
    after = {}
    for path, content in before.items():
        text = content.decode("latin-1")
        for site in sites:
            text = block.remove(text, site)
        after[path] = text.encode("latin-1")
    return Edit(dict(before), after)


def read_all(paths: Sequence[str]) -> dict[str, bytes]:
    """Return the bytes of files. Raises Unreadable."""
    return {path: read_bytes(path) for path in sorted(set(paths))}


def swap(texts: Mapping[str, bytes]) -> None:
    """Put new bytes into files, each by one rename, with the owner and the mode that it has. Raises OSError."""
    for path in sorted(texts):
        status = Path(path).stat()
        write_atomic(path, texts[path], stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)


def missing_links(modules: str, config_root: str) -> dict[str, str]:
    """Return the symlinks that switch the proxy modules on, as a2enmod makes them: {path: target}.

    modules: what `apache2ctl -M` prints.
    """
    links = {}
    for name in _NEEDED:
        if f" {name}_module " in modules.replace("\n", " "):
            continue
        for ending in ("load", "conf"):
            if (Path(config_root) / "mods-available" / f"{name}.{ending}").exists():
                links[str(Path(config_root) / "mods-enabled" / f"{name}.{ending}")] = (
                    f"../mods-available/{name}.{ending}"
                )
    return links


def make_links(links: Mapping[str, str]) -> list[str]:
    """Make symlinks that are not there; return the paths of those made. Raises OSError."""
    made = []
    for path, goal in links.items():
        if not os.path.lexists(path):
            Path(path).symlink_to(goal)
            made.append(path)
            fsync_dir(Path(path).parent)
    return made


def remove_links(paths: Sequence[str]) -> dict[str, str]:
    """Remove symlinks; return {path: target} of those that were there. Raises OSError."""
    removed = {}
    for path in paths:
        if Path(path).is_symlink():
            removed[path] = os.readlink(path)
            Path(path).unlink()
            fsync_dir(Path(path).parent)
    return removed


def restored(record: Record, path: str, content: bytes) -> bool:
    """Return whether a file's bytes are those of before the first block."""
    known = record.files.get(path)
    return bool(known) and hashlib.sha256(content).hexdigest() == (known or {}).get("sha256")
