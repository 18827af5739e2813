#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: distribution_master
short_description: Stops PHP-FPM masters of the distribution that no web server uses
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Debian's packages start a PHP-FPM master with the pool www, which reserves an OPcache segment of its own.
  - The module stops and disables it when no enabled configuration of Apache or nginx names one of its sockets.
  - What it stops is kept in C(/var/lib/phpops/distribution-masters.json), so that O(state=restored) can bring it back.
  - The module needs C(become). It changes Debian 12 and 13, and refuses other hosts.
attributes:
  check_mode:
    description: The module says which units it would stop, and stops none.
    support: full
  diff_mode:
    description: The module has no files to show.
    support: none
  platform:
    description: The module runs on Debian 12 and 13 with systemd.
    support: full
    platforms: debian
options:
  state:
    description:
      - V(stopped_if_unused) stops what is not used, V(reported) only says what is there.
      - V(restored) starts and enables again what the module stopped, as it was, once no site has a slot of this
        collection any more. What somebody else stopped stays so.
    type: str
    choices: [stopped_if_unused, restored, reported]
    default: stopped_if_unused
"""

EXAMPLES = r"""
- name: Free the segment of the pool that nothing uses
  phpops.webhost.distribution_master:
  become: true
"""

RETURN = r"""
masters:
  description: The distribution's masters as they were found.
  returned: always
  type: list
  elements: dict
  contains:
    version:
      description: The PHP version.
      type: str
      returned: always
      sample: "8.2"
    unit:
      description: The unit.
      type: str
      returned: always
      sample: php8.2-fpm.service
    active:
      description: Whether the master ran.
      type: bool
      returned: always
    enabled:
      description: Whether it was started at boot.
      type: bool
      returned: always
    sockets:
      description: The addresses its pools listen on.
      type: list
      elements: str
      returned: always
      sample: ["/run/php/php8.2-fpm.sock"]
    used_by:
      description: File and line of each place in the web servers' configuration that names one of them.
      type: list
      elements: str
      returned: always
stopped:
  description: The units that were stopped and disabled, or would be in check mode.
  returned: always
  type: list
  elements: str
  sample: ["php8.2-fpm.service"]
restored:
  description: The units that were brought back, or would be in check mode.
  returned: always
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host.distribution_master import (
    masters,
    start_again,
    stop_unused,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_store import sites
from ansible_collections.phpops.webhost.plugins.module_utils._host.support import refusal
from ansible_collections.phpops.webhost.plugins.module_utils._host.systemd import SystemctlError


def main():
    module = AnsibleModule(
        argument_spec={
            "state": {
                "type": "str",
                "choices": ["stopped_if_unused", "restored", "reported"],
                "default": "stopped_if_unused",
            },
        },
        supports_check_mode=True,
    )
    refused = refusal()
    if refused:
        module.fail_json(msg=refused)
    found, stopped, restored = [], [], []
    try:
        found = masters(module.run_command)
        if module.params["state"] == "stopped_if_unused":
            stopped = stop_unused(module.run_command, found, module.check_mode)
        elif module.params["state"] == "restored" and not sites(Layout()):
            restored = start_again(module.run_command, module.check_mode)
    except SystemctlError as error:
        module.fail_json(msg=str(error), masters=found, stopped=stopped, restored=restored)
    module.exit_json(changed=bool(stopped or restored), masters=found, stopped=stopped, restored=restored)


if __name__ == "__main__":
    main()
