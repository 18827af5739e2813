# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Drop-ins of units: checked by systemd before they are written, changed all at once, and put back after a failure."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._host import systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import (
    fsync_dir,
    write_atomic,
)


@dataclass(frozen=True)
class Change:
    """A drop-in's text as it is and as it is to be; None is no file."""

    path: str
    before: bytes | None
    after: bytes | None

    def shown(self) -> dict[str, str]:
        """Return the change as an entry of a module's diff."""
        before, after = ((text or b"").decode("utf-8", "replace") for text in (self.before, self.after))
        return {"before_header": self.path, "after_header": self.path, "before": before, "after": after}


def complaint(run: Callable[..., tuple[int, str, str]], changes: Sequence[Change], units: Sequence[str]) -> str | None:
    """Return what systemd would say against the units with these drop-ins, None where it has nothing to say.

    Nothing of the host is changed: the drop-ins lie in a folder of their own that systemd-analyze reads first. What
    it says of the units without them as well doesn't count. ``run`` takes words and environ_update.
    """
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units]
    with tempfile.TemporaryDirectory(prefix="phpops-units-") as folder:
        for change in changes:
            path = Path(folder) / Path(change.path).parent.name / Path(change.path).name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(change.after or b"")
        # The empty element at the end stands for systemd's own folders (systemd.unit(5)).
        status, out, err = run(command, environ_update={"SYSTEMD_UNIT_PATH": f"{folder}:", "LC_ALL": "C"})
        said = [line.replace(f"{folder}/", "") for line in (err + out).splitlines() if line.strip()]
        ours = [line for line in said if any(Path(change.path).name in line for change in changes)]
        if status == 0 and not ours:
            return None
    status, out, err = run(command, environ_update={"LC_ALL": "C"})
    known = set((err + out).splitlines()) if status else set()
    new = [line for line in said if line not in known]
    return " ".join(new) or (None if status else "systemd-analyze verify failed and says nothing.")


def apply(run: systemd.Run, changes: Sequence[Change], wrong: Callable[[], str | None]) -> str | None:
    """Write and remove the drop-ins, and let systemd read them; returns None, or why all is as it was before.

    ``wrong`` is asked afterwards what is wrong with the units. Raises OSError when not even the way back worked.
    """
    try:
        for change in changes:
            _put(change.path, change.after)
        systemd.daemon_reload(run)
        reason = wrong()
    except (OSError, systemd.SystemctlError) as error:
        reason = str(error)
    if reason:
        for change in changes:
            _put(change.path, change.before)
        with suppress(systemd.SystemctlError):
            systemd.daemon_reload(run)
    return reason


def _put(path: str, content: bytes | None) -> None:
    folder = Path(path).parent
    if content is not None:
        if not folder.is_dir():
            folder.mkdir(mode=0o755)
            fsync_dir(folder.parent)
        write_atomic(path, content, 0o644)
        return
    with suppress(FileNotFoundError):
        Path(path).unlink()
        fsync_dir(folder)
    with suppress(OSError):
        folder.rmdir()
