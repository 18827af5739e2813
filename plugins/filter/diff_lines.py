# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: diff_lines
short_description: Show a module's diff as lines of text
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - C(no_log) hides a task's diff too. A task after it can show the registered one where it holds no secret.
options:
  _input:
    description: The C(diff) of a module's result, one entry or a list of them.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Show what changes in the files
  ansible.builtin.debug:
    msg: "{{ slots.diff | phpops.webhost.diff_lines }}"
  when: ansible_diff_mode
"""

RETURN = r"""
_value:
  description: The lines of a unified diff.
  type: list
  elements: str
"""

from ansible.errors import AnsibleFilterError
from ansible_collections.phpops.webhost.plugins.module_utils._core.diff_lines import diff_lines as lines_of


def diff_lines(diff):
    """Return the lines of a unified diff."""
    entries = [diff] if isinstance(diff, dict) else diff
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise AnsibleFilterError("diff_lines takes the diff of a module's result; register the result first.")
    return lines_of(entries)


class FilterModule:
    """Ansible looks the filter up here."""

    def filters(self):
        """Return the filters by name."""
        return {"diff_lines": diff_lines}
