#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: swap_file
short_description: Give a host at least so much swap, in files
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Counts the swap that a host has, partitions too, and adds one swap file for what is missing.
  - Nothing is ever swapped off to grow. A swap file in use can't grow, so a further file is added beside it.
  - A file is built under another name, made durable, renamed, switched on, and then written to C(/etc/fstab).
    What a killed run left is finished or removed by the next one.
  - C(findmnt --verify) checks the new C(/etc/fstab) before it replaces the old one.
  - With O(state=absent) only files of this module are switched off, and only if what is in them fits into the
    available memory.
  - Compressed swap in memory (zram) is not counted.
  - A container and an OpenVZ node are refused, since their swap is their host's.
  - The task needs C(become). It changes Debian 12 and 13, and refuses other hosts.
attributes:
  check_mode:
    description: Tells what would be done and shows the diff.
    support: full
  diff_mode:
    description: Shows the swap files, C(/etc/fstab) and the kernel setting before and after.
    support: full
  platform:
    description: The module runs on Debian 12 and 13.
    support: full
    platforms: debian
options:
  size_bytes:
    description:
      - How much swap the host shall have at least, in bytes. What is more is left alone.
      - O(state=present) needs it.
    type: int
  directory:
    description:
      - Where the files C(phpops-1.swap), C(phpops-2.swap) and so on are. It must be on ext4 or xfs.
    type: path
    default: /var/lib/phpops-swap
  priority:
    description:
      - The priority of the first file, 0 to 32767. Each further file gets one less, so that it is used after it.
      - Without it the kernel chooses, and the files come after the swap that the host had.
      - The priority of a file in use is changed where all that is in it fits into memory, else at the next boot.
    type: int
  swappiness:
    description:
      - Value of C(vm.swappiness), 0 to 200, now and at each boot. Without it the value that was there comes back.
    type: int
  reserve_bytes:
    description: How much of the file system must stay free.
    type: int
    default: 1073741824
  state:
    description: Whether the swap is there. V(absent) takes the module's files, their lines and its setting away.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: phpops.webhost.oom_facts
"""

EXAMPLES = r"""
- name: Have at least 4 GiB of swap
  phpops.webhost.swap_file:
    size_bytes: 4294967296
    swappiness: 10
  become: true

- name: Take it away again
  phpops.webhost.swap_file:
    state: absent
  become: true
"""

RETURN = r"""
swaps:
  description: The active swap areas, as the kernel lists them afterwards.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The file or device.
      type: str
      returned: always
    type:
      description: What it is, C(file) or C(partition).
      type: str
      returned: always
    size_bytes:
      description: Its size without the header.
      type: int
      returned: always
    used_bytes:
      description: What is in it.
      type: int
      returned: always
    priority:
      description: Its priority. One that the kernel chose is negative.
      type: int
      returned: always
    managed:
      description: Whether it is a file of this module.
      type: bool
      returned: always
  sample:
    - path: /var/lib/phpops-swap/phpops-1.swap
      type: file
      size_bytes: 1073741824
      used_bytes: 0
      priority: -2
      managed: true
total_bytes:
  description: Their size together, without compressed memory.
  returned: success
  type: int
  sample: 1073741824
used_bytes:
  description: What is in them.
  returned: success
  type: int
  sample: 0
built:
  description: The file that was added, or would be in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The file.
      type: str
      returned: always
    size_bytes:
      description: Its size with the header.
      type: int
      returned: always
switched_on:
  description: Files that were switched on, new ones and those that were found off.
  returned: success
  type: list
  elements: str
switched_off:
  description: Files that were switched off for good.
  returned: success
  type: list
  elements: str
priority_changed:
  description: Files that were switched off and on again for another priority.
  returned: success
  type: list
  elements: str
removed:
  description: Files that were removed, also what a killed run had left.
  returned: success
  type: list
  elements: str
memory_available_bytes:
  description: The memory that was available before.
  returned: success
  type: int
settings:
  description: The kernel setting.
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
    - key: vm.swappiness
      before: "60"
      value: "10"
      wanted: "10"
notes:
  description: What else there is to know, as sentences.
  returned: success
  type: list
  elements: str
summary:
  description: What was done and what is there now, in one sentence.
  returned: success
  type: str
  sample: 1 GiB of swap in 1 area, 0 B in use; nothing to do.
"""

import re

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._core.swap_plan import SwapRefused
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable
from ansible_collections.phpops.webhost.plugins.module_utils._host.fstab import FstabError
from ansible_collections.phpops.webhost.plugins.module_utils._host.own_kernel import shared_with
from ansible_collections.phpops.webhost.plugins.module_utils._host.support import refusal
from ansible_collections.phpops.webhost.plugins.module_utils._host.swap_file import Options, SwapFailed, SwapHost
from ansible_collections.phpops.webhost.plugins.module_utils._host.sysctl import Sysctl, SysctlError
from ansible_collections.phpops.webhost.plugins.module_utils._host.systemd import SystemctlError, runner


def complaint(options: dict) -> str:
    """Return what is wrong with the options, or an empty string."""
    size, priority, swappiness = options["size_bytes"], options["priority"], options["swappiness"]
    if options["state"] == "present" and not 1 << 20 <= (size or 0) < 1 << 50:
        return f"size_bytes is {size}: give the bytes of swap that the host shall have, at least 1048576."
    if not re.match(r"^(/[A-Za-z0-9._-]+)+$", options["directory"]):
        return f"directory is {options['directory']}: give an absolute path of letters, digits, dots and dashes."
    if priority is not None and not 0 <= priority <= 32767:
        return f"priority is {priority}: give 0 to 32767."
    if swappiness is not None and not 0 <= swappiness <= 200:
        return f"swappiness is {swappiness}: give 0 to 200."
    return "" if options["reserve_bytes"] >= 0 else "reserve_bytes is negative: give the bytes that must stay free."


def main() -> None:
    """Give the host its swap, or take it away."""
    module = AnsibleModule(
        argument_spec={
            "size_bytes": {"type": "int"},
            "directory": {"type": "path", "default": "/var/lib/phpops-swap"},
            "priority": {"type": "int"},
            "swappiness": {"type": "int"},
            "reserve_bytes": {"type": "int", "default": 1 << 30},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        required_if=[("state", "present", ["size_bytes"])],
        supports_check_mode=True,
    )
    options = module.params
    wrong = complaint(options)
    if wrong:
        module.fail_json(msg=wrong)
    module.run_command_environ_update = {"LC_ALL": "C"}
    run = runner(module.run_command)
    refused = refusal()
    shared = shared_with(run)
    if refused or shared:
        module.fail_json(msg=refused or f"This host is {shared}: its swap is its host's; add swap there.")
    names = ("state", "directory", "size_bytes", "priority", "reserve_bytes")
    wanted = {"vm.swappiness": str(options["swappiness"])} if options["swappiness"] is not None else {}
    try:
        result = SwapHost(run).apply(Options(**{name: options[name] for name in names}), module.check_mode)
        set_now = Sysctl().apply("swap", "swap", wanted if options["state"] == "present" else {}, module.check_mode)
    except (SwapRefused, SwapFailed, FstabError, SysctlError, SystemctlError, Unreadable) as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"The swap of this host could not be changed: {error}.")
    result["changed"] = result["changed"] or set_now.changed
    result["diff"] += set_now.diff
    result["notes"] += set_now.notes
    module.exit_json(settings=set_now.settings, **result)


if __name__ == "__main__":
    main()
