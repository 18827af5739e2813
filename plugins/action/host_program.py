# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Packs a program of the collection on the controller and lets the module put it in its place."""

from __future__ import annotations

import base64

from ansible.plugins.action import ActionBase
from ansible_collections.phpops.webhost.plugins.plugin_utils.program_archive import pack


class ActionModule(ActionBase):
    """The action of the module host_program."""

    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        """Return what the module returns."""
        result = super().run(tmp, task_vars)
        options = dict(self._task.args)
        if "program" in options and options.get("state", "present") == "present":
            options["content"] = base64.b64encode(pack(str(options["program"]))).decode()
        result.update(
            self._execute_module(module_name="phpops.webhost.host_program", module_args=options, task_vars=task_vars)
        )
        return result
