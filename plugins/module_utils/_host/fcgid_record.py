# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What fcgid_limits changed in Apache's files, so that every byte can be given back, and when it was written."""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core.config_lines import LineEdit, undo, without_block
from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgid_limits import BEGIN, END, LimitError
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import (
    Unreadable,
    fsync_dir,
    read_text,
    write_atomic,
)

NAME = "fcgid_limits.json"


@dataclass
class Changed:
    """One file: the digest of its bytes without our changes, where a copy of them is, and the lines that we changed."""

    sha256: str
    backup: str
    edits: list[LineEdit] = field(default_factory=list)


@dataclass
class Record:
    """All files with changes of ours. ``written`` is in seconds since 1970, ``reloaded`` whether Apache read it."""

    files: dict[str, Changed] = field(default_factory=dict)
    written: float = 0.0
    reloaded: bool = True

    def bare(self, path: str, content: bytes) -> tuple[bytes, list[LineEdit]]:
        """Return a file's bytes without our changes, and those of our lines that somebody has changed since."""
        text = without_block(content.decode("latin-1"), BEGIN, END)
        known = self.files.get(path)
        text, lost = undo(text, known.edits if known else [])
        return text.encode("latin-1"), lost

    def is_restored(self, path: str, content: bytes) -> bool:
        """Tell whether the bytes are those of before our first change."""
        known = self.files.get(path)
        return known is None or known.sha256 == digest(content)


def digest(content: bytes) -> str:
    """Return the SHA-256 of a file's bytes as the record has it."""
    return hashlib.sha256(content).hexdigest()


def read_record(folder: str) -> Record:
    """Return the record, an empty one where there is none. Raises LimitError for a damaged one."""
    path = Path(folder) / NAME
    try:
        stored = json.loads(read_text(path))
        files = {
            name: Changed(one["sha256"], one["backup"], [LineEdit(**edit) for edit in one["edits"]])
            for name, one in stored["files"].items()
        }
        return Record(files, float(stored["written"]), bool(stored["reloaded"]))
    except Unreadable as error:
        if error.missing:
            return Record()
        raise LimitError(error.reason) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LimitError(f"{path} is damaged ({error}): look at the copies beside it and remove it.") from error


def write_record(record: Record, folder: str) -> None:
    """Store the record, durably, or remove it when nothing is changed and nothing is due. Raises OSError."""
    path = Path(folder) / NAME
    if not record.files and record.reloaded:
        with suppress(FileNotFoundError):
            path.unlink()
            fsync_dir(folder)
        return
    Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomic(path, json.dumps(asdict(record), indent=1, sort_keys=True) + "\n", 0o600)


def backup(record: Record, bare: Mapping[str, bytes], folder: str) -> dict[str, str]:
    """Keep the bytes without our changes of files that have none yet, outside of Apache's folder; return the copies.

    Raises OSError.
    """
    place = Path(folder) / (time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()) + "-fcgid")
    copies = {}
    for path, content in bare.items():
        known = record.files.get(path)
        if known is not None and record.is_restored(path, content):
            copies[path] = known.backup
            continue
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        copy = place / path.strip("/").replace("/", "__")
        write_atomic(copy, content, 0o600)
        copies[path] = str(copy)
    return copies
