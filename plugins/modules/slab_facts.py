#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: slab_facts
short_description: Read the kernel's slab caches and the dentry cache's part in them
version_added: 0.1.0
description:
  - Parses C(/proc/slabinfo), versions 1.1 to 2.1, and tells how much memory each cache holds.
  - It says how much of it is the dentry cache, which files that are created and deleted without end let grow.
  - The kernel lets only root read the file, so the task needs C(become).
  - Where it may not be read or lists no cache, the facts say so and the task does not fail.
  - What other files tell is then still there, namely the reclaimable memory and the unused dentries.
  - The rounded table of C(slabtop) is refused. Other lines, such as a shell prompt, are passed over and counted.
  - In a container the numbers are those of the kernel that it shares with others. The facts say so.
  - No kernel counts files that are removed. With O(state_path) two runs tell how many dentries came between them, most
    of them of such files. It is a lower bound, as the kernel drops some in the meantime.
author:
  - the phpops.webhost authors (@phpops)
options:
  path:
    description:
      - The file to read. A dump taken on another host does as well, and so does a cgroup's C(memory.kmem.slabinfo).
      - For a dump give O(meminfo_path), O(dentry_state_path) and O(buddyinfo_path) of the same host too.
    type: path
    default: /proc/slabinfo
  meminfo_path:
    description: The file that tells reclaimable from unreclaimable slab memory.
    type: path
    default: /proc/meminfo
  dentry_state_path:
    description: The file that counts unused and negative dentries.
    type: path
    default: /proc/sys/fs/dentry-state
  buddyinfo_path:
    description: The file that tells in which pieces memory is free.
    type: path
    default: /proc/buddyinfo
  state_path:
    description:
      - A file for this run's count of dentries, from which the next one tells how much the cache grew. The folder must
        exist.
      - The file may be the one that M(phpops.webhost.beancounters_facts) has. Without it nothing is written.
    type: path
  top:
    description:
      - How many of the largest caches to return, V(0) for all.
      - The sums are always over all of them.
    type: int
    default: 20
  page_size:
    description:
      - The size of a page in bytes on the host that the file is from.
      - By default the page size of the managed host.
    type: int
extends_documentation_fragment:
  - phpops.webhost.attributes.facts
attributes:
  check_mode:
    description: The module writes nothing but O(state_path), and not even that in check mode.
    support: full
  diff_mode:
    description: The module shows no differences.
    support: none
seealso:
  - module: phpops.webhost.beancounters_facts
  - module: phpops.webhost.shm_facts
"""

EXAMPLES = r"""
- name: Read the slab caches
  phpops.webhost.slab_facts:
  become: true

- name: Read all caches of a dump
  phpops.webhost.slab_facts:
    path: /tmp/dump/slabinfo
    meminfo_path: /tmp/dump/meminfo
    dentry_state_path: /tmp/dump/dentry-state
    buddyinfo_path: /tmp/dump/buddyinfo
    top: 0

- name: Show how large the dentry cache is
  ansible.builtin.debug:
    msg: "{{ ansible_facts.phpops_slab.dentry.bytes }} bytes in {{ ansible_facts.phpops_slab.dentry.objects }} dentries"
"""

RETURN = r"""
ansible_facts:
  description: The facts that this module adds.
  returned: always
  type: dict
  contains:
    phpops_slab:
      description: The slab caches. A number that could not be had is null, never zero.
      returned: always
      type: dict
      contains:
        available:
          description: Whether the file was found, could be read, and lists a cache.
          type: bool
          returned: always
          sample: true
        reason:
          description: Why the caches are not available, as a sentence. Null when they are.
          type: str
          returned: always
          sample: "/proc/slabinfo may not be read by the user with id 1000: run the task with become."
        version:
          description: The version that the file gives for its format. Null when that line is missing.
          type: str
          returned: always
          sample: "2.1"
        page_size:
          description: The size of a page in bytes that was used.
          type: int
          returned: always
          sample: 4096
        scope:
          description: What the file counts, C(host) or C(cgroup).
          type: str
          returned: always
          sample: host
        container:
          description: The kind of container that the managed host is. Null when no mark of one was found.
          type: str
          returned: always
          sample: null
        caches:
          description: The largest caches first. Caches of the same name are summed.
          type: list
          elements: dict
          returned: always
          contains:
            name:
              description: The kernel's name of the cache. The kernel may keep other objects of alike size in it.
              type: str
              returned: always
            active_objs:
              description: Objects in use.
              type: int
              returned: always
            num_objs:
              description: Objects that there is room for.
              type: int
              returned: always
            objsize:
              description: Bytes of one object.
              type: int
              returned: always
            objperslab:
              description: Objects in one slab. Null in version 1.1.
              type: int
              returned: always
            pagesperslab:
              description: Pages of one slab.
              type: int
              returned: always
            active_slabs:
              description: Slabs with an object in use.
              type: int
              returned: always
            num_slabs:
              description: All slabs.
              type: int
              returned: always
            bytes:
              description: Memory of the cache, as slabs times pages times page size. It is an upper bound.
              type: int
              returned: always
          sample:
            - name: dentry
              active_objs: 378387
              num_objs: 445494
              objsize: 192
              objperslab: 21
              pagesperslab: 1
              active_slabs: 21214
              num_slabs: 21214
              bytes: 86892544
        cache_count:
          description: How many caches the file lists, each name once.
          type: int
          returned: always
          sample: 223
        foreign_lines:
          description: How many lines were passed over because they are no part of the format.
          type: int
          returned: always
          sample: 0
        total_bytes:
          description: Memory of all caches in the file.
          type: int
          returned: always
          sample: 942624768
        reclaimable_bytes:
          description: Slab memory that the kernel can take back, from meminfo.
          type: int
          returned: always
          sample: 755122176
        unreclaimable_bytes:
          description: Slab memory that the kernel can not take back, from meminfo.
          type: int
          returned: always
          sample: 165707776
        memory_total_bytes:
          description: The host's memory, from meminfo.
          type: int
          returned: always
          sample: 8589934592
        dentry:
          description: The cache of directory entries.
          type: dict
          returned: always
          contains:
            objects:
              description: Dentries that there is room for.
              type: int
              returned: always
            active:
              description: Dentries in use. That counts the unused ones that are kept, too.
              type: int
              returned: always
            bytes:
              description: Memory of the cache.
              type: int
              returned: always
            share:
              description: The cache's part of C(total_bytes), 0 to 1.
              type: float
              returned: always
            unused:
              description: Dentries that nobody holds and that could be dropped.
              type: int
              returned: always
            negative:
              description: Unused dentries of names that don't exist. Null before Linux 5.0, which doesn't count them.
              type: int
              returned: always
            growth:
              description:
                - What came since the run that wrote O(state_path), less than 0 for what went.
                - Null without O(state_path), at the first run and after a boot.
              type: dict
              returned: always
              contains:
                seconds:
                  description: The time between the two runs.
                  type: float
                  returned: always
                objects:
                  description: The change of C(objects).
                  type: int
                  returned: always
                bytes:
                  description: The change of C(bytes).
                  type: int
                  returned: always
                unused:
                  description: The change of C(unused).
                  type: int
                  returned: always
                negative:
                  description: The change of C(negative).
                  type: int
                  returned: always
          sample:
            objects: 445494
            active: 378387
            bytes: 86892544
            share: 0.0922
            unused: 340000
            negative: 120000
            growth: null
        fragmentation:
          description:
            - Free memory by zone, as M(phpops.webhost.oom_facts) shows it.
            - Empty where the kernel doesn't tell.
          type: list
          elements: dict
          returned: always
          contains:
            node:
              description: The memory node.
              type: int
              returned: always
            zone:
              description: The kernel's name of the zone.
              type: str
              returned: always
            free_bytes:
              description: Free memory in it.
              type: int
              returned: always
            largest_order_free:
              description: The largest block that is free has two to this power pages. Null when nothing is.
              type: int
              returned: always
            blocks:
              description: How many blocks are free of each order, from 0 on.
              type: list
              elements: int
              returned: always
          sample:
            - node: 0
              zone: DMA32
              free_bytes: 1228800
              largest_order_free: 2
              blocks: [200, 30, 10, 0, 0, 0, 0, 0, 0, 0, 0]
        notes:
          description: What limits the meaning of the numbers, as sentences.
          type: list
          elements: str
          returned: always
          sample:
            - "This host is a container (podman): the numbers are those of the kernel it shares."
"""

import os
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._host import slab
from ansible_collections.phpops.webhost.plugins.module_utils._host.container import container_kind


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "default": slab.DEFAULT_PATH},
            "meminfo_path": {"type": "path", "default": slab.DEFAULT_MEMINFO_PATH},
            "dentry_state_path": {"type": "path", "default": slab.DEFAULT_DENTRY_STATE_PATH},
            "buddyinfo_path": {"type": "path", "default": slab.DEFAULT_BUDDYINFO_PATH},
            "state_path": {"type": "path"},
            "top": {"type": "int", "default": 20},
            "page_size": {"type": "int"},
        },
        supports_check_mode=True,
    )
    top, page_size = module.params["top"], module.params["page_size"]
    if top < 0:
        module.fail_json(msg=f"top is {top}: give a number of caches, or 0 for all.")
    if page_size is not None and not 512 <= page_size <= 2**21:
        module.fail_json(msg=f"page_size is {page_size}: give the bytes of one page, such as 4096.")
    facts = slab.gather(
        module.params["path"],
        module.params["meminfo_path"],
        module.params["dentry_state_path"],
        top,
        page_size or os.sysconf("SC_PAGE_SIZE"),
        container_kind(),
        os.uname().release,
        module.params["buddyinfo_path"],
    )
    state_path = module.params["state_path"]
    if state_path and facts["available"]:
        for warning in slab.since_last_run(facts["dentry"], state_path, not module.check_mode, time.time()):
            module.warn(warning)
    module.exit_json(changed=False, ansible_facts={"phpops_slab": facts})


if __name__ == "__main__":
    main()
