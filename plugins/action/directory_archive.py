# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import tempfile
from pathlib import Path

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._host.directory_archive import pack


class ActionModule(ActionBase):
    """Packs a folder on the controller itself, below the temporary folder that this run of Ansible removes."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        """Return where the archive is."""
        super().run(tmp, task_vars)
        _result, options = self.validate_argument_spec(
            argument_spec={
                "path": {"type": "path", "required": True},
                "exclude": {"type": "list", "elements": "str", "default": []},
            },
        )
        folder = tempfile.mkdtemp(prefix="phpops-", dir=constants.DEFAULT_LOCAL_TMP)
        try:
            archive = pack(str(Path(options["path"]).absolute()), f"{folder}/source.tar.gz", options["exclude"])
        except StepFailed as error:
            raise AnsibleActionFail(str(error)) from error
        return {
            "changed": False,
            "path": archive.path,
            "sha256": archive.sha256,
            "files": archive.files,
            "bytes": archive.bytes,
            "seconds": round(archive.seconds, 2),
        }
