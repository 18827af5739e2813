# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: migration_state
short_description: Join the results of a migration's steps
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Takes what M(phpops.webhost.migration_plan_info) returned, and what the steps after it returned so far.
  - Returns what the next step takes, which sites failed, and the report in sentences.
options:
  _input:
    description: The result of M(phpops.webhost.migration_plan_info).
    type: dict
    required: true
  sizes:
    description: The result of M(phpops.webhost.opcache_size_info).
    type: dict
  slots:
    description: The result of M(phpops.webhost.site_slot).
    type: dict
  handlers:
    description: The result of M(phpops.webhost.site_handlers).
    type: dict
  budget:
    description: The result of M(phpops.webhost.memory_budget_info).
    type: dict
  ended:
    description: The result of M(phpops.webhost.php_cgi_idle).
    type: dict
seealso:
  - module: phpops.webhost.migration_plan_info
  - module: phpops.webhost.opcache_size_info
  - module: phpops.webhost.memory_budget_info
  - module: phpops.webhost.php_cgi_idle
  - module: phpops.webhost.site_slot
  - module: phpops.webhost.site_handlers
"""

EXAMPLES = r"""
- name: Start the masters of the sites with their sizes
  phpops.webhost.site_slot:
    sites: "{{ (plan | phpops.webhost.migration_state(sizes=sizes)).specs }}"
  become: true
"""

RETURN = r"""
_value:
  description:
    - C(specs) are for M(phpops.webhost.site_slot), C(budget) and C(php_cgi_leaves) for
      M(phpops.webhost.memory_budget_info), C(ready) are the started sites for M(phpops.webhost.site_handlers).
    - C(php_cgi_to_end) is for M(phpops.webhost.php_cgi_idle), C(refusal) says why the masters don't fit.
    - C(unwanted) are the sites whose new slots nobody uses, since their pages differed.
    - C(failed) has a sentence for each site that stays as it was, C(report) all that there is to say.
  type: dict
"""

from ansible.errors import AnsibleFilterError
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.steps import state


def migration_state(plan, sizes=None, slots=None, handlers=None, budget=None, ended=None):
    """Return what follows from the results of the steps so far."""
    if not isinstance(plan, dict) or "handlers" not in plan:
        raise AnsibleFilterError("migration_state takes the result of migration_plan_info; register it first.")
    return state(plan, sizes, slots, handlers, budget, ended)


class FilterModule:
    """Ansible looks the filter up here."""

    def filters(self):
        """Return the filters by name."""
        return {"migration_state": migration_state}
