#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Facts about the shared memory of a host, by process group."""

from __future__ import annotations

DOCUMENTATION = r"""
module: shm_facts
short_description: Shows who holds the shared memory of a PHP host, and which limits apply
description:
  - Attributes shared memory to the processes that map it, every segment counted once, and groups the processes into
    php-cgi, each php-fpm master with its children, mod_php, Apache, nginx and others.
  - Tells what is reserved from what was touched. Reserved is the size of the mappings in C(/proc/PID/maps). Touched is
    the kernel's own count of the pages of each segment, from C(/proc/PID/map_files), else C(/proc/sysvipc/shm), else
    C(/proc/PID/smaps); RV(ansible_facts.phpops_shm.segments[].resident_source) says which.
  - Needs C(become) to read the maps of other users' processes. Without it the groups that could not be read say so,
    and their numbers are null.
  - In a container, root needs C(CAP_SYS_PTRACE) for the same, and C(CAP_SYS_ADMIN) for C(map_files).
version_added: 0.1.0
author:
  - The phpops.webhost authors (@phpops)
options:
  proc_path:
    description: The proc file system to read. Another folder is taken for a copy of another host's.
    type: path
    default: /proc
  shm_path:
    description: The folder that holds POSIX shared memory.
    type: path
    default: /dev/shm
  top:
    description: How many of the largest segments and files to list. The sums count them all.
    type: int
    default: 20
attributes:
  check_mode:
    description: Can run in check mode and report what it would in a real run.
    support: full
  diff_mode:
    description: Reports what would change.
    support: none
    details: It changes nothing.
seealso:
  - module: phpops.webhost.memory_budget_info
"""

EXAMPLES = r"""
- name: Gather facts about shared memory
  phpops.webhost.shm_facts:
  become: true

- name: Show how much the php-cgi processes reserve
  ansible.builtin.debug:
    msg: "{{ item.processes }} processes, {{ item.opcache_segments }} segments, {{ item.opcache_bytes }} bytes"
  loop: "{{ ansible_facts.phpops_shm.groups | selectattr('kind', 'equalto', 'php-cgi') }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
ansible_facts:
  description: The facts.
  returned: always
  type: dict
  contains:
    phpops_shm:
      description: Shared memory of the host. All sizes are bytes.
      returned: always
      type: dict
      contains:
        available:
          description: Whether processes or memory could be read at all. The keys below exist only if so.
          returned: always
          type: bool
        reason:
          description: What could not be read, and the cure. Null when everything could.
          returned: always
          type: str
        processes:
          description: How many processes were seen, are kernel threads or zombies, ended meanwhile (C(vanished)),
            could not be read, and whether C(/proc) hides some (C(hidden)).
          returned: when available
          type: dict
          sample: {"seen": 31, "kernel_threads": 0, "vanished": 0, "unreadable": 0, "hidden": false}
        groups:
          description: The process groups.
          returned: when available
          type: list
          elements: dict
          contains:
            name:
              description: The group, a php-fpm master by its unit, else by its configuration file or PID.
              returned: always
              type: str
            kind:
              description: One of php-cgi, php-fpm, mod_php, apache, php-cli, nginx and other.
              returned: always
              type: str
            master_pid:
              description: PID of a php-fpm master, else null.
              returned: always
              type: int
            unit:
              description: The systemd unit of a php-fpm master, else null.
              returned: always
              type: str
            config:
              description: The configuration file of a php-fpm master, else null.
              returned: always
              type: str
            pools:
              description: Names of the php-fpm pools that have workers.
              returned: always
              type: list
              elements: str
            pids:
              description: The PIDs, at most 100.
              returned: always
              type: list
              elements: int
            processes:
              description: How many processes.
              returned: always
              type: int
            readable:
              description: Whether the maps of all of them could be read. If not, the sums are null.
              returned: always
              type: bool
            unreadable_processes:
              description: How many could not be read.
              returned: always
              type: int
            reason:
              description: Why not, and the cure.
              returned: always
              type: str
            segments:
              description: Segments that the group maps, each counted once.
              returned: always
              type: int
            segments_bytes:
              description: What they reserve.
              returned: always
              type: int
            opcache_segments:
              description: How many of them are OPcache's.
              returned: always
              type: int
            opcache_bytes:
              description: What OPcache's reserve, the JIT buffer included.
              returned: always
              type: int
            resident_bytes:
              description: What of the segments was touched.
              returned: always
              type: int
            pss_bytes:
              description: Proportional set size, null for group other and where C(smaps_rollup) can't be read.
              returned: always
              type: int
            anon_bytes:
              description: Private anonymous memory, the sum of RssAnon. Pages that a fork shares count in each process.
              returned: always
              type: int
            swap_bytes:
              description: The sum of VmSwap.
              returned: always
              type: int
        segments:
          description: The largest segments with C(kind), C(backing), C(path), C(device), C(inode), C(bytes),
            C(resident_bytes), C(resident_source), C(processes) and C(groups).
          returned: when available
          type: list
          elements: dict
        totals:
          description: The sums of all groups, each segment counted once.
          returned: when available
          type: dict
        sysv:
          description: The SysV segments, with C(available), C(reason), C(count), C(bytes), C(resident_bytes),
            C(swap_bytes) and the largest C(segments).
          returned: when available
          type: dict
        posix:
          description: The files in O(shm_path), with C(available), C(reason), C(path), C(count), C(bytes),
            C(resident_bytes) and the largest C(files).
          returned: when available
          type: dict
        tmpfs:
          description: Every tmpfs with C(path), C(size_bytes), C(used_bytes), C(used_ratio), C(options) and C(reason).
          returned: when available
          type: list
          elements: dict
        memory:
          description: Values of meminfo and the overcommit mode.
          returned: when available
          type: dict
        limits:
          description: Each limit that applies, with C(name), C(kind) (reserved or touched), C(scope) (host, session,
            unit or mount), C(path), C(limit_bytes) (null is unlimited), C(used_bytes), C(headroom_bytes), C(readable),
            C(reason) and C(source).
          returned: when available
          type: list
          elements: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._host.memory import Paths
from ansible_collections.phpops.webhost.plugins.module_utils._host.shm_facts import shm_facts


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "proc_path": {"type": "path", "default": "/proc"},
            "shm_path": {"type": "path", "default": "/dev/shm"},
            "top": {"type": "int", "default": 20},
        },
        supports_check_mode=True,
    )
    paths = Paths(proc=module.params["proc_path"], shm=module.params["shm_path"])
    facts = shm_facts(paths, max(0, module.params["top"]))
    module.exit_json(changed=False, ansible_facts={"phpops_shm": facts})


if __name__ == "__main__":
    main()
