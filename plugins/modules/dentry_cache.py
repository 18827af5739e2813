#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dentry_cache
short_description: Keep the kernel's cache of directory entries small
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Sets how the kernel treats directory entries (dentries), now and at each boot, and drops the unused ones once when
    they hold much memory.
  - The lasting cure for a host that makes and deletes temporary files without end is a tmpfs for them. On Linux 6.13
    and later O(negative=true) is one as well.
  - The values from before are kept in C(/etc/sysctl.d/60-phpops-dentry.conf). O(state=absent) brings them back.
  - Containers and OpenVZ nodes are refused, since the kernel's settings are their host's.
  - The task needs C(become). It changes Debian 12 and 13, and refuses other hosts.
attributes:
  check_mode:
    description: Tells what would be set and whether dentries would be dropped, and drops none.
    support: full
  diff_mode:
    description: Shows the file, the kernel's settings and what would be dropped.
    support: full
  platform:
    description: The module runs on Debian 12 and 13.
    support: full
    platforms: debian
options:
  vfs_cache_pressure:
    description:
      - Value of C(vm.vfs_cache_pressure). The kernel's own is 100. With more it frees dentries and inodes rather than
        the page cache once memory is short, and changes nothing before.
      - V(0) is refused, since the kernel then never frees them. Over 1000 the module warns.
      - Without it the value that was there comes back.
    type: int
  negative:
    description:
      - Value of C(fs.dentry-negative), which Linux has since 6.13. The own kernels of Debian 12 and 13 are older.
      - With V(true) the kernel drops the dentry of a deleted file with the file. Without that it keeps one that says
        that there is no such file.
      - Where the kernel hasn't got it, RV(notes) says so.
      - Without it the value that was there comes back.
    type: bool
  drop:
    description:
      - Whether to drop unused dentries and inodes once when they hold more than the threshold.
      - The host reads names from its disks again afterwards, and is slower for a moment.
    type: bool
    default: false
  drop_over_share:
    description:
      - Part of the memory, 0 to 1, that the unused dentries must hold for a drop.
      - With O(drop_over_bytes) too, both must be exceeded.
    type: float
  drop_over_bytes:
    description: Bytes that the unused dentries must hold for a drop.
    type: int
  state:
    description: Whether the settings are there. V(absent) removes the file and drops nothing.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: phpops.webhost.slab_facts
"""

EXAMPLES = r"""
- name: Keep no dentries of deleted files, and drop those that are there if they hold a tenth of the memory
  phpops.webhost.dentry_cache:
    negative: true
    vfs_cache_pressure: 200
    drop: true
    drop_over_share: 0.1
  become: true

- name: Take the settings back
  phpops.webhost.dentry_cache:
    state: absent
  become: true
"""

RETURN = r"""
settings:
  description: The kernel's settings.
  returned: success
  type: list
  elements: dict
  contains:
    key:
      description: The setting.
      type: str
      returned: always
    before:
      description: Its value before.
      type: str
      returned: always
    value:
      description: Its value afterwards, read back from the kernel.
      type: str
      returned: always
    wanted:
      description: The value that was asked for, or the one from before the module that came back.
      type: str
      returned: always
  sample:
    - key: vm.vfs_cache_pressure
      before: "100"
      value: "200"
      wanted: "200"
dropped:
  description: Whether dentries were dropped.
  returned: success
  type: bool
before:
  description: The dentry cache before. A number that could not be had is null.
  returned: success
  type: dict
  contains:
    dentries:
      description: All dentries, used and unused.
      type: int
      returned: always
    unused:
      description: Those that nobody holds.
      type: int
      returned: always
    negative:
      description: Those of names that don't exist.
      type: int
      returned: always
    bytes:
      description: Memory of the cache.
      type: int
      returned: always
    droppable_bytes:
      description: What a drop could free of it at most. The thresholds are compared with it.
      type: int
      returned: always
    reclaimable_bytes:
      description: All slab memory that the kernel can take back.
      type: int
      returned: always
after:
  description: The same afterwards, and the same numbers where nothing was dropped.
  returned: success
  type: dict
  contains:
    dentries:
      description: All dentries, used and unused.
      type: int
      returned: always
    unused:
      description: Those that nobody holds.
      type: int
      returned: always
    negative:
      description: Those of names that don't exist.
      type: int
      returned: always
    bytes:
      description: Memory of the cache.
      type: int
      returned: always
    droppable_bytes:
      description: What a drop could free of it at most.
      type: int
      returned: always
    reclaimable_bytes:
      description: All slab memory that the kernel can take back.
      type: int
      returned: always
freed_bytes:
  description: By how much the reclaimable slab memory fell, inodes and their buffers too.
  returned: success
  type: int
  sample: 29360128
freed_dentries:
  description: By how many the unused dentries became fewer.
  returned: success
  type: int
  sample: 149910
notes:
  description: What else there is to know, as sentences.
  returned: success
  type: list
  elements: str
summary:
  description: What was done about the cache, with the numbers, as sentences.
  returned: success
  type: str
  sample: "Unused dentries hold 1.2 MiB, 0 % of the memory: not more than 10 %."
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._core.dentry_plan import (
    MUCH_PRESSURE,
    Threshold,
    complaint,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.dentry_cache import Options, apply
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable
from ansible_collections.phpops.webhost.plugins.module_utils._host.own_kernel import shared_with
from ansible_collections.phpops.webhost.plugins.module_utils._host.support import refusal
from ansible_collections.phpops.webhost.plugins.module_utils._host.sysctl import SysctlError
from ansible_collections.phpops.webhost.plugins.module_utils._host.systemd import runner


def main() -> None:
    """Set what is wanted, drop what is too much."""
    module = AnsibleModule(
        argument_spec={
            "vfs_cache_pressure": {"type": "int"},
            "negative": {"type": "bool"},
            "drop": {"type": "bool", "default": False},
            "drop_over_share": {"type": "float"},
            "drop_over_bytes": {"type": "int"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    given = module.params
    pressure = given["vfs_cache_pressure"]
    threshold = Threshold(given["drop_over_share"], given["drop_over_bytes"])
    wrong = complaint(pressure, threshold, given["drop"])
    if wrong:
        module.fail_json(msg=wrong)
    refused = refusal()
    shared = shared_with(runner(module.run_command))
    if refused or shared:
        module.fail_json(msg=refused or f"This host is {shared}: the kernel's settings are its host's; set them there.")
    options = Options(given["state"], pressure, given["negative"], given["drop"], threshold)
    try:
        result = apply(options, module.check_mode)
    except (SysctlError, Unreadable) as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"The settings of this host could not be changed: {error}.")
    if given["state"] == "present" and (pressure or 0) > MUCH_PRESSURE:
        module.warn(result["notes"][0])
    module.exit_json(**result)


if __name__ == "__main__":
    main()
