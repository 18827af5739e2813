#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: beancounters_facts
short_description: Read OpenVZ's beancounters and name what failed or is near its limit
version_added: 0.1.0
description:
  - Parses C(/proc/user_beancounters) of an OpenVZ or Virtuozzo container or node.
  - It turns pages into bytes and names each resource that refused a request or is held near its limit.
  - C(shmpages) is the one that OPcache segments and C(/dev/shm) are charged to.
  - The kernel lets only root read the file, so the task needs C(become).
  - Where the kernel has no such file, or it may not be read, the facts say so and the task does not fail.
  - The numbers of the C(vzubc) tool are rounded and are refused. Other lines, such as a shell prompt, are passed over.
author:
  - the phpops.webhost authors (@phpops)
options:
  path:
    description:
      - The file to read. A dump taken on another host does as well.
      - C(/proc/bc/resources) and C(/proc/bc/<id>/resources) of a node are understood too.
    type: path
    default: /proc/user_beancounters
  page_size:
    description:
      - The size of a page in bytes on the host that the file is from.
      - By default the page size of the managed host.
    type: int
  near_limit:
    description:
      - A resource is at risk when it is held to at least this share of its barrier or limit.
      - Greater than 0, at most 1.
    type: float
    default: 0.9
  state_path:
    description:
      - A file in which each run leaves the failure counts, so that the next one can tell what is new.
      - It is written in every run outside of check mode, atomically, with mode 0600. Its folder must exist.
      - The task still reports no change, as nothing of the host's configuration is changed.
      - Without it RV(ansible_facts.phpops_beancounters.containers) has null in each C(failcnt_delta).
    type: path
extends_documentation_fragment:
  - phpops.webhost.attributes.reads
  - phpops.webhost.attributes.facts
seealso:
  - module: phpops.webhost.slab_facts
  - module: phpops.webhost.shm_facts
"""

EXAMPLES = r"""
- name: Read the beancounters
  phpops.webhost.beancounters_facts:
  become: true

- name: Read them with what failed since the last run
  phpops.webhost.beancounters_facts:
    state_path: /var/lib/phpops/beancounters.json
  become: true

- name: Judge a dump that a customer sent
  phpops.webhost.beancounters_facts:
    path: /tmp/user_beancounters.txt
    page_size: 4096
    near_limit: 0.8
"""

RETURN = r"""
ansible_facts:
  description: The facts that this module adds.
  returned: always
  type: dict
  contains:
    phpops_beancounters:
      description: The beancounters of all containers in the file.
      returned: always
      type: dict
      contains:
        available:
          description: Whether the file was found, could be read, and holds beancounters.
          type: bool
          returned: always
          sample: true
        reason:
          description: Why the facts are not available, as a sentence. Null when they are.
          type: str
          returned: always
          sample: There is no file /proc/user_beancounters on this host. Only OpenVZ and Virtuozzo kernels have it.
        supported:
          description: Whether the file exists. Only OpenVZ and Virtuozzo kernels have it.
          type: bool
          returned: always
          sample: true
        version:
          description: The version line of the file. Null when it has none.
          type: str
          returned: always
          sample: "2.5"
        page_size:
          description: The size of a page in bytes that was used.
          type: int
          returned: always
          sample: 4096
        foreign_lines:
          description: How many lines were passed over because they are no part of the format.
          type: int
          returned: always
          sample: 0
        containers:
          description:
            - One entry per container, by its id (a number, or a UUID on Virtuozzo 7).
            - A file without any id gives C(unknown), or the id in its path.
          type: dict
          returned: always
          contains:
            resources:
              description:
                - The counters by the kernel's name.
                - An unlimited barrier or limit is null, and so is a column that the file lacks.
                - Rows that Virtuozzo 8 prints without having data are null throughout.
              type: dict
              returned: always
              contains:
                held:
                  description: What is used now, in C(unit).
                  type: int
                  returned: always
                maxheld:
                  description: The most that was used, in C(unit).
                  type: int
                  returned: always
                barrier:
                  description: The barrier, in C(unit).
                  type: int
                  returned: always
                limit:
                  description: The limit, in C(unit).
                  type: int
                  returned: always
                failcnt:
                  description: How many requests were refused since the container started.
                  type: int
                  returned: always
                failcnt_delta:
                  description: How many of them since the last run. Null without an earlier run.
                  type: int
                  returned: always
                reset:
                  description: Whether the counter went down since the last run, so that all failures are new.
                  type: bool
                  returned: always
                unit:
                  description: The unit of the counter, one of C(bytes), C(pages) and C(items).
                  type: str
                  returned: always
                held_bytes:
                  description: C(held) in bytes. Null for items.
                  type: int
                  returned: always
                maxheld_bytes:
                  description: C(maxheld) in bytes. Null for items.
                  type: int
                  returned: always
                barrier_bytes:
                  description: C(barrier) in bytes. Null for items.
                  type: int
                  returned: always
                limit_bytes:
                  description: C(limit) in bytes. Null for items.
                  type: int
                  returned: always
                ceiling:
                  description:
                    - Which column stops the resource first, C(barrier) or C(limit).
                    - Null for guarantees, for accounting only, and for what is unlimited.
                  type: str
                  returned: always
                used_ratio:
                  description: C(held) divided by the column that C(ceiling) names. Null without one.
                  type: float
                  returned: always
            at_risk:
              description:
                - The resources that failed or are near their limit, those that failed first.
                - Each has the keys of a resource besides those below.
              type: list
              elements: dict
              returned: always
              contains:
                resource:
                  description: The kernel's name of the counter.
                  type: str
                  returned: always
                causes:
                  description: The causes, any of C(failed) and C(near_limit).
                  type: list
                  elements: str
                  returned: always
                reason:
                  description: The cause as a sentence with its numbers.
                  type: str
                  returned: always
          sample:
            "101":
              resources:
                shmpages:
                  held: 247122
                  maxheld: 262144
                  barrier: 262144
                  limit: 262144
                  failcnt: 10067
                  failcnt_delta: null
                  reset: false
                  unit: pages
                  held_bytes: 1012211712
                  maxheld_bytes: 1073741824
                  barrier_bytes: 1073741824
                  limit_bytes: 1073741824
                  ceiling: limit
                  used_ratio: 0.9427
              at_risk:
                - resource: shmpages
                  causes:
                    - failed
                    - near_limit
                  reason: >-
                    shmpages: 247122 pages (965.3 MiB) held, 94 % of its limit of 262144 pages (1 GiB);
                    10067 requests were refused since the container started.
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._host.beancounters import DEFAULT_PATH, gather


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "default": DEFAULT_PATH},
            "page_size": {"type": "int"},
            "near_limit": {"type": "float", "default": 0.9},
            "state_path": {"type": "path"},
        },
        supports_check_mode=True,
    )
    near_limit, page_size = module.params["near_limit"], module.params["page_size"]
    if not 0 < near_limit <= 1:
        module.fail_json(msg=f"near_limit is {near_limit}: give a share greater than 0 and at most 1, such as 0.9.")
    if page_size is not None and not 512 <= page_size <= 2**21:
        module.fail_json(msg=f"page_size is {page_size}: give the bytes of one page, such as 4096.")
    facts, warnings = gather(
        module.params["path"],
        page_size or os.sysconf("SC_PAGE_SIZE"),
        near_limit,
        module.params["state_path"],
        write_state=not module.check_mode,
    )
    for warning in warnings:
        module.warn(warning)
    module.exit_json(changed=False, ansible_facts={"phpops_beancounters": facts})


if __name__ == "__main__":
    main()
