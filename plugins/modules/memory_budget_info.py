#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The memory budget of a host, line by line."""

from __future__ import annotations

DOCUMENTATION = r"""
module: memory_budget_info
short_description: Tells whether planned PHP-FPM masters fit into the memory of a host
description:
  - Sums up what is spent of each limit on the host's memory and what the plan adds. OPcache segments and JIT buffers of
    live masters, reservations of flips that run now, other shared segments, tmpfs mounts, masters and workers.
  - Limits are of two kinds. Those on what is reserved are OpenVZ's shmpages, and CommitLimit with
    C(vm.overcommit_memory=2). Those on what is touched are memory cgroups, physpages and the RAM.
  - A planned site takes the place of its live slots. As a flip runs both side by side, the sum at the peak counts both.
  - A tmpfs counts with its size, or with its use where the size is the system's default (no limit, half of the RAM and
    more, mounts below C(/run)).
  - A limit that can't be read is named in RV(unknown), never taken for unlimited without a word.
  - Needs C(become) to read the maps of other users' processes.
version_added: 0.1.0
author:
  - The phpops.webhost authors (@phpops)
options:
  sites:
    description: The planned masters. Without any, the budget of today is returned.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The site.
        type: str
        required: true
      segment_bytes:
        description: Its C(opcache.memory_consumption) in bytes.
        type: int
        required: true
      jit_bytes:
        description: Its JIT buffer in bytes. PHP adds it to the segment.
        type: int
        default: 0
      max_children:
        description: Its largest number of workers.
        type: int
        default: 0
      worker_bytes:
        description: Private memory of one worker in bytes. With 0 workers are not counted.
        type: int
        default: 0
      user:
        description: The user that it runs as. Sites of one user and PHP version can share a master.
        type: str
        default: ''
      php_version:
        description: Its PHP version.
        type: str
        default: ''
      min_segment_bytes:
        description: What its code needs, as measured. No way out proposes less.
        type: int
        default: 8388608
      replaces:
        description: The units that it takes over from. By default the two slots of the site.
        type: list
        elements: str
  tmpfs:
    description: Planned sizes of tmpfs mounts, mounted already or not.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: The mount point.
        type: path
        required: true
      size_bytes:
        description: Its planned size in bytes.
        type: int
        required: true
  php_cgi_leaves:
    description: Whether all php-cgi processes of the host end once the plan is carried out, as a migration makes them.
    type: bool
    default: false
  php_cgi_ends_first:
    description: How many idle php-cgi processes end before the first master starts.
    type: int
    default: 0
  busy_workers:
    description: How many workers of the host are busy at a time at most. By default all of them may be.
    type: int
  at_once:
    description: How many sites are flipped at the same time.
    type: int
    default: 1
  proc_path:
    description: The proc file system to read.
    type: path
    default: /proc
  reservations_path:
    description: The folder that holds the reservations of running flips.
    type: path
    default: /run/phpops/budget
extends_documentation_fragment:
  - phpops.webhost.attributes.reads
seealso:
  - module: phpops.webhost.shm_facts
"""

EXAMPLES = r"""
- name: Ask whether two sites fit
  phpops.webhost.memory_budget_info:
    sites:
      - name: wiki
        segment_bytes: 100663296
        max_children: 5
        worker_bytes: 31457280
      - name: blog
        segment_bytes: 67108864
  become: true
  register: budget

- name: Show the sum, and the ways out if there is too little
  ansible.builtin.debug:
    msg: "{{ budget.message }}"
"""

RETURN = r"""
fits:
  description: Whether the plan fits at the peak and afterwards.
  returned: success
  type: bool
  sample: true
fits_after:
  description: Whether it fits once everything is done and what is replaced has ended.
  returned: success
  type: bool
  sample: true
short_bytes:
  description: How much is lacking at the tightest limit. 0 when the plan fits.
  returned: success
  type: int
  sample: 0
headroom_bytes:
  description: What is left at the tightest limit, negative when it is short. Null when no limit was found.
  returned: success
  type: int
  sample: 436207616
message:
  description: The verdict in words, with the sum, the ways out that suffice, and what is not known.
  returned: success
  type: str
  sample: "The memory budget fits: ram allows 1 GiB, at the peak 600 MiB are spent (rest of ram 600 MiB)."
unknown:
  description: Sentences about limits and processes that could not be read.
  returned: success
  type: list
  elements: str
  sample: []
lines:
  description: The budget, line by line. The lines of one limit add up to its C(peak_bytes) and C(after_bytes).
  returned: success
  type: list
  elements: dict
  contains:
    name: {description: "What spends the memory.", returned: success, type: str}
    kind:
      description: One of opcache, jit, flip, anonymous, sysv, memfd, hugetlb, tmpfs, reservation, master, worker, cgi
        and rest.
      returned: success
      type: str
    limits: {description: "Names of the limits that it counts against.", returned: success, type: list, elements: str}
    bytes: {description: "What it takes at the peak.", returned: success, type: int}
    after_bytes: {description: "What it takes afterwards.", returned: success, type: int}
    source: {description: "Where the number comes from.", returned: success, type: str}
limits:
  description: The limits that hold for the whole host.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: One of shmpages, physpages, commit_limit, memory_cgroup and ram, with the path where two have one
        name.
      returned: success
      type: str
    kind: {description: "Either reserved or touched.", returned: success, type: str}
    path: {description: "The file or folder that it was read from.", returned: success, type: str}
    limit_bytes:
      description: The limit. Null is unlimited, or unknown where C(readable) is false.
      returned: success
      type: int
    used_bytes: {description: "What the kernel counts as used now.", returned: success, type: int}
    peak_bytes: {description: "What the lines come to at the peak.", returned: success, type: int}
    after_bytes: {description: "What they come to afterwards.", returned: success, type: int}
    headroom_bytes:
      description: What is left at the worse of the two moments, negative when it is short.
      returned: success
      type: int
    fits: {description: "Whether it is kept.", returned: success, type: bool}
    readable: {description: "Whether it could be read.", returned: success, type: bool}
    reason: {description: "Why not.", returned: success, type: str}
    source: {description: "What was read.", returned: success, type: str}
ways_out:
  description: What would make it fit. Changes that suffice come first, the cheapest of them first.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: One of no_jit, end_idle_php_cgi, smaller_segments, fewer_workers, smaller_tmpfs, shared_master and
        combined.
      returned: success
      type: str
    text: {description: "What to do, in words.", returned: success, type: str}
    saves_bytes: {description: "How much less is lacking then.", returned: success, type: int}
    fits: {description: "Whether this alone suffices.", returned: success, type: bool}
    sites: {description: "The new values of each site that changes.", returned: success, type: dict}
    php_cgi_ends_first:
      description: How many php-cgi processes to end before the first master starts.
      returned: success
      type: int
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._core.budget import PlannedSite, judge
from ansible_collections.phpops.webhost.plugins.module_utils._core.budget_model import MIN_SEGMENT_BYTES
from ansible_collections.phpops.webhost.plugins.module_utils._host.budget import measure
from ansible_collections.phpops.webhost.plugins.module_utils._host.memory import Paths
from ansible_collections.phpops.webhost.plugins.module_utils._host.reservation import FOLDER, reservations

SITE_OPTIONS = {
    "name": {"type": "str", "required": True},
    "segment_bytes": {"type": "int", "required": True},
    "jit_bytes": {"type": "int", "default": 0},
    "max_children": {"type": "int", "default": 0},
    "worker_bytes": {"type": "int", "default": 0},
    "user": {"type": "str", "default": ""},
    "php_version": {"type": "str", "default": ""},
    "min_segment_bytes": {"type": "int", "default": MIN_SEGMENT_BYTES},
    "replaces": {"type": "list", "elements": "str"},
}
TMPFS_OPTIONS = {"path": {"type": "path", "required": True}, "size_bytes": {"type": "int", "required": True}}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "sites": {"type": "list", "elements": "dict", "default": [], "options": SITE_OPTIONS},
            "tmpfs": {"type": "list", "elements": "dict", "default": [], "options": TMPFS_OPTIONS},
            "php_cgi_leaves": {"type": "bool", "default": False},
            "php_cgi_ends_first": {"type": "int", "default": 0},
            "busy_workers": {"type": "int"},
            "at_once": {"type": "int", "default": 1},
            "proc_path": {"type": "path", "default": "/proc"},
            "reservations_path": {"type": "path", "default": FOLDER},
        },
        supports_check_mode=True,
    )
    options = module.params
    sites = [
        PlannedSite(**{**site, "replaces": None if site["replaces"] is None else tuple(site["replaces"])})
        for site in options["sites"]
    ]
    try:
        verdict = judge(
            measure(Paths(proc=options["proc_path"])),
            sites,
            reservations=reservations(options["reservations_path"], options["proc_path"]),
            tmpfs={mount["path"]: mount["size_bytes"] for mount in options["tmpfs"]},
            php_cgi_leaves=options["php_cgi_leaves"],
            php_cgi_ends_first=options["php_cgi_ends_first"],
            busy_workers=options["busy_workers"],
            at_once=options["at_once"],
        )
    except ValueError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **verdict.as_dict())


if __name__ == "__main__":
    main()
