# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: tune_plan
short_description: Choose the roles of the playbook tune for a host
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Chooses by what the user asked for, and else by the verdicts. A role is chosen by a verdict whose cure names it as a
    tag, unless the verdict's severity is V(info).
  - On a container the roles that set what is the kernel's are left out.
options:
  _input:
    description: A dictionary such as C(ansible_facts), with C(phpops_slab) and, by a diagnosis, the other facts.
    type: dict
    required: true
  roles:
    description:
      - V(auto) for what the verdicts name, V(all), or the names of roles as a list or text with commas.
    type: raw
    default: auto
  verdicts:
    description: What P(phpops.webhost.verdicts#filter) returned, where the host was diagnosed.
    type: list
    elements: dict
    default: []
  run_tags:
    description: Ansible's C(ansible_run_tags). A role that is named there is chosen whatever the verdicts say.
    type: list
    elements: str
    default: []
  skip_tags:
    description: Ansible's C(ansible_skip_tags).
    type: list
    elements: str
    default: []
  given:
    description: The user's own values of the roles' variables, by name.
    type: dict
    default: {}
seealso:
  - plugin: phpops.webhost.verdicts
    plugin_type: filter
  - plugin: phpops.webhost.tune_summary
    plugin_type: filter
"""

EXAMPLES = r"""
- name: See which roles a host would get
  ansible.builtin.debug:
    msg: "{{ ansible_facts | phpops.webhost.tune_plan(verdicts=diagnose_verdicts) }}"
"""

RETURN = r"""
_value:
  description: What is to be done.
  type: dict
  contains:
    roles:
      description: The roles, in the order in which they are applied.
      type: list
      elements: str
    why:
      description: The reason for each of them.
      type: dict
    skipped:
      description: The other roles, each with its reason.
      type: dict
    variables:
      description: Values for variables of the roles that the user gave, or that were derived from the facts.
      type: dict
    notes:
      description: What to say of a variable that was derived, or that nobody can derive, by role.
      type: dict
    found:
      description: How many roles the verdicts name.
      type: int
    diagnosed:
      description: Whether the choice needs a diagnosis.
      type: bool
"""

from typing import Any, Mapping

from ansible.errors import AnsibleFilterError
from ansible_collections.phpops.webhost.plugins.module_utils._core.tune_plan import BadChoice, asked, plan


def tune_plan(
    facts: Any,
    roles: Any = "auto",
    verdicts: Any = None,
    run_tags: Any = (),
    skip_tags: Any = (),
    given: Any = None,
) -> dict[str, Any]:
    """Return which roles a host gets."""
    if not isinstance(facts, Mapping):
        raise AnsibleFilterError(f"tune_plan got a {type(facts).__name__}: give it a dictionary such as ansible_facts.")
    try:
        return plan(facts, verdicts or [], asked(roles, run_tags, skip_tags), given)
    except BadChoice as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter as Ansible finds it."""

    def filters(self) -> dict[str, Any]:
        return {"tune_plan": tune_plan}
