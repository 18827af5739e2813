# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: verdict_text
short_description: Write the verdicts of a host as a short text
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Returns a line with the host and the number of problems, then each problem with its cure, worst first.
  - Control characters in names that came from the host are replaced.
positional: host
options:
  _input:
    description: The verdicts that P(phpops.webhost.verdicts#filter) returned.
    type: list
    elements: dict
    required: true
  host:
    description: The name of the host, as the inventory has it.
    type: str
    required: true
seealso:
  - plugin: phpops.webhost.verdicts
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show the problems of each host
  ansible.builtin.debug:
    msg: "{{ (found | phpops.webhost.verdict_text(inventory_hostname)).splitlines() }}"
  vars:
    found: "{{ ansible_facts | phpops.webhost.verdicts }}"
"""

RETURN = r"""
_value:
  description: The text, without a newline at its end.
  type: str
"""

from typing import Any, Mapping

from ansible.errors import AnsibleFilterError
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.text import render_text


def verdict_text(verdicts: Any, host: str) -> str:
    """Return the verdicts as text."""
    if not isinstance(verdicts, (list, tuple)) or not all(isinstance(item, Mapping) for item in verdicts):
        raise AnsibleFilterError("verdict_text got no list of verdicts: give it what phpops.webhost.verdicts returned.")
    try:
        return render_text(host, verdicts)
    except KeyError as error:
        raise AnsibleFilterError(
            f"verdict_text: a verdict has no {error}: give it what phpops.webhost.verdicts returned."
        ) from error


class FilterModule:
    """The filter as Ansible finds it."""

    def filters(self) -> dict[str, Any]:
        return {"verdict_text": verdict_text}
