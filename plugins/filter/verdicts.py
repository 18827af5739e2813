# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: verdicts
short_description: Judge the facts of a host and name its problems, worst first
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Takes the facts that the modules of this collection gathered and returns one verdict per problem.
  - Each verdict has a severity, one sentence, the numbers behind it and what cures it.
  - Facts that are missing or could not be read are named in verdicts of severity V(info).
options:
  _input:
    description:
      - A dictionary such as C(ansible_facts), with any of C(phpops_shm), C(phpops_slab), C(phpops_beancounters),
        C(phpops_oom), C(phpops_oom_policy), C(phpops_php_sites), C(phpops_slot) and C(phpops_opcache).
      - C(budget) may hold what M(phpops.webhost.memory_budget_info) returned.
    type: dict
    required: true
  near_limit:
    description: The share of a beancounter's limit, or of a limit on reserved memory, that counts as near.
    type: float
    default: 0.9
  memory_near_limit:
    description: The share of a memory cgroup's limit, or of RAM, that counts as near.
    type: float
    default: 0.95
  tmpfs_near_full:
    description: The share of a tmpfs that counts as nearly full.
    type: float
    default: 0.85
  dentry_slab_share:
    description: The dentry cache counts as large from this share of all slab caches on.
    type: float
    default: 0.4
  dentry_memory_share:
    description: It must also hold this share of the host's memory.
    type: float
    default: 0.05
  dentry_memory_share_critical:
    description: From this share of the host's memory on the dentry cache is critical.
    type: float
    default: 0.25
  own_segments:
    description: How many php-cgi processes with an OPcache segment of their own make a verdict.
    type: int
    default: 2
  own_segments_share_critical:
    description: From this share of the smallest limit on reserved memory on these segments are critical.
    type: float
    default: 0.5
  kept_php_cgi:
    description: How many idle php-cgi that C(mod_fcgid) keeps for ever, of all sites together, make a verdict.
    type: int
    default: 6
  worker_bytes:
    description: How many bytes of private memory a master's workers, or C(php-cgi), hold on average for a verdict.
    type: int
    default: 268435456
  swap_near_full:
    description: The share of the swap in use that counts as nearly full.
    type: float
    default: 0.9
  opcache_near_full:
    description:
      - The share of OPcache's memory that is taken, waste included, from which on it counts as nearly full.
      - A cache that is full and does not restart is critical whatever is set here.
    type: float
    default: 0.95
  opcache_keys_near_full:
    description:
      - The share of OPcache's keys in use that counts as nearly full.
    type: float
    default: 0.9
  opcache_strings_near_full:
    description:
      - The share of OPcache's buffer of interned strings in use that counts as full.
    type: float
    default: 0.95
  opcache_wasted:
    description:
      - The share of OPcache that scripts take which are no longer valid, from which on it is a verdict.
    type: float
    default: 0.1
  opcache_restarts:
    description:
      - How many restarts of OPcache make a verdict, those for lack of room and those that were asked for each.
    type: int
    default: 1
  opcache_oversized:
    description:
      - OPcache counts as too large when at most this share of it is in use.
      - At least 32 MiB must be to spare.
    type: float
    default: 0.25
  opcache_settled_seconds:
    description:
      - It must have been so long since the cache started, or restarted.
    type: int
    default: 86400
  written_php_files:
    description:
      - How many PHP files that a site wrote at run time, and that OPcache keeps, make a verdict.
    type: int
    default: 5
  max_children_reached:
    description:
      - How often all workers of a pool must have been busy for a verdict.
    type: int
    default: 1
  shared_pools:
    description:
      - How many pools under one PHP-FPM master make a verdict, at least 2.
    type: int
    default: 2
  dentry_growth:
    description:
      - The share of the host's memory that the dentry cache gains in an hour, from which on it is a verdict.
      - It takes facts with C(growth), which two runs of M(phpops.webhost.slab_facts) give.
    type: float
    default: 0.01
  removed_files_per_second:
    description:
      - How many files that are removed in a second make TMPDIR on a disk a verdict.
      - It takes facts with C(growth), which two runs of M(phpops.webhost.slab_facts) give. No kernel counts such
        files; the dentries that came since then are the least that it can be. A dentry cache that is large makes the
        verdict without it.
    type: int
    default: 10
  fragmented:
    description:
      - The share of a zone's free memory in pieces of less than 8 pages that counts as fragmented.
    type: float
    default: 0.95
  oom_kills:
    description:
      - How many kills of the OOM killer make a verdict.
    type: int
    default: 1
  shm_errors:
    description: How many refused shared memory segments in an error log make a verdict.
    type: int
    default: 1
seealso:
  - plugin: phpops.webhost.verdict_text
    plugin_type: filter
  - module: phpops.webhost.beancounters_facts
  - module: phpops.webhost.slab_facts
  - module: phpops.webhost.shm_facts
  - module: phpops.webhost.oom_policy_facts
  - module: phpops.webhost.php_sites_facts
  - module: phpops.webhost.slot_facts
  - module: phpops.webhost.opcache_facts
"""

EXAMPLES = r"""
- name: Fail on a host with a critical problem
  ansible.builtin.assert:
    that: (ansible_facts | phpops.webhost.verdicts | selectattr('severity', 'equalto', 'critical') | list) == []

- name: Judge a dump with another mark
  ansible.builtin.debug:
    msg: "{{ {'phpops_beancounters': dump} | phpops.webhost.verdicts(near_limit=0.8) }}"
"""

RETURN = r"""
_value:
  description: The verdicts, critical ones first, then warnings, then info.
  type: list
  elements: dict
  contains:
    code:
      description: The kind of problem, as one word that stays the same.
      type: str
    severity:
      description: One of V(critical), V(warning) and V(info).
      type: str
    sentence:
      description: The problem in words, with its numbers.
      type: str
    evidence:
      description: The numbers, each with C(name), C(value) and C(unit).
      type: list
      elements: dict
    cure:
      description: What to do, as C(text); C(play), C(variables) and C(tags) name the playbook, C(play) may be null.
      type: dict
"""

from typing import Any, Mapping

from ansible.errors import AnsibleFilterError
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import judge
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import BadThreshold, Thresholds


def verdicts(facts: Any, **thresholds: Any) -> list[dict[str, Any]]:
    """Return the verdicts over the facts of one host."""
    if not isinstance(facts, Mapping):
        raise AnsibleFilterError(f"verdicts got a {type(facts).__name__}: give it a dictionary such as ansible_facts.")
    try:
        return judge(facts, Thresholds.of(thresholds))
    except BadThreshold as error:
        raise AnsibleFilterError(f"verdicts: {error}") from error


class FilterModule:
    """The filter as Ansible finds it."""

    def filters(self) -> dict[str, Any]:
        return {"verdicts": verdicts}
