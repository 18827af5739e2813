#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: site_slot
short_description: Brings PHP sites to their configuration by a slot flip that loses no request
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Each site has two slots, blue and green. A slot is a PHP-FPM master of its own, with its own unit, socket, ini
    files and OPcache segment. The symlink V(/var/lib/phpops/SITE/ptr/live) names the slot that takes the traffic.
  - A change starts the idle slot with the new configuration, primes and checks it, renames the symlink, waits until
    the old slot has nothing left to do, and stops that. A live master is never restarted, no web server reloaded.
  - What fails before the rename leaves the live slot untouched and the idle one stopped, without files.
  - A flip is refused before anything is touched where an enabled file of Apache or nginx keeps connections to the
    site's socket open (C(enablereuse=on), C(keepalive) with C(fastcgi_keep_conn on)), or serves its files through the
    symlink and would not follow it, or not anew (C(SymLinksIfOwnerMatch), C(disable_symlinks), C(open_file_cache)).
    The message names file, line and cure. Files that only an C(Include) below a server's own block reads are not seen.
  - A run that was killed at any step is finished or undone by the next run.
  - A site that is being deployed is left alone, and the deploy named. A site that a deploy gave a release keeps it.
    Another O(sites[].document_root) is then refused. A slot that a deploy keeps warm is ended by the next flip.
  - Nothing happens when the live slot's files are as they should be and its master runs.
  - The module needs C(become). It changes Debian 12 and 13, with PHP 8.2 or 8.4, and refuses other hosts.
  - The values of O(sites[].environment) are stored in files that root and the site's group can read. They are
    not shown in the diff or in the result. Set C(no_log) on the task to keep them out of the log of module arguments.
extends_documentation_fragment:
  - phpops.webhost.site.several
attributes:
  check_mode:
    description: The module says what it would do, and why, and changes nothing.
    support: full
  diff_mode:
    description: The module shows each file of the live slot against the file that replaces it.
    support: full
  platform:
    description: The module runs on Debian 12 and 13 with systemd.
    support: full
    platforms: debian
options:
  state:
    description:
      - V(present) brings the sites to their options.
      - V(absent) removes all that they had. It refuses while Apache's or nginx's configuration names the site's files.
    type: str
    choices: [present, absent]
    default: present
  prime:
    description: Whether entry points are requested from the idle slot before the switch.
    type: bool
    default: true
  force:
    description: Whether to flip to a new master although nothing differs, for instance after an update of PHP.
    type: bool
    default: false
  drain_timeout_seconds:
    description: Seconds to wait until the old slot has nothing left to do.
    type: float
    default: 120
  kill_stuck:
    description:
      - Whether workers that are still busy then are killed.
      - Otherwise the old slot stays up, the result names its workers, and the task fails.
    type: bool
    default: false
  start_timeout_seconds:
    description: Seconds to wait until a master is ready.
    type: float
    default: 60
  on_error:
    description: Whether a site that fails ends the run, or the others are done all the same. The task fails with both.
    type: str
    choices: [stop, continue]
    default: stop
  budget_override:
    description: Whether a master may start although its shared memory does not fit the host's limits.
    type: bool
seealso:
  - module: phpops.webhost.slot_facts
  - module: phpops.webhost.slot_prepare
"""

EXAMPLES = r"""
- name: Give the wiki a PHP-FPM master of its own
  phpops.webhost.site_slot:
    sites:
      - name: wiki
        user: wiki
        php_version: "8.2"
        document_root: /srv/wiki/public
        opcache:
          opcache.memory_consumption: "64"
        entry_points:
          - path: /index.php
            contains: Main page
  become: true

- name: Change the size of its segment and nothing else
  phpops.webhost.site_slot:
    sites:
      - name: wiki
        opcache:
          opcache.memory_consumption: "32"
  become: true

- name: Remove the site from PHP-FPM
  phpops.webhost.site_slot:
    sites:
      - name: wiki
    state: absent
  become: true
"""

RETURN = r"""
sites:
  description: What was done for each site, in their order.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The site's name.
      type: str
      returned: always
    changed:
      description: Whether something was changed, or would be in check mode.
      type: bool
      returned: always
    failed:
      description: Whether the site could not be brought to its options.
      type: bool
      returned: always
    step:
      description: The step that failed, empty when none did.
      type: str
      returned: always
      sample: ready
    msg:
      description: One sentence that says why, empty when all is well.
      type: str
      returned: always
    reasons:
      description: Why a flip was needed.
      type: list
      elements: str
      returned: always
      sample: ["opcache.memory_consumption 64 → 32"]
    missing:
      description: In check mode, what the host still lacks for the site.
      type: list
      elements: str
      returned: always
    live_slot:
      description: The slot that takes the traffic now, null when the site has none.
      type: str
      returned: always
      sample: green
    previous_slot:
      description: The slot that took the traffic before, null without a flip.
      type: str
      returned: always
      sample: blue
    flipped:
      description: Whether the traffic goes to a new master.
      type: bool
      returned: always
    unit:
      description: The unit of the live slot's master.
      type: str
      returned: always
      sample: phpops-fpm@wiki-green.service
    master_pid:
      description: The process of the live slot's master.
      type: int
      returned: always
    socket:
      description: The socket as a web server names it.
      type: str
      returned: always
      sample: /var/lib/phpops/wiki/ptr/live/php.sock
    segment_bytes:
      description: The size of the OPcache segment that the live master really has, null when there is none.
      type: int
      returned: always
      sample: 33554432
    prime:
      description: >-
        The requests that primed the slot, as M(phpops.webhost.opcache_prime) returns them, null without a flip. A cache
        that is too small is told in C(msg) and is no failure.
      type: dict
      returned: always
      sample:
        seconds: 0.31
        requests: 2
        root: /srv/wiki/public
        entry_points:
          - path: /index.php
            status: 200
            first_seconds: 0.24
            last_seconds: 0.06
    workers:
      description: The workers of the live slot and of the idle one just before the switch, null without a flip.
      type: dict
      returned: always
      sample: {"live": 4, "idle": 4}
    drain:
      description: How the old slot came to an end; stuck names its busy workers, killed those that were killed.
      type: dict
      returned: always
      sample: {"finished": true, "seconds": 0.41, "queue": 0, "active": 0, "stuck": [], "killed": []}
    budget:
      description: What the host's budget said, null when no master was to start.
      type: dict
      returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot import Settings
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_run import apply_sites
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_spec import SITE_OPTIONS, strings_of
from ansible_collections.phpops.webhost.plugins.module_utils._host.support import refusal
from ansible_collections.phpops.webhost.plugins.module_utils._host.systemd import runner


def main():
    module = AnsibleModule(
        argument_spec={
            "sites": {"type": "list", "elements": "dict", "required": True, "options": SITE_OPTIONS},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "prime": {"type": "bool", "default": True},
            "force": {"type": "bool", "default": False},
            "drain_timeout_seconds": {"type": "float", "default": 120.0},
            "kill_stuck": {"type": "bool", "default": False},
            "start_timeout_seconds": {"type": "float", "default": 60.0},
            "on_error": {"type": "str", "choices": ["stop", "continue"], "default": "stop"},
            "budget_override": {"type": "bool"},
        },
        supports_check_mode=True,
    )
    options = module.params
    refused = refusal()
    if refused:
        module.fail_json(msg=refused, sites=[])
    settings = Settings(
        prime=options["prime"],
        drain_timeout_seconds=options["drain_timeout_seconds"],
        kill_stuck=options["kill_stuck"],
        start_timeout_seconds=options["start_timeout_seconds"],
        budget_override=bool(options["budget_override"]),
        force=options["force"],
        check_mode=module.check_mode,
    )
    sites = [strings_of(site) for site in options["sites"]]
    result = apply_sites(sites, options["state"], runner(module.run_command), settings, options["on_error"] == "stop")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
