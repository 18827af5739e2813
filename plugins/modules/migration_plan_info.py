#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_plan_info
short_description: Plan the move of php-cgi sites to PHP-FPM
version_added: 0.1.0
description:
  - Takes the sites that M(phpops.webhost.php_sites_facts) found and tells how each runs in a PHP-FPM of its own.
  - It reads the ini files of php-cgi and of PHP-FPM, and the names of the files below the document roots.
  - User, php.ini, C(-d) options, environment, extensions, and limits of processes, requests and time are carried over.
  - What behaves differently afterwards is reported in sentences. What can't be moved is refused with the reason.
  - Where there can be no plan at all, RV(msg) says why, and the module does not fail. A task with C(no_log) would hide
    the reason of a failure.
  - Nothing on the host is changed. The task needs C(become) to read the settings of all users.
author:
  - the phpops.webhost authors (@phpops)
options:
  php_sites:
    description: The facts C(phpops_php_sites) of the host.
    type: dict
    required: true
  sites:
    description:
      - The sites to plan, by server name or short name.
      - An empty list plans all sites that php-cgi serves.
    type: list
    elements: str
    default: []
  overrides:
    description:
      - Values that win over what is carried, by server name or short name of the site.
      - The options are those of a site of M(phpops.webhost.site_slot), and V(extensions), V(request_body_bytes),
        V(read_timeout_seconds) and V(accept_unresolved).
      - V(environment), V(ini), V(opcache) and V(process_manager) are merged key by key, all others replaced.
    type: dict
    default: {}
  urls:
    description: The URLs of the sites. Those that name a PHP file become entry points of the site's slot.
    type: list
    elements: dict
    default: []
    suboptions:
      url:
        description: The URL, with its scheme and host.
        type: str
        required: true
      host:
        description: The host name to ask for, if it is not the URL's own.
        type: str
      ignore:
        description: Regular expressions for the parts of the body that don't count when it is compared.
        type: list
        elements: str
        default: []
extends_documentation_fragment:
  - phpops.webhost.attributes.reads
seealso:
  - module: phpops.webhost.php_sites_facts
  - module: phpops.webhost.site_slot
  - module: phpops.webhost.site_handlers
"""

EXAMPLES = r"""
- name: Find the PHP sites
  phpops.webhost.php_sites_facts:
  become: true

- name: Plan their move
  phpops.webhost.migration_plan_info:
    php_sites: "{{ ansible_facts.phpops_php_sites }}"
    overrides:
      shop.example.com:
        process_manager:
          max_children: 40
  become: true
  register: plan

- name: Show what is refused
  ansible.builtin.debug:
    var: plan.refused
"""

RETURN = r"""
msg:
  description: Why there is no plan, such as a host that is not supported. Empty when there is one.
  returned: success
  type: str
sites:
  description: The plan of each site.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The server name.
      type: str
    site:
      description: The short name, as the slot's files bear it.
      type: str
    refused:
      description: Why it can't be moved, null when it can.
      type: str
    spec:
      description: The site for M(phpops.webhost.site_slot), empty when it is refused.
      type: dict
    block:
      description: The lines for the site's virtual hosts, empty when it is refused.
      type: str
    names:
      description: The server name and its aliases.
      type: list
      elements: str
    vhosts:
      description: The virtual hosts that get the block.
      type: list
      elements: dict
    carried:
      description: What was taken over, as what, from, to and value. The values of environment variables are left out.
      type: list
      elements: dict
    reported:
      description: What is different afterwards, a sentence each.
      type: list
      elements: str
specs:
  description: The specs of the sites that can be moved.
  returned: success
  type: list
  elements: dict
handlers:
  description: The sites that can be moved, as M(phpops.webhost.site_handlers) takes them.
  returned: success
  type: list
  elements: dict
migrated:
  description: The short names of the sites that run by PHP-FPM already. They keep what is stored for them.
  returned: success
  type: list
  elements: str
packages:
  description: The Debian packages that the host still lacks.
  returned: success
  type: list
  elements: str
others:
  description: The server names of the sites that php-cgi serves and that were not asked for.
  returned: success
  type: list
  elements: str
to_size:
  description: The sites to be moved now, as M(phpops.webhost.opcache_size_info) takes them.
  returned: success
  type: list
  elements: dict
refused:
  description: A sentence for each site that can't be moved.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.pages import UrlError
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.plan import PlanError
from ansible_collections.phpops.webhost.plugins.module_utils._host.migration_sources import no_plan, plan
from ansible_collections.phpops.webhost.plugins.module_utils._host.support import refusal


def main() -> None:
    """Plan the move of the sites."""
    module = AnsibleModule(
        argument_spec={
            "php_sites": {"type": "dict", "required": True},
            "sites": {"type": "list", "elements": "str", "default": []},
            "overrides": {"type": "dict", "default": {}},
            "urls": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "url": {"type": "str", "required": True},
                    "host": {"type": "str"},
                    "ignore": {"type": "list", "elements": "str", "default": []},
                },
            },
        },
        supports_check_mode=True,
    )
    refused = refusal()
    if refused:
        module.exit_json(changed=False, **no_plan(refused))
    options = module.params
    try:
        answer = plan(options["php_sites"], options["sites"], options["overrides"], options["urls"])
    except (PlanError, UrlError) as error:
        answer = no_plan(str(error))
    module.exit_json(changed=False, **answer)


if __name__ == "__main__":
    main()
