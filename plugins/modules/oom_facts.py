#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: oom_facts
short_description: Read what the OOM killer did from the kernel's log
version_added: 0.1.0
description:
  - Finds out of memory events in the journal or in a log file, and tells who asked, who was killed, and in which unit.
  - It reads the kernel's reports of Linux 2.6 to 6.x, and what C(systemd) and C(systemd-oomd) say of a kill.
  - One event is one entry, however many lines tell of it. A report that is cut gives an entry with what is left of it.
  - Lines are told apart by what they say. Their beginnings may be those of C(dmesg), C(dmesg -T) in most languages,
    syslog, the journal in its short forms or as JSON, ISO 8601, a quoting mail, or none at all.
  - Lines that a mail client broke are joined where it is clear what belongs together.
  - The log is read as a stream. A log of any size costs the same memory, and time in proportion to its size.
  - The newest 1000 events are returned, and the newest 20000 rows of their tables. The module warns when it left
    some out.
  - Logs are usually open to root and some groups only, so the task needs C(become).
  - Where no log may be read the facts say so, and the task does not fail.
author:
  - the phpops.webhost authors (@phpops)
options:
  source:
    description:
      - Where to look for events.
      - V(journal) is the journal, with the messages of all boots that it still holds.
      - Of the journal, lines count that the kernel, process 1 or systemd-oomd wrote; a log file does not tell who did.
      - V(file) is O(path), by default the first that is there of C(/var/log/syslog), C(/var/log/messages) and
        C(/var/log/kern.log). Of such a log the one rotated before it (C(.1)) is read, too.
      - V(auto) is V(journal) where it may be read, else V(file).
    type: str
    choices: [auto, journal, file]
    default: auto
  path:
    description:
      - A log file, or what C(dmesg) or C(journalctl) printed on another host. It alone is read then.
      - It can't be given with O(source=journal). A compressed file is refused.
    type: path
  since:
    description:
      - Only events from this time on, such as V(2025-08-12), V(2025-08-12 03:54), V(today), V(-2h) or V(3 days ago).
      - A time without a zone is the managed host's own.
      - An event whose log lines tell no time is always returned.
    type: str
extends_documentation_fragment:
  - phpops.webhost.attributes.reads
  - phpops.webhost.attributes.facts
notes:
  - The kernel writes no reports into a container's log. In one the module warns, and finds what systemd says alone.
seealso:
  - module: phpops.webhost.slab_facts
  - module: phpops.webhost.shm_facts
"""

EXAMPLES = r"""
# Ad hoc: ansible all -b -m phpops.webhost.oom_facts -a since=-7d
- name: Read the OOM events of the last week
  phpops.webhost.oom_facts:
    since: 7 days ago
  become: true

- name: Name the victims
  ansible.builtin.debug:
    msg: "{{ item.time }} {{ item.unit }}: {{ item.victim.comm | default('unknown') }}"
  loop: "{{ ansible_facts.phpops_oom.events }}"
  loop_control:
    label: "{{ item.kind }}"

- name: Read a log that a customer sent
  phpops.webhost.oom_facts:
    path: /tmp/dump/messages
"""

RETURN = r"""
ansible_facts:
  description: The facts that this module adds.
  returned: always
  type: dict
  contains:
    phpops_oom:
      description: The OOM events. A value that the log doesn't tell is null, never zero.
      returned: always
      type: dict
      contains:
        available:
          description: Whether a log was found and could be read. A log without any event is available.
          type: bool
          returned: always
          sample: true
        reason:
          description: Why no log could be read, as a sentence. Null when one was.
          type: str
          returned: always
          sample: "The journal may not be read by the user with id 1000: run the task with become."
        events:
          description: The events in the order of the log, which is that of time.
          type: list
          elements: dict
          returned: always
          contains:
            time:
              description:
                - When the event began, in ISO 8601. It has an offset only where the log's stamps have one, and is
                  the time of the host that wrote the log otherwise.
                - A stamp without a year gets the one that makes it the last such day before the file's last change.
                - Null where the log has no stamps, or those of the kernel's uptime alone, or of an unknown language.
              type: str
              returned: always
            kind:
              description:
                - C(global) when the host's memory ran out, and where a cut report doesn't tell.
                - C(memcg) at the limit of a control group or OpenVZ container.
                - C(cpuset) when the process was bound to nodes whose memory ran out.
                - C(oomd) when systemd-oomd killed.
                - C(unit) when systemd tells of a kill and no report of the kernel is there.
              type: str
              returned: always
            trigger:
              description: The process whose request started it. It need not be the one that took the memory.
              type: dict
              returned: always
              contains:
                comm:
                  description: Its name, cut to 15 characters by the kernel.
                  type: str
                  returned: always
                pid:
                  description: Its process id.
                  type: int
                  returned: always
                gfp_mask:
                  description: The kind of memory that it asked for, as in the log.
                  type: str
                  returned: always
                order:
                  description: It asked for two to this power pages. -1 is the administrator, by SysRq f.
                  type: int
                  returned: always
                oom_score_adj:
                  description: Its adjustment, -1000 to 1000. Null on kernels that have only C(oom_adj).
                  type: int
                  returned: always
            constraint:
              description: The kernel's word for the limit, such as C(CONSTRAINT_MEMCG). Null before Linux 5.0.
              type: str
              returned: always
            victim:
              description:
                - The process that was killed. Null when the report is cut, when there was nobody to kill, or when
                  no single process is named.
                - When a control group was killed as a whole it is the first of them.
              type: dict
              returned: always
              contains:
                pid:
                  description: Its process id.
                  type: int
                  returned: always
                comm:
                  description: Its name, cut to 15 characters by the kernel.
                  type: str
                  returned: always
                uid:
                  description: Its user id.
                  type: int
                  returned: always
                total_vm_bytes:
                  description: Its address space.
                  type: int
                  returned: always
                anon_rss_bytes:
                  description: Its own memory that was in RAM.
                  type: int
                  returned: always
                file_rss_bytes:
                  description: Pages of files that it had mapped and that were in RAM.
                  type: int
                  returned: always
                shmem_rss_bytes:
                  description: Shared memory that it had touched, such as OPcache's. Null before Linux 4.5.
                  type: int
                  returned: always
                oom_score_adj:
                  description: Its adjustment, -1000 to 1000.
                  type: int
                  returned: always
            cgroup:
              description: The control group of the victim, or the one that systemd-oomd killed.
              type: str
              returned: always
            limit_cgroup:
              description:
                - The control group whose limit was reached, or whose memory pressure systemd-oomd found too high.
                - On OpenVZ the container's id. Null when the host's memory ran out.
              type: str
              returned: always
            unit:
              description: The systemd unit of the victim, by its control group, else by what systemd said.
              type: str
              returned: always
            processes:
              description:
                - The table of processes in the report, in its order.
                - Empty where the log has none, and with C(by_command) in the oldest of very many events.
              type: list
              elements: dict
              returned: always
              contains:
                pid:
                  description: The process id.
                  type: int
                  returned: always
                uid:
                  description: The user id.
                  type: int
                  returned: always
                comm:
                  description: The name.
                  type: str
                  returned: always
                rss_bytes:
                  description:
                    - What it had in RAM, shared memory counted in full in each process.
                    - The kernel prints pages. Their size is the victim's address space, which the report has in both
                      units, else that of the smallest free block, else that of another report of the host,
                      else the managed host's, or 4096 with O(path).
                  type: int
                  returned: always
                swap_bytes:
                  description: What it had in swap. Null on Linux 2.6, which doesn't print it.
                  type: int
                  returned: always
                oom_score_adj:
                  description: Its adjustment, -1000 to 1000.
                  type: int
                  returned: always
            by_command:
              description: The sums over C(processes) by name, the largest C(rss_bytes) first.
              type: dict
              returned: always
              contains:
                processes:
                  description: How many there were.
                  type: int
                  returned: always
                rss_bytes:
                  description: The sum of their C(rss_bytes).
                  type: int
                  returned: always
                swap_bytes:
                  description: The sum of their C(swap_bytes).
                  type: int
                  returned: always
            mem:
              description: The memory of the host, for C(memcg) that of the control group.
              type: dict
              returned: always
              contains:
                total_bytes:
                  description: All memory of the host.
                  type: int
                  returned: always
                free_bytes:
                  description: Free memory of the host.
                  type: int
                  returned: always
                anon_bytes:
                  description: The control group's own memory.
                  type: int
                  returned: always
                file_bytes:
                  description: The control group's page cache.
                  type: int
                  returned: always
                active_anon_bytes:
                  description: Anonymous memory that was used of late.
                  type: int
                  returned: always
                inactive_anon_bytes:
                  description: Anonymous memory that was not.
                  type: int
                  returned: always
                active_file_bytes:
                  description: Page cache that was used of late.
                  type: int
                  returned: always
                inactive_file_bytes:
                  description: Page cache that was not.
                  type: int
                  returned: always
                unevictable_bytes:
                  description: Memory that can't be reclaimed, such as locked memory.
                  type: int
                  returned: always
                dirty_bytes:
                  description: Page cache that has to be written.
                  type: int
                  returned: always
                writeback_bytes:
                  description: Page cache that was being written.
                  type: int
                  returned: always
                mapped_bytes:
                  description: Page cache that processes had mapped.
                  type: int
                  returned: always
                shmem_bytes:
                  description: Shared memory and tmpfs.
                  type: int
                  returned: always
                slab_reclaimable_bytes:
                  description: The kernel's caches that it can take back, such as dentries.
                  type: int
                  returned: always
                slab_unreclaimable_bytes:
                  description: The kernel's caches that it can't.
                  type: int
                  returned: always
                pagetables_bytes:
                  description: Page tables.
                  type: int
                  returned: always
                kernel_stack_bytes:
                  description: Stacks of the control group's processes in the kernel.
                  type: int
                  returned: always
                pagecache_bytes:
                  description: All of the host's page cache.
                  type: int
                  returned: always
                usage_bytes:
                  description: What the control group used.
                  type: int
                  returned: always
                limit_bytes:
                  description: The control group's limit. Null when it has none.
                  type: int
                  returned: always
                failcnt:
                  description: How often the control group's limit was reached.
                  type: int
                  returned: always
            swap:
              description: The swap of the host, for C(memcg) on cgroup v2 what the control group may use of it.
              type: dict
              returned: always
              contains:
                total_bytes:
                  description: All of it. Null without a limit.
                  type: int
                  returned: always
                free_bytes:
                  description: What was free.
                  type: int
                  returned: always
            fragmentation:
              description: Free memory by zone. Empty for C(memcg), whose reports don't tell.
              type: list
              elements: dict
              returned: always
              contains:
                node:
                  description: The memory node, 0 on a kernel that knows only one.
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
                  description: The largest block that was free has two to this power pages. Null when nothing was.
                  type: int
                  returned: always
                blocks:
                  description: How many blocks were free of each order, from 0 on.
                  type: list
                  elements: int
                  returned: always
          sample:
            - time: "2025-08-12T03:54:03"
              kind: memcg
              trigger:
                comm: php-fpm
                pid: 3923954
                gfp_mask: 0x1100cca(GFP_HIGHUSER_MOVABLE)
                order: 0
                oom_score_adj: 0
              constraint: CONSTRAINT_MEMCG
              victim:
                pid: 3902942
                comm: php-fpm
                uid: 1000
                total_vm_bytes: 15093940224
                anon_rss_bytes: 12928258048
                file_rss_bytes: 0
                shmem_rss_bytes: 159834112
                oom_score_adj: 0
              cgroup: /lxc/39004/ns/system.slice/php8.2-fpm.service
              limit_cgroup: /lxc/39004
              unit: php8.2-fpm.service
        units:
          description: What systemd said of units, each unit and result once, by name.
          type: list
          elements: dict
          returned: always
          contains:
            unit:
              description: The unit's name. The slices around a unit are told of, too.
              type: str
              returned: always
            result:
              description:
                - C(oom-kill) when systemd ended the unit because of the kill.
                - Null when it only says that a process of the unit was killed.
              type: str
              returned: always
            count:
              description: How many lines say so.
              type: int
              returned: always
          sample:
            - unit: php8.2-fpm.service
              result: oom-kill
              count: 1
        oom_kill_counter:
          description:
            - How many processes the kernel has killed since its start, from C(/proc/vmstat).
            - Null before Linux 4.13, and with O(path).
          type: int
          returned: always
          sample: 3
"""

import os
from datetime import datetime

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_time import BadSince
from ansible_collections.phpops.webhost.plugins.module_utils._host import oom
from ansible_collections.phpops.webhost.plugins.module_utils._host.container import container_kind


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "source": {"type": "str", "choices": ["auto", "journal", "file"], "default": "auto"},
            "path": {"type": "path"},
            "since": {"type": "str"},
        },
        supports_check_mode=True,
    )
    source, path = module.params["source"], module.params["path"]
    if path and source == "journal":
        module.fail_json(msg=f"path is {path} and source is journal: leave one of them out.")
    try:
        facts, warnings = oom.gather(
            source,
            path,
            module.params["since"],
            oom.run_streamed,
            container_kind(),
            datetime.now(),
            os.sysconf("SC_PAGE_SIZE"),
        )
    except BadSince as error:
        module.fail_json(msg=str(error))
    for warning in warnings:
        module.warn(warning)
    module.exit_json(changed=False, ansible_facts={"phpops_oom": facts})


if __name__ == "__main__":
    main()
