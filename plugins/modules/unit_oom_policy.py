#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: unit_oom_policy
short_description: Let a web server outlive a process that the OOM killer ends
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - When the OOM killer ends one process of a unit, systemd stops all the others too, unless the unit has
    C(OOMPolicy=continue). One worker of PHP-FPM then ends all sites of its master.
  - Gives units a drop-in with C(OOMPolicy=continue), lets systemd read it, and reads back what it has. Nothing is
    restarted, since a policy counts for a running unit as soon as systemd has read it.
  - A unit that has the setting without this module is left alone, as Debian's C(apache2.service) is.
  - What systemd says to the units with the new drop-ins is checked before they are written. If a unit can't be loaded
    with them afterwards, they are taken back.
  - The policy is about the other processes of a unit. If its main process is killed, the unit ends all the same, and
    O(restart) says whether it comes back.
  - The task needs C(become). It changes Debian 12 and 13, and refuses other hosts.
attributes:
  check_mode:
    description: Shows the exact diff and lets systemd check the drop-ins in a folder of their own.
    support: full
  diff_mode:
    description: Shows each drop-in before and after.
    support: full
  platform:
    description: The module runs on Debian 12 and 13 with systemd.
    support: full
    platforms: debian
options:
  units:
    description:
      - Names and shell patterns of services, C(.service) may be left out. V(phpops-fpm@) means all its instances.
      - One that the host has no unit for is skipped, and RV(left_out) says so. It is an error if the host has none.
    type: list
    elements: str
    default: [apache2, nginx, php*-fpm, phpops-fpm@]
  restart:
    description:
      - When systemd starts the units again after they ended, its C(Restart=). Without it that is left as it is.
    type: str
    choices: ["no", on-success, on-failure, on-abnormal, on-watchdog, on-abort, always]
  state:
    description:
      - V(present) gives the units the setting.
      - V(absent) removes every drop-in that this module wrote, also those of units that O(units) doesn't name.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: phpops.webhost.oom_policy_facts
  - module: phpops.webhost.oom_facts
"""

EXAMPLES = r"""
- name: Let the web servers and PHP-FPM outlive a killed worker
  phpops.webhost.unit_oom_policy:
  become: true

- name: The same for Apache and a service of one's own, which come back if their main process is killed
  phpops.webhost.unit_oom_policy:
    units: [apache2, image-converter]
    restart: on-failure
  become: true

- name: Go back to what the packages say
  phpops.webhost.unit_oom_policy:
    state: absent
  become: true
"""

RETURN = r"""
units:
  description: The units that were meant, as systemd has them now.
  returned: always
  type: list
  elements: dict
  contains:
    unit:
      description: The unit. A template is named itself while it has no instance.
      type: str
      returned: always
    active:
      description: Whether it runs.
      type: bool
      returned: always
    drop_in:
      description: The drop-in of this module, null where the unit needs none. Instances of a template share one.
      type: str
      returned: always
    changed:
      description: Whether that drop-in was written or removed, in check mode whether it would be.
      type: bool
      returned: always
    before:
      description: What systemd had at the beginning, C(oom_policy) and C(restart).
      type: dict
      returned: always
    oom_policy:
      description: What systemd has now, C(continue), C(stop) or C(kill). Null where it knows no such setting.
      type: str
      returned: always
    restart:
      description: The unit's C(Restart=) as systemd has it now.
      type: str
      returned: always
    in_force:
      description:
        - Whether systemd now has the settings that were asked for.
        - With O(state=absent), whether it still reads the drop-in.
      type: bool
      returned: always
    notes:
      description:
        - Sentences on what would end the whole unit all the same, such as systemd-oomd or C(memory.oom.group).
        - Or on why the policy has no effect on it.
      type: list
      elements: str
      returned: always
  sample:
    - unit: php8.2-fpm.service
      active: true
      drop_in: /etc/systemd/system/php8.2-fpm.service.d/50-phpops-oom.conf
      changed: true
      before: {oom_policy: stop, restart: "no"}
      oom_policy: continue
      restart: "no"
      in_force: true
      notes: []
left_out:
  description: The names of O(units) that the host has no unit for, and masked units, each with C(name) and C(reason).
  returned: always
  type: list
  elements: dict
  sample: [{"name": nginx, "reason": This host has no such unit.}]
honoured:
  description: Whether the policy has an effect on this host.
  returned: always
  type: bool
reason:
  description: Why it has none, such as cgroup v1, as one sentence. Null where it has.
  returned: always
  type: str
summary:
  description: One line for each unit.
  returned: always
  type: list
  elements: str
  sample: ["php8.2-fpm.service: OOMPolicy=continue is in force, before it was stop."]
msg:
  description: Which file of somebody else wins over the drop-in, or why nothing was changed. Empty if all went well.
  returned: always
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_policy import DEFAULT_UNITS, VALUES, BadUnit
from ansible_collections.phpops.webhost.plugins.module_utils._host.oom_policy import Paths
from ansible_collections.phpops.webhost.plugins.module_utils._host.oom_policy_apply import PolicyFailed, bring
from ansible_collections.phpops.webhost.plugins.module_utils._host.support import refusal
from ansible_collections.phpops.webhost.plugins.module_utils._host.systemd import SystemctlError, runner


def main() -> None:
    """Bring the units to their policy."""
    module = AnsibleModule(
        argument_spec={
            "units": {"type": "list", "elements": "str", "default": list(DEFAULT_UNITS)},
            "restart": {"type": "str", "choices": list(VALUES["Restart"])},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    options = module.params
    result = {"units": [], "left_out": [], "honoured": False, "reason": None, "summary": []}
    refused = refusal()
    if refused:
        module.fail_json(msg=refused, **result)
    run = runner(module.run_command)
    try:
        result = bring(run, options["units"], options["state"], options["restart"], module.check_mode, Paths())
    except (PolicyFailed, SystemctlError, BadUnit) as error:
        module.fail_json(msg=str(error), **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
