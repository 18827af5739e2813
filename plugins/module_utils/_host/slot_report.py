# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What a run on one site tells its user."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import FlipResult
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import File, Rendering, redacted
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_store import present, read_file


@dataclass
class Report:
    """The result of one site; as_dict() is what the module returns for it."""

    name: str
    changed: bool = False
    failed: bool = False
    step: str = ""
    msg: str = ""
    reasons: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    live_slot: str | None = None
    previous_slot: str | None = None
    flipped: bool = False
    unit: str | None = None
    master_pid: int | None = None
    socket: str | None = None
    segment_bytes: int | None = None
    prime: dict[str, Any] | None = None
    workers: dict[str, int] | None = None
    drain: dict[str, Any] | None = None
    budget: dict[str, Any] | None = None
    diff: list[dict[str, str]] = field(default_factory=list)

    def take(self, result: FlipResult) -> None:
        """Add how far a flip came."""
        self.flipped, self.failed = result.flipped, result.failed
        self.step = result.step if result.failed else ""
        if result.msg:
            self.msg = result.msg
        self.prime = result.details.get("prime")
        self.workers = result.details.get("workers")
        self.drain = result.details.get("drain", self.drain)
        self.budget = result.details.get("budget")

    def still_busy(self, slot: str, drain: Mapping[str, Any]) -> str:
        """Return the sentence about a slot that could not be drained."""
        workers = ", ".join(f"{item['pid']} {item['script']} for {item['seconds']:g} s" for item in drain["stuck"])
        return (
            f"Slot {slot} of site {self.name} still had work after {drain['seconds']:g} s and stays up:"
            f" {drain['queue']} queued, {drain['active']} active ({workers or 'no script named'}); raise"
            " the drain timeout, or allow kill_stuck."
        )

    def as_dict(self) -> dict[str, Any]:
        return dict(vars(self))


def file_diffs(
    units: Mapping[str, File], before: Rendering | None, after: Rendering, live: str | None
) -> list[dict[str, str]]:
    """Return --diff of the shared units, and of a slot's files: the live slot's against those that come."""
    found = [
        {"before_header": path, "after_header": path, "before": read_file(path) or "", "after": file.text}
        for path, file in units.items()
    ]
    if before is None:
        return found
    files, links = present(before)
    for (old_path, old_text), (new_path, new) in zip(files.items(), after.files.items()):
        text = redacted(old_text or "") if live else ""
        if text != redacted(new.text) or (old_text or "") != new.text:
            found.append(_entry(old_path if live else new_path, new_path, text, redacted(new.text)))
    # Not by order: a slot has the link to its release only when it has one.
    old_links = {Path(path).name: (path, target) for path, target in links.items()}
    new_links = {Path(path).name: (path, target) for path, target in after.links.items()}
    for name in ("docroot", "release"):
        old_path, old_target = old_links.get(name, ("", None))
        new_path, target = new_links.get(name, ("", None))
        old_target = old_target if live else None
        if old_target != target:
            shown = [f"-> {text}\n" if text else "" for text in (old_target, target)]
            found.append(_entry(old_path or new_path, new_path or old_path, *shown))
    return found


def _entry(before_header: str, after_header: str, before: str, after: str) -> dict[str, str]:
    return {"before_header": before_header, "after_header": after_header, "before": before, "after": after}
