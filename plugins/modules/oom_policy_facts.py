#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: oom_policy_facts
short_description: Tell which web servers end as a whole when the OOM killer ends one of their processes
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Reads C(OOMPolicy=) of the web servers and PHP-FPM masters as systemd has it loaded, whether this host honours it,
    and what would end a whole unit all the same.
  - Any user may ask; the module needs no C(become).
attributes:
  check_mode:
    description: The module only reads.
    support: full
  diff_mode:
    description: The module only reads.
    support: none
  platform:
    description: The module runs on Linux. Without systemd RV(ansible_facts.phpops_oom_policy.reason) says so.
    support: full
    platforms: linux
  facts:
    description: The module returns facts.
    support: full
options:
  units:
    description: Names and shell patterns of services, as in M(phpops.webhost.unit_oom_policy).
    type: list
    elements: str
    default: [apache2, nginx, php*-fpm, phpops-fpm@]
seealso:
  - module: phpops.webhost.unit_oom_policy
"""

EXAMPLES = r"""
- name: See which web servers one killed process would end
  phpops.webhost.oom_policy_facts:
"""

RETURN = r"""
ansible_facts:
  description: The facts.
  returned: always
  type: dict
  contains:
    phpops_oom_policy:
      description: What systemd does with the web servers after an OOM kill.
      returned: always
      type: dict
      contains:
        available:
          description: Whether systemd could be asked.
          type: bool
          returned: always
        reason:
          description: Why it could not, or why C(OOMPolicy=) has no effect on this host. Null otherwise.
          type: str
          returned: always
        systemd_version:
          description: The version of systemd. Null where it can't be told.
          type: int
          returned: always
        cgroup:
          description: The control groups of the host, C(v2), C(hybrid) or C(v1). Null where nothing could be asked.
          type: str
          returned: always
        honoured:
          description: Whether C(OOMPolicy=) has an effect on this host.
          type: bool
          returned: always
        oomd_active:
          description: Whether systemd-oomd runs.
          type: bool
          returned: always
        units:
          description: The services that the host has.
          type: list
          elements: dict
          returned: always
          contains:
            unit:
              description: The service. A template is named itself while it has no instance.
              type: str
              returned: always
            active:
              description: Whether it runs.
              type: bool
              returned: always
            oom_policy:
              description: C(continue), C(stop) or C(kill). Null where systemd knows no such setting.
              type: str
              returned: always
            restart:
              description: Its C(Restart=).
              type: str
              returned: always
            result:
              description:
                - How its last run ended, in systemd's word, such as C(success) or C(oom-kill). A new start forgets it.
                - A template has none.
              type: str
              returned: always
            drop_ins:
              description: Its drop-ins, in the order in which systemd read them.
              type: list
              elements: str
              returned: always
            notes:
              description: Sentences on what would end the whole unit whatever its policy is.
              type: list
              elements: str
              returned: always
      sample:
        available: true
        reason: null
        systemd_version: 252
        cgroup: v2
        honoured: true
        oomd_active: false
        units:
          - unit: php8.2-fpm.service
            active: true
            oom_policy: stop
            restart: "no"
            result: success
            drop_ins: []
            notes: []
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_policy import DEFAULT_UNITS, BadUnit
from ansible_collections.phpops.webhost.plugins.module_utils._host.oom_policy import Paths, facts
from ansible_collections.phpops.webhost.plugins.module_utils._host.systemd import runner


def main() -> None:
    """Return the facts."""
    module = AnsibleModule(
        argument_spec={"units": {"type": "list", "elements": "str", "default": list(DEFAULT_UNITS)}},
        supports_check_mode=True,
    )
    try:
        found = facts(runner(module.run_command), module.params["units"], Paths())
    except BadUnit as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, ansible_facts={"phpops_oom_policy": found})


if __name__ == "__main__":
    main()
