# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: tune_summary
short_description: Tell what the playbook tune did, one line per role
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Says of each role whether it was done, changed nothing, was skipped and why, failed, or was not reached.
positional: steps
options:
  _input:
    description: What P(phpops.webhost.tune_plan#filter) returned.
    type: dict
    required: true
  steps:
    description: By role the registered results of its steps, skipped ones included.
    type: dict
    required: true
  failure:
    description: Empty, or C(tags) of the task that failed and its C(message).
    type: dict
    default: {}
  check_mode:
    description: Whether it was a dry run.
    type: bool
    default: false
seealso:
  - plugin: phpops.webhost.tune_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show what was done
  ansible.builtin.debug:
    msg: "{{ plan | phpops.webhost.tune_summary({'swap': [swap_result]}) }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

from typing import Any, Mapping

from ansible.errors import AnsibleFilterError
from ansible_collections.phpops.webhost.plugins.module_utils._core.tune_plan import summary


def tune_summary(plan: Any, steps: Any, failure: Any = None, check_mode: bool = False) -> list[str]:
    """Return what was done as lines."""
    if not isinstance(plan, Mapping) or "skipped" not in plan:
        raise AnsibleFilterError("tune_summary got no plan: give it what phpops.webhost.tune_plan returned.")
    return summary(plan, steps, failure or {}, check_mode)


class FilterModule:
    """The filter as Ansible finds it."""

    def filters(self) -> dict[str, Any]:
        return {"tune_summary": tune_summary}
