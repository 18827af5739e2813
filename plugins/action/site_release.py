# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

# A smaller archive is sent at once: asking first whether the host needs it would take longer.
SMALL_BYTES = 1024 * 1024
_CHUNK_BYTES = 1024 * 1024


class ActionModule(ActionBase):
    """Sends an archive of the controller to the host, when the host has no release of it yet."""

    TRANSFERS_FILES = True
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        del tmp
        args = dict(self._task.args)
        source = args.get("source")
        try:
            if not isinstance(source, dict) or boolean(source.get("remote_src", True), strict=False):
                return self._call(args, task_vars)
            return self._send(args, dict(source), task_vars)
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)

    def _send(self, args: dict[str, Any], source: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        path = str(Path(str(source.get("path") or "")).expanduser())
        found, size = _sum_of(path)
        wanted = str(source.get("sha256") or "").lower()
        if wanted not in ("", found):
            raise AnsibleActionFail(
                f"The archive {path} has the sha256 {found}, not {wanted} as asked: fetch it again or correct the sum."
                " Nothing was sent."
            )
        source.update(path=path, sha256=found)
        if size > SMALL_BYTES:
            result = self._call({**args, "source": source}, task_vars)
            if not result.get("needs_archive") or result.get("failed"):
                return result
        # In check mode too: what is in an archive can't be told otherwise, and the temporary folder is gone at the end.
        if not self._connection._shell.tmpdir:
            self._make_tmp_path()
        there = self._connection._shell.join_path(self._connection._shell.tmpdir, "source")
        self._transfer_file(path, there)
        self._fixup_perms2((self._connection._shell.tmpdir, there))
        source.update(path=there, remote_src=True)
        return self._call({**args, "source": source}, task_vars)

    def _call(self, args: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        result: dict[str, Any] = self._execute_module(
            module_name=self._task.action, module_args=args, task_vars=task_vars
        )
        return result


def _sum_of(path: str) -> tuple[str, int]:
    """Return the SHA-256 and the size of a file of the controller."""
    total = hashlib.sha256()
    try:
        with Path(path).open("rb") as file:
            for chunk in iter(lambda: file.read(_CHUNK_BYTES), b""):
                total.update(chunk)
            return total.hexdigest(), file.tell()
    except OSError as error:
        raise AnsibleActionFail(f"The archive {path} of the controller can't be read: {error.strerror}.") from error
