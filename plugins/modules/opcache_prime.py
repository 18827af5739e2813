#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: opcache_prime
short_description: Fills the OPcache of a PHP-FPM master by real requests and checks their answers
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Asks for a site's entry points by FastCGI, straight at the socket of one PHP-FPM master, before traffic reaches it.
    No web server is needed.
  - The scripts have the paths by which live traffic names them, so that the same keys of the cache are filled.
  - The entry points are asked for in rounds, until a round adds neither scripts nor keys to the cache, or a bound is
    reached. There are two rounds at least, so that the second answer shows what a visitor waits for.
  - The module fails, and says in one sentence why, when an answer has another status than it should, lacks its text,
    shows a fatal error of PHP or does not come in time.
  - It also fails when the cache is full, was restarted, or is filled above the marks. The sentence tells how many bytes
    or keys are needed, how many there are, and which directive to raise.
  - OPcache's figures come from a small script that is placed in the slot's folder, which root owns, and removed again.
    In a cache that never looks at the times of files it takes one key and 3 KiB, once for each master. Elsewhere it is
    not kept. It is not counted.
  - Without OPcache, the entry points are asked for twice and the figures are null.
  - While it runs, the person who watches is told every few seconds how long it has run and what is waited for.
  - A site's slot needs C(become). A pool needs the right to connect to its socket, and C(become) for the figures.
  - The values of O(entry_points[].headers) are not in the result. Set C(no_log) on the task to keep them out of the log
    of module arguments.
extends_documentation_fragment:
  - phpops.webhost.entry_points
attributes:
  check_mode:
    description: Nothing is asked for. The result says what would be.
    support: full
  diff_mode:
    description: The module changes no file that could be shown.
    support: none
  platform:
    description: The module runs on every Linux; slots are on Debian 12 and 13.
    support: full
    platforms: linux
options:
  site:
    description: The site of the slot to prime, as M(phpops.webhost.site_slot) made it.
    type: str
  slot:
    description: The slot to prime, by default the one that is not live.
    type: str
    choices: [blue, green]
  socket:
    description: The socket of a PHP-FPM pool that is no slot.
    type: path
  root:
    description: The document root of that pool's site, as its web server names it.
    type: path
  concurrency:
    description: The most requests at a time, and never more than the slot has workers.
    type: int
    default: 2
  rounds:
    description: The most rounds.
    type: int
    default: 10
  timeout_seconds:
    description:
      - Seconds after which no further request is begun.
      - This fails only when not every entry point was asked for once.
    type: float
    default: 120
  request_timeout_seconds:
    description: Seconds to wait for one answer.
    type: float
    default: 60
  memory_ratio_max:
    description: The part of the cache's memory that may be taken.
    type: float
    default: 0.95
  keys_ratio_max:
    description: The part of the cache's keys that may be taken.
    type: float
    default: 0.95
  deploy_id:
    description: The id of the deploy that holds the site's lease, see M(phpops.webhost.site_lease).
    type: str
  slice_seconds:
    description:
      - Seconds after which the call ends, when the requests in flight have their answers.
      - It then returns RV(pending) and RV(carry), and a call with that O(carry) goes on from there. Tasks need none of
        this, for they are cut into slices by themselves, of 3 seconds unless this says otherwise. V(0) is one call.
    type: float
    default: 0
  carry:
    description: The RV(carry) of the call that this one goes on from.
    type: dict
    default: {}
seealso:
  - module: phpops.webhost.site_slot
  - module: phpops.webhost.opcache_size_info
"""

EXAMPLES = r"""
- name: Fill the cache of the slot that is not live
  phpops.webhost.opcache_prime:
    site: wiki
  become: true

- name: Fill the cache of a pool of the distribution
  phpops.webhost.opcache_prime:
    socket: /run/php/php8.2-fpm.sock
    root: /var/www/html
    entry_points:
      - path: /index.php
        contains: Welcome
      - path: /articles/first
        script: /index.php
        host: www.example.org
  become: true
"""

RETURN = r"""
pending:
  description: Whether the slice ended before the priming; tasks always see false.
  type: bool
  returned: always
progress:
  description: One sentence for the person who watches, empty when nothing is pending.
  type: str
  returned: always
  sample: "wiki: priming 6 s, round 3, 412 scripts, waiting for /slow.php"
carry:
  description: What the next call needs to go on, empty when nothing is pending.
  type: dict
  returned: always
seconds:
  description: How long the priming took.
  type: float
  returned: always
  sample: 4.2
rounds:
  description: The number of rounds.
  type: int
  returned: always
  sample: 3
requests:
  description: The number of requests, without those for the cache's figures.
  type: int
  returned: always
  sample: 12
stable:
  description: Whether the last round added nothing to the cache, null without figures of a cache.
  type: bool
  returned: always
root:
  description: The document root by which the scripts were named.
  type: str
  returned: always
  sample: /var/lib/phpops/wiki/ptr/live/docroot
entry_points:
  description: The entry points, in their order.
  type: list
  elements: dict
  returned: always
  contains:
    path:
      description: The path of the URL.
      type: str
      returned: always
      sample: /index.php
    query:
      description: The query string.
      type: str
      returned: always
    method:
      description: The request's method.
      type: str
      returned: always
      sample: GET
    status:
      description: The status of the last answer, null without one.
      type: int
      returned: always
      sample: 200
    first_seconds:
      description: Seconds until the first answer, from a cold cache.
      type: float
      returned: always
      sample: 0.412
    last_seconds:
      description: Seconds until the last answer.
      type: float
      returned: always
      sample: 0.031
    requests:
      description: How often it was asked for.
      type: int
      returned: always
      sample: 3
    msg:
      description: What is wrong with its answer, empty when nothing is.
      type: str
      returned: always
scripts:
  description: The number of scripts in the cache, null without figures.
  type: int
  returned: always
  sample: 412
cached_keys:
  description: The number of keys in use, null without figures. One script can have several.
  type: int
  returned: always
  sample: 498
max_keys:
  description: The number of keys that there are, null without figures.
  type: int
  returned: always
  sample: 16229
used_bytes:
  description: What scripts, strings and tables take of the cache's memory, null without figures.
  type: int
  returned: always
  sample: 33554432
free_bytes:
  description: What is free of it, null without figures.
  type: int
  returned: always
  sample: 33554432
wasted_bytes:
  description: What scripts that are no longer valid take of it, null without figures.
  type: int
  returned: always
  sample: 0
segment_bytes:
  description: The size of the segment that the master really has, null when it can't be read.
  type: int
  returned: always
  sample: 67108864
cache_full:
  description: Whether OPcache found no room for a script, null without figures.
  type: bool
  returned: always
restarts:
  description: How often the cache was restarted since the master began, null without figures.
  type: int
  returned: always
  sample: 0
msg:
  description: What went wrong, or what there is to know, in one sentence. It is empty when all is well.
  type: str
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import SLOTS, Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_prime import prime
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_spec import ENTRY_POINT_OPTIONS

LAYOUT = Layout()


def main():
    module = AnsibleModule(
        argument_spec={
            "site": {"type": "str"},
            "slot": {"type": "str", "choices": list(SLOTS)},
            "socket": {"type": "path"},
            "root": {"type": "path"},
            "entry_points": {"type": "list", "elements": "dict", "options": ENTRY_POINT_OPTIONS},
            "concurrency": {"type": "int", "default": 2},
            "rounds": {"type": "int", "default": 10},
            "timeout_seconds": {"type": "float", "default": 120},
            "request_timeout_seconds": {"type": "float", "default": 60},
            "memory_ratio_max": {"type": "float", "default": 0.95},
            # Keys of a hash table: nothing secret.
            "keys_ratio_max": {"type": "float", "default": 0.95, "no_log": False},
            "deploy_id": {"type": "str"},
            "slice_seconds": {"type": "float", "default": 0},
            "carry": {"type": "dict", "default": {}},
        },
        required_one_of=[("site", "socket")],
        mutually_exclusive=[("site", "socket"), ("site", "root"), ("slot", "socket"), ("deploy_id", "socket")],
        required_together=[("socket", "root")],
        required_by={"slot": "site", "deploy_id": "site"},
        supports_check_mode=True,
    )
    module.exit_json(**prime(module.params, LAYOUT, module.check_mode))


if __name__ == "__main__":
    main()
