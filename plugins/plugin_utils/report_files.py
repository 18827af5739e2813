# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The files of a report on the controller: one JSON per host, and one page. Only their owner may read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Mapping, Sequence
from urllib.parse import quote

from ansible_collections.phpops.webhost.plugins.module_utils._core.report_fleet import FORMAT, BadReport, fleet_model
from ansible_collections.phpops.webhost.plugins.module_utils._core.report_host import FAILED
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import write_atomic
from ansible_collections.phpops.webhost.plugins.plugin_utils.report_page import render

HOSTS = "hosts"
PAGE = "report.html"


def record_path(folder: Path, host: str) -> Path:
    """Return the file of a host; a name that is no file name is quoted as in a URL."""
    return folder / HOSTS / f"{quote(host, safe='')}.json"


def check_before(folder: Path, before: Path) -> None:
    """Raise BadReport where an earlier run's folder can't be compared with this one's."""
    if before.resolve() == folder.resolve():
        raise BadReport(
            f"{folder} is both this run's folder and the earlier one's: keep the earlier run in a folder of its own."
        )
    if not any((before / HOSTS).glob("*.json")):
        raise BadReport(f"{before} holds no record of an earlier run: there is no {HOSTS}/*.json in it.")


def write_record(folder: Path, record: Mapping[str, Any]) -> Path:
    """Write the record of one host and return its file. Raises OSError."""
    path = record_path(folder, str(record["host"]))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # ASCII: names from hosts may hold what is no text at all.
    write_atomic(path, json.dumps(record, indent=1, default=str) + "\n", 0o600)
    return path


def write_page(folder: Path, hosts: Sequence[str] | None = None, before: Path | None = None) -> Path:
    """Write the page of a folder's records, or of the hosts given, and return it. Raises BadReport and OSError."""
    if before is not None:
        check_before(folder, before)
    model = fleet_model(_read(folder, hosts), None if before is None else _read(before, None), hosts)
    page = folder / PAGE
    write_atomic(page, render(model).encode("utf-8", errors="replace"), 0o600)
    return page


def _read(folder: Path, hosts: Sequence[str] | None) -> list[dict[str, Any]]:
    if hosts is None:
        return [_one(path) for path in sorted((folder / HOSTS).glob("*.json"))]
    paths = [(host, record_path(folder, host)) for host in hosts]
    return [_one(path, host) for host, path in paths if path.is_file()]


def _one(path: Path, host: str | None = None) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        if host is None:
            raise BadReport(f"{path} is not the JSON of a record ({error}): remove it or diagnose again.") from error
        reason = f"Its record {path} is not JSON: {error}."
        return {"format": FORMAT, "host": host, "state": FAILED, "reason": reason, "facts": {}, "verdicts": []}
    if not isinstance(found, dict):
        raise BadReport(f"{path} is not the JSON of a record: remove it or diagnose again.")
    return found
