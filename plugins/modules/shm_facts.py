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
    C(/proc/PID/smaps); C(resident_source) of each segment says which.
  - Of a process's environment C(TMPDIR) is told and nothing else.
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
extends_documentation_fragment:
  - phpops.webhost.attributes.reads
  - phpops.webhost.attributes.facts
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
          description: What was seen of the processes.
          returned: when available
          type: dict
          contains:
            seen: {description: "User processes.", returned: always, type: int}
            kernel_threads: {description: "Kernel threads and zombies.", returned: always, type: int}
            vanished: {description: "Processes that ended while they were read.", returned: always, type: int}
            unreadable: {description: "Processes whose maps could not be read.", returned: always, type: int}
            hidden: {description: "Whether the mount option hidepid hides processes.", returned: always, type: bool}
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
            master_pid: {description: "PID of a php-fpm master, else null.", returned: always, type: int}
            unit: {description: "The systemd unit of a php-fpm master, else null.", returned: always, type: str}
            config: {description: "The configuration file of a php-fpm master, else null.", returned: always, type: str}
            pools:
              description: Names of the php-fpm pools that have workers.
              returned: always
              type: list
              elements: str
            pids: {description: "The PIDs, at most 100.", returned: always, type: list, elements: int}
            processes: {description: "How many processes.", returned: always, type: int}
            readable:
              description: Whether the maps of all of them could be read. If not, the sums are null.
              returned: always
              type: bool
            unreadable_processes: {description: "How many could not be read.", returned: always, type: int}
            reason: {description: "Why not, and the cure.", returned: always, type: str}
            segments: {description: "Segments that the group maps, each counted once.", returned: always, type: int}
            segments_bytes: {description: "What they reserve.", returned: always, type: int}
            opcache_segments: {description: "How many of them are OPcache's.", returned: always, type: int}
            opcache_bytes:
              description: What OPcache's reserve, the JIT buffer included.
              returned: always
              type: int
            resident_bytes: {description: "What of the segments was touched.", returned: always, type: int}
            pss_bytes:
              description: Proportional set size, null for group other and where C(smaps_rollup) can't be read.
              returned: always
              type: int
            anon_bytes:
              description: Private anonymous memory, the sum of RssAnon. Pages that a fork shares count in each process.
              returned: always
              type: int
            swap_bytes: {description: "The sum of VmSwap.", returned: always, type: int}
            users:
              description: The same by user, at most 20, the largest first. php-cgi of all sites are one group.
              returned: always
              type: list
              elements: dict
              contains:
                user: {description: "The user's name. Null where it has none here.", returned: always, type: str}
                uid: {description: "The user's id.", returned: always, type: int}
                processes: {description: "How many processes.", returned: always, type: int}
                anon_bytes: {description: "The sum of RssAnon.", returned: always, type: int}
                swap_bytes: {description: "The sum of VmSwap.", returned: always, type: int}
            opcode_caches:
              description: Caches of compiled code but OPcache that PHP processes have loaded, such as APC and XCache.
              returned: always
              type: list
              elements: dict
              contains:
                name: {description: "The cache.", returned: always, type: str}
                processes: {description: "How many processes have loaded it.", returned: always, type: int}
                beside_opcache: {description: "How many of them have OPcache as well.", returned: always, type: int}
            temp_folders:
              description:
                - The C(TMPDIR) of the processes of Apache, mod_php and php-cgi, C(/tmp) without one.
                - Null for other groups, and where it can't be read. An ini value C(sys_temp_dir) is not seen here.
              returned: always
              type: list
              elements: dict
              contains:
                path: {description: "The folder.", returned: always, type: str}
                fstype:
                  description: The kind of its file system as the processes see it. Null where that can't be told.
                  returned: always
                  type: str
                processes: {description: "How many of the first 100 processes.", returned: always, type: int}
        segments:
          description: The largest segments.
          returned: when available
          type: list
          elements: dict
          contains:
            kind: {description: "Either opcache or the same as C(backing).", returned: always, type: str}
            backing:
              description: One of anonymous, sysv, posix, memfd, hugetlb and tmpfs.
              returned: always
              type: str
            path: {description: "The name that the kernel shows for it.", returned: always, type: str}
            device: {description: "Its device, major and minor number in hexadecimal.", returned: always, type: str}
            inode: {description: "Its inode, or the id of a SysV segment.", returned: always, type: int}
            bytes: {description: "What it reserves.", returned: always, type: int}
            resident_bytes:
              description: What of it was touched, swapped-out pages included. Null when that is unknown.
              returned: always
              type: int
            resident_source:
              description: Where that was read, map_files, sysvipc or smaps.
              returned: always
              type: str
            processes: {description: "How many processes map it.", returned: always, type: int}
            groups: {description: "The groups that map it.", returned: always, type: list, elements: str}
        totals:
          description: The sums of all groups, each segment counted once. Null when a process could not be read.
          returned: when available
          type: dict
          contains:
            readable: {description: "Whether the maps of all processes could be read.", returned: always, type: bool}
            segments: {description: "How many segments.", returned: always, type: int}
            segments_bytes: {description: "What they reserve.", returned: always, type: int}
            opcache_segments: {description: "How many are OPcache's.", returned: always, type: int}
            opcache_bytes: {description: "What OPcache's reserve.", returned: always, type: int}
            resident_bytes: {description: "What was touched.", returned: always, type: int}
        sysv:
          description: The SysV segments.
          returned: when available
          type: dict
          contains:
            available: {description: "Whether C(/proc/sysvipc/shm) could be read.", returned: always, type: bool}
            reason: {description: "Why not.", returned: always, type: str}
            count: {description: "How many.", returned: always, type: int}
            bytes: {description: "What they reserve.", returned: always, type: int}
            resident_bytes:
              description: What is in memory. Null with kernels that do not tell.
              returned: always
              type: int
            swap_bytes: {description: "What is in swap.", returned: always, type: int}
            segments:
              description: The largest, with C(shmid), C(key), C(bytes), C(resident_bytes), C(swap_bytes), C(attached),
                C(creator_pid) and C(uid).
              returned: always
              type: list
              elements: dict
        posix:
          description: The files in O(shm_path).
          returned: when available
          type: dict
          contains:
            available: {description: "Whether the folder could be read.", returned: always, type: bool}
            reason: {description: "Why not.", returned: always, type: str}
            path: {description: "The folder.", returned: always, type: str}
            count: {description: "How many.", returned: always, type: int}
            bytes: {description: "The sum of their sizes.", returned: always, type: int}
            resident_bytes: {description: "The sum of their blocks.", returned: always, type: int}
            files:
              description: The largest, with C(path), C(bytes) and C(resident_bytes).
              returned: always
              type: list
              elements: dict
        tmpfs:
          description: Every tmpfs, once.
          returned: when available
          type: list
          elements: dict
          contains:
            path: {description: "Where it is mounted.", returned: always, type: str}
            size_bytes:
              description: Its size. Null when it has no limit or could not be asked.
              returned: always
              type: int
            used_bytes: {description: "What is used of it.", returned: always, type: int}
            used_ratio: {description: "The same as a ratio from 0 to 1.", returned: always, type: float}
            options: {description: "Its mount options.", returned: always, type: str}
            reason: {description: "Why its size is not known.", returned: always, type: str}
        memory:
          description: Values of meminfo, null where the kernel has none.
          returned: when available
          type: dict
          contains:
            total_bytes: {description: "MemTotal.", returned: always, type: int}
            available_bytes: {description: "MemAvailable.", returned: always, type: int}
            shmem_bytes: {description: "Shmem.", returned: always, type: int}
            committed_bytes: {description: "Committed_AS.", returned: always, type: int}
            commit_limit_bytes:
              description: CommitLimit. It binds with overcommit mode 2 only.
              returned: always
              type: int
            swap_total_bytes: {description: "SwapTotal.", returned: always, type: int}
            swap_free_bytes: {description: "SwapFree.", returned: always, type: int}
            overcommit_memory: {description: "The overcommit mode, 0, 1 or 2.", returned: always, type: int}
        limits:
          description: Each limit that applies.
          returned: when available
          type: list
          elements: dict
          contains:
            name:
              description: One of shmpages, physpages, commit_limit, ram, memory_cgroup and tmpfs.
              returned: always
              type: str
            kind: {description: "Whether it counts what is reserved or what is touched.", returned: always, type: str}
            scope:
              description: What it holds for, host, session (this login), unit or mount.
              returned: always
              type: str
            path: {description: "Where it was read.", returned: always, type: str}
            limit_bytes:
              description: The limit. Null is unlimited, or unknown where C(readable) is false.
              returned: always
              type: int
            used_bytes: {description: "What is used of it.", returned: always, type: int}
            headroom_bytes: {description: "What is left of it.", returned: always, type: int}
            readable: {description: "Whether it could be read.", returned: always, type: bool}
            reason: {description: "Why not.", returned: always, type: str}
            source: {description: "What was read.", returned: always, type: str}
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
