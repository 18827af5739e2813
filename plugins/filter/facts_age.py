# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: facts_age
short_description: Tell how old the facts of a host are
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Says whether C(ansible_facts) has facts of this collection, and when the role C(diagnose) gathered them.
  - It is for facts that Ansible's fact cache kept.
options:
  _input:
    description: The facts of a host, C(ansible_facts).
    type: dict
    required: true
seealso:
  - plugin: phpops.webhost.verdicts
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show how old the facts are
  ansible.builtin.debug:
    msg: "{{ (ansible_facts | phpops.webhost.facts_age).text }}"
"""

RETURN = r"""
_value:
  description: What is known of their age.
  type: dict
  contains:
    found:
      description: Whether there are any.
      type: bool
    time:
      description: When they were gathered, in UTC. Null where that is not known.
      type: str
    text:
      description: The same as a sentence, with what to do where there are none.
      type: str
"""

from datetime import datetime, timezone
from typing import Any, Mapping

from ansible.errors import AnsibleFilterError
from ansible_collections.phpops.webhost.plugins.module_utils._core.facts_age import facts_age as age_of


def facts_age(facts: Any) -> dict[str, Any]:
    """Return how old the facts are."""
    if not isinstance(facts, Mapping):
        raise AnsibleFilterError(f"facts_age got a {type(facts).__name__}: give it ansible_facts.")
    return age_of(facts, datetime.now(timezone.utc))


class FilterModule:
    """The filter as Ansible finds it."""

    def filters(self) -> dict[str, Any]:
        return {"facts_age": facts_age}
