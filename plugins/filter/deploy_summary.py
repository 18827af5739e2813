# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: deploy_summary
short_description: Tell what a deploy did, in lines of text
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Release, slot, primed scripts, cache use, latency of the first request cold and primed, drain time, warnings.
options:
  _input:
    description:
      - C(site), C(action), C(check_mode), C(warnings), C(front_controller), C(hooks), which are the names of the hooks,
        C(served), which says whether a web server names the site, and C(installs), the version of PHP that a run
        installs where it is missing.
      - C(lease), C(release), C(prepare), C(prime), C(switch), C(drain) and C(pruned) are the results of
        M(phpops.webhost.site_lease), M(phpops.webhost.site_release), M(phpops.webhost.slot_prepare),
        M(phpops.webhost.opcache_prime), M(phpops.webhost.slot_switch), M(phpops.webhost.slot_drain), and of
        M(phpops.webhost.site_release) with O(phpops.webhost.site_release#module:state=pruned).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what was done
  ansible.builtin.debug:
    msg: "{{ {'site': 'wiki', 'prepare': prepared, 'switch': switched} | phpops.webhost.deploy_summary }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

from typing import Any, Mapping

from ansible.errors import AnsibleFilterError
from ansible_collections.phpops.webhost.plugins.module_utils._core.deploy_summary import lines


def deploy_summary(run: Any) -> list[str]:
    """Return what a deploy did."""
    if not isinstance(run, Mapping):
        raise AnsibleFilterError("deploy_summary takes a dictionary of the steps' results; register them first.")
    return lines(run)


class FilterModule:
    """Ansible looks the filter up here."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"deploy_summary": deploy_summary}
