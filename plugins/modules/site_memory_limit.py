#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: site_memory_limit
short_description: Limits the memory of PHP sites by their systemd units
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Gives the sites of a host C(MemoryHigh) and C(MemoryMax), each by a slot flip that loses no request.
  - A site over its C(MemoryMax) loses the worker that the kernel picks, and no other site is touched. Apache's
    C(RLimitMEM) does not reach php-cgi under mod_fcgid, nor PHP-FPM.
  - The limits become options of the site, as M(phpops.webhost.site_slot) has them. Set them here or there, not in both.
  - What a site had before is kept in C(/var/lib/phpops/memory-limits.json), for O(state=absent).
  - The module needs C(become). It changes Debian 12 and 13, and refuses other hosts.
attributes:
  check_mode:
    description: The module says which sites would flip, and changes nothing.
    support: full
  diff_mode:
    description: The module shows each file of the live slot against the file that replaces it.
    support: full
  platform:
    description: The module runs on Debian 12 and 13 with systemd.
    support: full
    platforms: debian
options:
  state:
    description:
      - V(present) brings the sites to their limits. A limit that is not given stays as it is.
      - V(absent) gives each site that still has the limits of this module those that it had before.
    type: str
    choices: [present, absent]
    default: present
  memory_high_bytes:
    description:
      - Bytes above which a site's memory is reclaimed and its processes are slowed down. V(0) takes the limit away.
      - All that the slot's master and workers use counts, OPcache's segment included.
    type: int
  memory_max_bytes:
    description: The most bytes that a site may use. V(0) takes the limit away.
    type: int
  sites:
    description:
      - Sites with limits of their own, which come before those for all sites.
      - A name that no site of the host has is reported as RV(unknown).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The site's name.
        type: str
        required: true
      memory_high_bytes:
        description: As O(memory_high_bytes).
        type: int
      memory_max_bytes:
        description: As O(memory_max_bytes).
        type: int
  drain_timeout_seconds:
    description: Seconds to wait until the old slot has nothing left to do.
    type: float
    default: 120
  on_error:
    description: Whether a site that fails ends the run, or the others are done all the same. The task fails with both.
    type: str
    choices: [stop, continue]
    default: stop
seealso:
  - module: phpops.webhost.site_slot
  - module: phpops.webhost.worker_recycle
"""

EXAMPLES = r"""
- name: Let no site use more than 1 GiB, the shop 2 GiB
  phpops.webhost.site_memory_limit:
    memory_max_bytes: 1073741824
    sites:
      - name: shop
        memory_max_bytes: 2147483648
  become: true
"""

RETURN = r"""
sites:
  description: The sites of the host, and the limits of their live slots as they were read back.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The site's name.
      type: str
      returned: always
      sample: wiki
    unit:
      description: The unit of its live slot.
      type: str
      returned: always
      sample: phpops-fpm@wiki-blue.service
    memory_high_bytes:
      description: C(MemoryHigh) as systemd has it, null for no limit.
      type: int
      returned: always
    memory_max_bytes:
      description: C(MemoryMax) as systemd has it, null for no limit.
      type: int
      returned: always
      sample: 1073741824
    used_bytes:
      description: What the unit uses now, null where the kernel doesn't count it.
      type: int
      returned: always
    in_force:
      description: Whether the kernel has the same limits.
      type: bool
      returned: always
    reason:
      description: Why it has not, and what to do. Empty when it has.
      type: str
      returned: always
    flipped:
      description: Whether the site got a new master for it.
      type: bool
      returned: always
unknown:
  description: Names in O(sites) that no site of the host has.
  returned: success
  type: list
  elements: str
summary:
  description: A sentence for each site with a limit, and for each name in RV(unknown).
  returned: success
  type: list
  elements: str
  sample: ["wiki: MemoryMax 1024 MiB, in force, it uses 61 MiB."]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.memory_limit import LimitError
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host.memory_limit import bring
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot import Settings
from ansible_collections.phpops.webhost.plugins.module_utils._host.support import refusal
from ansible_collections.phpops.webhost.plugins.module_utils._host.systemd import runner


def main():
    limits = {"memory_high_bytes": {"type": "int"}, "memory_max_bytes": {"type": "int"}}
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "sites": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {"name": {"type": "str", "required": True}, **limits},
            },
            "drain_timeout_seconds": {"type": "float", "default": 120.0},
            "on_error": {"type": "str", "choices": ["stop", "continue"], "default": "stop"},
            **limits,
        },
        supports_check_mode=True,
    )
    options = module.params
    refused = refusal()
    if refused:
        module.fail_json(msg=refused)
    settings = Settings(drain_timeout_seconds=options["drain_timeout_seconds"], check_mode=module.check_mode)
    everywhere = {key: options[key] for key in limits}
    stop = options["on_error"] == "stop"
    run = runner(module.run_command)
    try:
        result = bring(run, options["state"], everywhere, options["sites"], settings, stop, Layout())
    except (StepFailed, LimitError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
