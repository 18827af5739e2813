# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Runs a module in slices and says between them what it waits for."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

SLICE_SECONDS = 3.0

display = Display()


def show(host: str, sentence: str) -> None:
    """Print one line for the person who watches; on stderr, so that a callback's JSON on stdout stays whole."""
    display.display(f"[{host}] {sentence}", stderr=True)


class SlicedAction(ActionBase):  # type: ignore[misc]
    """Calls the module of the same name again and again, with what it carried over, until it is no longer pending.

    Each call is an ordinary one: nothing goes on on the host when the controller is gone.
    """

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = True

    def beginning(self, args: dict[str, Any]) -> str:
        """Return what is said before the first call, "" for nothing."""
        return ""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        variables = task_vars or {}
        super().run(tmp, variables)
        del tmp
        args = dict(self._task.args)
        if self._task.async_val and not self._connection.has_native_async:
            # A task in the background has nobody who watches.
            return self._call(args, variables, wrap_async=True)
        try:
            return self._slices(args, variables)
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)

    def _slices(self, args: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        args.setdefault("slice_seconds", SLICE_SECONDS)
        host = str(variables.get("inventory_hostname") or self._play_context.remote_addr)
        quiet = bool(self._task.no_log)
        first = "" if quiet or self._task.check_mode else self.beginning(args)
        if first:
            show(host, first)
        while True:
            result = self._call(args, variables)
            if not result.get("pending") or result.get("failed"):
                return result
            if result.get("progress") and not quiet:
                show(host, str(result["progress"]))
            args["carry"] = result.get("carry") or {}

    def _call(self, args: dict[str, Any], variables: dict[str, Any], wrap_async: bool = False) -> dict[str, Any]:
        result: dict[str, Any] = self._execute_module(
            module_name=self._task.action, module_args=args, task_vars=variables, wrap_async=wrap_async
        )
        return result
