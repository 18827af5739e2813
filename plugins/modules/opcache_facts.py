#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: opcache_facts
short_description: Asks each PHP-FPM master of a host for its OPcache and its workers
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Finds every PHP-FPM master that runs, the slots of this collection and the pools of the distribution alike, by its
    process and the sockets that it listens on. No URL and no web server is needed.
  - Asks each master by FastCGI. A small script of root's is put where the pool may read it, and is removed at once. The
    pool's PrivateTmp, chroot, C(open_basedir), C(opcache.restrict_api) and C(security.limit_extensions) are respected.
  - PHP 7.4 to 8.5 is understood.
  - The size of the cache is that of the segment in C(/proc/PID/maps). Where a pool sets C(opcache.memory_consumption),
    what PHP reports as used is wrong, even negative. The numbers are then computed from the segment, and
    C(directives_disagree) is true.
  - Asking costs each pool one request for its OPcache and one for its status page. A pool that starts its workers on
    demand starts one. A slow or saturated pool is given up after O(timeout_seconds).
  - php-cgi and mod_php can't be asked. They are listed in C(not_asked) with the reason and what they reserve.
  - The task needs C(become). Without it no master can be asked, and the facts say so.
extends_documentation_fragment:
  - phpops.webhost.attributes.facts
attributes:
  check_mode:
    description: It does the same in check mode. Nothing is left but a lock file in C(/run).
    support: full
  diff_mode:
    description: The module changes nothing that could be shown.
    support: none
options:
  sockets:
    description:
      - Ask only the masters that listen on these sockets, each a path or an address such as V(127.0.0.1:9000).
      - All masters that run are asked by default.
    type: list
    elements: str
    default: []
  probe_folders:
    description:
      - Folders for the script that are tried first.
      - They are needed only where a pool reads none that the module knows, and does not tell its C(open_basedir).
    type: list
    elements: path
    default: []
  timeout_seconds:
    description: How long to wait for one answer of a pool.
    type: float
    default: 5
seealso:
  - module: phpops.webhost.shm_facts
  - module: phpops.webhost.slot_facts
  - module: phpops.webhost.opcache_size_info
"""

EXAMPLES = r"""
- name: Ask all masters for their OPcache
  phpops.webhost.opcache_facts:
  become: true

- name: Ask the distribution's own master
  phpops.webhost.opcache_facts:
    sockets:
      - /run/php/php8.2-fpm.sock
  become: true

- name: Stop where a cache is full and will not restart
  ansible.builtin.assert:
    that: item.healthy
    fail_msg: "{{ item.problems | join(' ') }}"
  loop: "{{ ansible_facts.phpops_opcache.masters | selectattr('reason', 'none') }}"
  loop_control:
    label: "{{ item.unit }}"
"""

RETURN = r"""
ansible_facts:
  description: The facts that this module adds.
  returned: always
  type: dict
  contains:
    phpops_opcache:
      description: The OPcache of each master. A number that could not be had is null, never zero.
      returned: always
      type: dict
      contains:
        available:
          description: Whether at least one master answered.
          type: bool
          returned: always
        reason:
          description: Why not, or how many masters could not be asked and why. Null when all answered.
          type: str
          returned: always
        masters:
          description:
            - The masters, by process ID.
            - C(keys) of a master, which Jinja reads as C(master['keys']), is how many keys are in use. One script can
              have several.
          type: list
          elements: dict
          returned: always
          contains:
            master_pid:
              description: The master's process ID. Null when no master has the given socket.
              returned: always
              type: int
            unit: {description: "Its systemd unit, else null.", returned: always, type: str, sample: php8.2-fpm.service}
            site: {description: "The site, for a slot of this collection.", returned: always, type: str}
            slot: {description: "The slot, for a slot of this collection.", returned: always, type: str}
            pool:
              description: The pool that was asked. All pools of a master share its cache.
              returned: always
              type: str
            user: {description: "The user that this pool runs as.", returned: always, type: str}
            php_version: {description: "The version of PHP.", returned: always, type: str, sample: 8.2.35}
            sockets: {description: "Where the master takes requests.", returned: always, type: list, elements: str}
            reason: {description: "Why the master could not be asked. Null when it was.", returned: always, type: str}
            temp_folder:
              description: Where the asked pool's PHP puts temporary files. Null where it doesn't tell.
              returned: always
              type: str
              sample: /dev/shm/phpops-wiki
            temp_fstype:
              description: The kind of file system that this is for the master. Null where that can't be told.
              returned: always
              type: str
              sample: tmpfs
            error_log:
              description: The file of the master's own log. Null where its configuration names none, as with syslog.
              returned: always
              type: str
              sample: /var/log/php8.2-fpm.log
            shm_errors:
              description:
                - The lines C(Unable to allocate shared memory segment) at the end of that log and of the one rotated
                  before it (C(.1)), at most 1 MiB of each. Null without such a file.
                - A master that could not start says it in the journal, which is not read.
              returned: always
              type: dict
              contains:
                count: {description: "How many. Null when a log can't be read.", returned: always, type: int}
                first: {description: "The first one's time, as the log has it.", returned: always, type: str}
                last: {description: "The last one's time.", returned: always, type: str}
                segment_bytes:
                  description: The sizes that were asked for.
                  returned: always
                  type: list
                  elements: int
                reason: {description: "Why a log could not be read, else null.", returned: always, type: str}
            segment_bytes:
              description: The segment's size by the kernel, JIT buffer included. Null without one, or if unreadable.
              returned: always
              type: int
            reported_bytes: {description: "The same size as PHP reports it.", returned: always, type: int}
            directives_disagree:
              description: Whether a pool's directive makes PHP report another size than the segment has.
              returned: always
              type: bool
            memory_bytes: {description: "The cache's real size, without the JIT buffer.", returned: always, type: int}
            used_bytes: {description: "What is used of it.", returned: always, type: int}
            free_bytes: {description: "What is free of it.", returned: always, type: int}
            wasted_bytes:
              description: What scripts that are no longer valid take of it.
              returned: always
              type: int
            wasted_ratio: {description: "Their part of C(memory_bytes), 0 to 1.", returned: always, type: float}
            max_keys: {description: "Keys that there are.", returned: always, type: int}
            keys_ratio: {description: "The part in use, 0 to 1.", returned: always, type: float}
            scripts: {description: "Scripts in the cache.", returned: always, type: int}
            interned_used_bytes:
              description: What is used of the buffer of interned strings.
              returned: always
              type: int
            interned_bytes: {description: "The size of this buffer, as PHP reports it.", returned: always, type: int}
            interned_strings: {description: "How many strings it holds.", returned: always, type: int}
            hits: {description: "How often a script was found in the cache.", returned: always, type: int}
            misses:
              description: How often it was not. The script of this module is one of them.
              returned: always
              type: int
            hit_ratio:
              description: The part of hits, 0 to 1. Null before the first script.
              returned: always
              type: float
            blacklist_misses:
              description: How often a script was not cached because of a blacklist.
              returned: always
              type: int
            oom_restarts:
              description: How often the cache restarted for lack of memory.
              returned: always
              type: int
            hash_restarts: {description: "How often it restarted for lack of keys.", returned: always, type: int}
            manual_restarts: {description: "How often a script reset it.", returned: always, type: int}
            cache_full: {description: "Whether it found no room for a script.", returned: always, type: bool}
            restart_pending: {description: "Whether it waits for a restart.", returned: always, type: bool}
            restart_in_progress: {description: "Whether it restarts.", returned: always, type: bool}
            age_seconds: {description: "Seconds since it started or restarted.", returned: always, type: int}
            healthy:
              description:
                - Whether C(problems) is empty. Null when the master could not be asked.
                - A full cache with no restart due is a problem, as new files run uncached though nothing else shows it.
              returned: always
              type: bool
            problems:
              description: What is wrong, as sentences with the cure.
              returned: always
              type: list
              elements: str
            notes:
              description: What to know of the numbers, as sentences.
              returned: always
              type: list
              elements: str
            jit:
              description: The JIT. Null where this PHP has none.
              returned: always
              type: dict
              contains:
                enabled: {description: "Whether its buffer is reserved.", returned: always, type: bool}
                "on": {description: "Whether it compiles.", returned: always, type: bool}
                kind: {description: "PHP's number for what makes it compile.", returned: always, type: int}
                opt_level: {description: "PHP's number for how much it optimizes.", returned: always, type: int}
                opt_flags: {description: "PHP's number for how it uses the CPU.", returned: always, type: int}
                buffer_bytes: {description: "The size of its buffer.", returned: always, type: int}
                buffer_used_bytes: {description: "What is used of the buffer.", returned: always, type: int}
            preload:
              description: What preloading holds. Null without it.
              returned: always
              type: dict
              contains:
                memory_bytes: {description: "The memory that it takes.", returned: always, type: int}
                functions: {description: "How many functions.", returned: always, type: int}
                classes: {description: "How many classes.", returned: always, type: int}
                scripts: {description: "How many scripts.", returned: always, type: int}
            config:
              description:
                - OPcache's directives as the asked pool has them, by their full names, as PHP writes them.
                - Those for sizes count only where the master started with them.
              returned: always
              type: dict
              sample:
                opcache.memory_consumption: "128"
                opcache.max_accelerated_files: "10000"
            fpm:
              description: The sums over the master's pools. A sum is null where one of the pools does not tell.
              returned: always
              type: dict
              contains:
                active: {description: "Workers with a request.", returned: always, type: int}
                idle: {description: "Workers without one.", returned: always, type: int}
                total: {description: "All workers.", returned: always, type: int}
                max_children:
                  description: The most workers that the configuration allows.
                  returned: always
                  type: int
                max_children_reached:
                  description:
                    - How often that many ran, by the status page, else by the master's log since its start.
                    - Null where neither tells.
                  returned: always
                  type: int
                listen_queue:
                  description: Connections that wait to be accepted, as the kernel counts them.
                  returned: always
                  type: int
                slow_requests:
                  description: Requests that took too long, by the status page.
                  returned: always
                  type: int
                memory_by_worker:
                  description:
                    - The largest workers, at most 100.
                    - Each has C(pid), C(pool), C(pss_bytes), C(anon_bytes) and C(swap_bytes).
                    - The status page adds C(state), C(requests), C(request_seconds) and C(last_request_bytes).
                  returned: always
                  type: list
                  elements: dict
            pools:
              description: The master's pools, by name.
              returned: always
              type: list
              elements: dict
              contains:
                pool: {description: "The pool's name.", returned: always, type: str}
                user: {description: "The user that it runs as.", returned: always, type: str}
                sockets: {description: "Where it takes requests.", returned: always, type: list, elements: str}
                fpm:
                  description:
                    - The pool's own numbers, with the keys of the master's C(fpm).
                    - C(source) is C(status) for those of its status page, and C(processes) where processes and the
                      kernel's connections were counted, for which C(reason) says why.
                  returned: always
                  type: dict
        not_asked:
          description: PHP that can't be asked, by kind.
          type: list
          elements: dict
          returned: always
          contains:
            kind: {description: "Either php-cgi or mod_php.", returned: always, type: str}
            reason: {description: "Why it can't be asked.", returned: always, type: str}
            processes: {description: "How many processes.", returned: always, type: int}
            pids: {description: "Their process IDs, at most 100.", returned: always, type: list, elements: int}
            opcache_segments:
              description: How many caches they have. Null when that can't be read.
              returned: always
              type: int
            opcache_bytes: {description: "What these reserve.", returned: always, type: int}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_facts import Options, opcache_facts


def main():
    module = AnsibleModule(
        argument_spec={
            "sockets": {"type": "list", "elements": "str", "default": []},
            "probe_folders": {"type": "list", "elements": "path", "default": []},
            "timeout_seconds": {"type": "float", "default": 5},
        },
        supports_check_mode=True,
    )
    timeout = module.params["timeout_seconds"]
    if not 0 < timeout <= 600:
        module.fail_json(msg=f"timeout_seconds is {timeout:g}: give seconds above 0, at most 600.")
    options = Options(
        sockets=module.params["sockets"], probe_folders=module.params["probe_folders"], timeout_seconds=timeout
    )
    module.exit_json(changed=False, ansible_facts={"phpops_opcache": opcache_facts(options)})


if __name__ == "__main__":
    main()
