# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: deploy_failure
short_description: Say why a task of a deploy failed, in one sentence
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Takes the result of a task that failed, for the C(rescue) of a block.
options:
  _input:
    description: The result, C(ansible_failed_result).
    type: dict
    required: true
  task:
    description: The task's name, C(ansible_failed_task.name).
    type: str
    default: ''
  hook:
    description: The hook that the task is from, empty for a task of the role.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: Keep the reason
  ansible.builtin.set_fact:
    reason: "{{ ansible_failed_result | phpops.webhost.deploy_failure(ansible_failed_task.name, 'before_switch') }}"
"""

RETURN = r"""
_value:
  description: The sentence.
  type: str
"""

from typing import Any, Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core.deploy_failure import sentence


def deploy_failure(result: Any, task: str = "", hook: str = "") -> str:
    """Return why a task failed."""
    return sentence(result if isinstance(result, Mapping) else {"msg": str(result)}, str(task), str(hook))


class FilterModule:
    """Ansible looks the filter up here."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"deploy_failure": deploy_failure}
