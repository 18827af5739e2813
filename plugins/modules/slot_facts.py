#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: slot_facts
short_description: Says which slots of which PHP sites a host has
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Reads the sites that M(phpops.webhost.site_slot) manages, their slots, and the OPcache segments that their masters
    really have.
  - Without C(become) the stored specs and the segments can't be read; they are then null, with a reason.
  - The values of environment variables and of request headers are never told, only their names.
extends_documentation_fragment:
  - phpops.webhost.attributes.reads
  - phpops.webhost.attributes.facts
attributes:
  platform:
    description: The module runs on every Linux with systemd.
    support: full
    platforms: linux
options:
  state_path:
    description: The folder of the sites' pointers.
    type: path
    default: /var/lib/phpops
  config_path:
    description: The folder of the sites' configuration.
    type: path
    default: /etc/phpops
seealso:
  - module: phpops.webhost.site_slot
"""

EXAMPLES = r"""
- name: Read the slots
  phpops.webhost.slot_facts:
  become: true
"""

RETURN = r"""
ansible_facts:
  description: The facts.
  returned: always
  type: dict
  contains:
    phpops_slot:
      description: The sites with slots.
      returned: always
      type: dict
      contains:
        available:
          description: Whether the host has sites with slots, and they can be read.
          type: bool
          returned: always
        reason:
          description: Why not, else null.
          type: str
          returned: always
        sites:
          description: The sites, by name.
          type: list
          elements: dict
          returned: always
          contains:
            name:
              description: The site's name.
              type: str
              returned: always
            spec:
              description: The options that the live slot was made from, as M(phpops.webhost.site_slot) takes them.
              type: dict
              returned: always
            release:
              description: The live release with its id, path and history, null for a site without releases.
              type: dict
              returned: always
              sample:
                id: 3f2a9c81d0b7
                path: /srv/www/wiki/releases/3f2a9c81d0b7
                history: [90be4f7c2a11]
            lease:
              description: Who deploys the site now, as M(phpops.webhost.site_lease) has it, else null.
              type: dict
              returned: always
            live_slot:
              description: The slot that takes the traffic.
              type: str
              returned: always
              sample: blue
            reason:
              description: What could not be read and why, else null.
              type: str
              returned: always
            slots:
              description:
                - Both slots, by name.
                - C(warm) is a slot that stays up for a while after it was live.
              type: dict
              returned: always
              sample:
                blue:
                  unit: phpops-fpm@wiki-blue.service
                  active: true
                  master_pid: 844
                  socket: /run/phpops/web/wiki-blue.sock
                  segment_bytes: 67108864
                  document_root: /srv/www/wiki/releases/3f2a9c81d0b7/public
                  release: /srv/www/wiki/releases/3f2a9c81d0b7
                  warm: false
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_facts import slot_facts


def main():
    module = AnsibleModule(
        argument_spec={
            "state_path": {"type": "path", "default": "/var/lib/phpops"},
            "config_path": {"type": "path", "default": "/etc/phpops"},
        },
        supports_check_mode=True,
    )
    layout = Layout(state=module.params["state_path"], config=module.params["config_path"])

    def run(words):
        return module.run_command(words, handle_exceptions=False)

    module.exit_json(changed=False, ansible_facts={"phpops_slot": slot_facts(run, layout)})


if __name__ == "__main__":
    main()
