# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keeps what a diagnosis found on the controller and makes the report of it; no host is asked."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.phpops.webhost.plugins.module_utils._core.facts_age import FORMAT, moment
from ansible_collections.phpops.webhost.plugins.module_utils._core.report_fleet import BadReport
from ansible_collections.phpops.webhost.plugins.module_utils._core.report_host import FAILED
from ansible_collections.phpops.webhost.plugins.module_utils._core.report_record import ANSWERED, record
from ansible_collections.phpops.webhost.plugins.plugin_utils.report_files import (
    check_before,
    write_page,
    write_record,
)

STATES = (ANSWERED, "unreachable", FAILED)
_BEGUN = "The run ended before the facts of this host were read."
_OPTIONS = {
    "step": {"type": "str", "choices": ["begin", "record", "render"], "required": True},
    "output_dir": {"type": "path", "required": True},
    "before_dir": {"type": "path"},
    "state": {"type": "str", "choices": list(STATES), "default": ANSWERED},
    "reason": {"type": "str"},
    "facts": {"type": "dict", "default": {}},
    "verdicts": {"type": "list", "elements": "dict", "default": []},
    "time": {"type": "str"},
    "hosts": {"type": "list", "elements": "str"},
}


class ActionModule(ActionBase):
    """The whole of the module diagnose_report."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        del tmp
        _validation, args = self.validate_argument_spec(argument_spec=_OPTIONS)
        if self._task.check_mode:
            return {"changed": False, "path": None, "msg": "Nothing is written in check mode."}
        try:
            path = _run(args, str((task_vars or {}).get("inventory_hostname")))
        except (BadReport, OSError) as error:
            raise AnsibleActionFail(str(error)) from error
        return {"changed": True, "path": str(path)}


def _run(args: dict[str, Any], host: str) -> Path:
    folder = Path(args["output_dir"]).absolute()
    before = Path(args["before_dir"]) if args["before_dir"] else None
    if args["step"] == "render":
        return write_page(folder, args["hosts"], before)
    if before is not None:
        check_before(folder, before)
    now = datetime.now(timezone.utc).strftime(FORMAT)
    if args["time"] and moment(args["time"]) is None:
        raise BadReport(f"time is {args['time']}: give UTC as {now}.")
    if args["step"] == "begin":
        # In the place of an earlier record: a host that never answers must not look as if it did.
        return write_record(folder, record(host, FAILED, now, reason=_BEGUN))
    time = args["time"] or now
    return write_record(folder, record(host, args["state"], time, args["facts"], args["verdicts"], args["reason"]))
