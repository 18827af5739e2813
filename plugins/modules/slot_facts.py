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
  - Looks at the configuration of Apache and nginx for lines that would spoil the switch to another slot.
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
  php_files:
    description:
      - Look through the code of each site for PHP files that it writes while it runs, such as compiled templates.
      - No PHP is run. It ends after 20000 files or 5 seconds for each site, and after 30 seconds for all.
    type: bool
    default: false
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
            web_findings:
              description:
                - Lines of the enabled configuration of Apache and nginx that would spoil a switch of this site.
                - Such are kept connections to PHP-FPM, and links that the server would not follow or would remember.
              type: list
              elements: dict
              returned: always
              contains:
                file: {description: "The file.", returned: always, type: str}
                line: {description: "The line.", returned: always, type: int}
                why: {description: "What it does.", returned: always, type: str}
                cure: {description: "What to do about it.", returned: always, type: str}
            php_files:
              description:
                - PHP that the site writes. Null without O(php_files), where its account is not there, and where no time
                  was left.
              type: dict
              returned: always
              contains:
                files: {description: "PHP files of the site.", returned: always, type: int}
                complete: {description: "Whether all could be looked at in time.", returned: always, type: bool}
                written:
                  description: How many were written at run time by two signs, or by what a generator left in them.
                  returned: always
                  type: int
                perhaps: {description: "How many have one sign.", returned: always, type: int}
                examples: {description: "Some of them.", returned: always, type: list, elements: str}
                left_out:
                  description: The lines of OPcache's blacklist that holds now. What they cover is not counted.
                  returned: always
                  type: list
                  elements: str
                blacklist: {description: "Lines to add to it.", returned: always, type: list, elements: str}
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
            "php_files": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    layout = Layout(state=module.params["state_path"], config=module.params["config_path"])

    def run(words):
        return module.run_command(words, handle_exceptions=False)

    found = slot_facts(run, layout, module.params["php_files"])
    module.exit_json(changed=False, ansible_facts={"phpops_slot": found})


if __name__ == "__main__":
    main()
