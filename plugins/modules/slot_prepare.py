#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: slot_prepare
short_description: Bring the idle slot of a PHP site up with a release
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - The first phase of a deploy. The idle slot gets the release, the memory budget is claimed for it, its PHP-FPM
    configuration is checked, its master started, and a request to it works. The live slot goes on and is not touched.
  - M(phpops.webhost.opcache_prime) may follow, then M(phpops.webhost.slot_switch) and M(phpops.webhost.slot_drain).
  - A slot that waits for its switch is stopped by a transient systemd timer after an hour.
  - What fails leaves the live slot untouched and the idle one stopped, without files.
  - What the host lacks, memory included, and what a web server's configuration would spoil, is refused before anything
    is touched. The memory of a slot that is kept warm counts as free, since it ends first.
  - A run that was killed at any step is finished or undone by the next one. So a live slot whose master is down is
    started, and an old slot that was not stopped is drained, also when no release has to be brought up.
  - A site with a release has OPcache's directives for code that never changes, unless O(site.opcache) says otherwise.
  - The module needs C(become). It changes Debian 12 and 13, with PHP 8.2 or 8.4, and refuses other hosts.
  - Set C(no_log) on the task to keep the values of O(site.environment) out of the log of module arguments.
extends_documentation_fragment:
  - phpops.webhost.site.one
attributes:
  check_mode:
    description: The module says what it would do, and why, and changes nothing. The release need not exist.
    support: full
  diff_mode:
    description: The module shows each file of the live slot against the file of the idle one.
    support: full
  platform:
    description: The module runs on Debian 12 and 13 with systemd.
    support: full
    platforms: debian
options:
  release:
    description: The release, as M(phpops.webhost.site_release) returns it. O(action=deploy) needs it.
    type: dict
    suboptions:
      id:
        description: Its id.
        type: str
        required: true
      path:
        description: Its directory.
        type: path
        required: true
      public:
        description: The folder of it that is served, relative to O(release.path); empty for all of it.
        type: str
        default: ""
  action:
    description:
      - V(deploy) brings O(release) up.
      - V(rollback) brings the release up that was live before the live one, with the options that the site has. It is
        chosen by the live slot's own history. When its slot is still kept warm, nothing is started.
      - V(roll) brings up what is live in a new master, for instance after an update of PHP or with another
        O(site.php_version).
    type: str
    choices: [deploy, rollback, roll]
    default: deploy
  mode:
    description:
      - V(flip) leaves the live slot up.
      - V(classic) drains and stops it first, for a host that gets no traffic. Memory is needed for one master only.
    type: str
    choices: [flip, classic]
    default: flip
  web_server:
    description:
      - The server whose virtual host of the site is written anew by M(phpops.webhost.site_vhost) before the switch.
      - What that file says now is then not judged; other files that name the site are.
    type: str
    choices: [none, apache, nginx]
    default: none
  force:
    description: Whether to bring up a new master although this release is live and nothing differs.
    type: bool
    default: false
  deploy_id:
    description: The id under which M(phpops.webhost.site_lease) holds the site. Without it no deploy may hold it.
    type: str
  state:
    description:
      - V(prepared) brings the idle slot up.
      - V(discarded) stops the slot that waits for a switch, and removes its files. It starts the live slot when that
        is down. A slot that is kept warm stays.
    type: str
    choices: [prepared, discarded]
    default: prepared
  start_timeout_seconds:
    description: Seconds to wait until a master is ready.
    type: float
    default: 60
  drain_timeout_seconds:
    description: Seconds to wait until a slot that has to end has nothing left to do.
    type: float
    default: 120
  kill_stuck:
    description: Whether workers that are still busy then are killed. Otherwise the task fails and names them.
    type: bool
    default: false
  budget_override:
    description: Whether a master may start although its shared memory does not fit the host's limits.
    type: bool
seealso:
  - module: phpops.webhost.slot_switch
  - module: phpops.webhost.slot_drain
  - module: phpops.webhost.site_slot
"""

EXAMPLES = r"""
- name: Bring a release up beside the live one
  phpops.webhost.slot_prepare:
    site:
      name: wiki
      user: wiki
      php_version: "8.2"
      entry_points:
        - path: /index.php
          contains: Main page
    release:
      id: 3f2a9c81d0b7
      path: /srv/www/wiki/releases/3f2a9c81d0b7
      public: public
  become: true

- name: Bring up what was live before
  phpops.webhost.slot_prepare:
    site:
      name: wiki
    action: rollback
  become: true
"""

RETURN = r"""
prepared:
  description: Whether a slot waits for M(phpops.webhost.slot_switch), or would in check mode.
  returned: always
  type: bool
warm:
  description: Whether that slot was up already, as it was when it was live, so that it needs no priming.
  returned: always
  type: bool
slot:
  description: The slot that waits, null when none does.
  returned: always
  type: str
  sample: green
live_slot:
  description: The slot that takes the traffic, null for a new site.
  returned: always
  type: str
  sample: blue
release:
  description: The release that was asked for, null for a roll of a site without releases.
  returned: always
  type: dict
  contains:
    id:
      description: Its id.
      type: str
      returned: always
    path:
      description: Its directory.
      type: str
      returned: always
    history:
      description: The ids that were live before it, the oldest first.
      type: list
      elements: str
      returned: always
  sample:
    id: 3f2a9c81d0b7
    path: /srv/www/wiki/releases/3f2a9c81d0b7
    history: [90be4f7c2a11]
live_release:
  description: The id of the live release, null when there is none.
  returned: always
  type: str
  sample: 90be4f7c2a11
reasons:
  description: Why a new master is needed.
  returned: always
  type: list
  elements: str
  sample: ["release 90be4f7c2a11 → 3f2a9c81d0b7"]
missing:
  description: In check mode, what the host still lacks for the site, and what its web server would spoil.
  returned: always
  type: list
  elements: str
budget:
  description: What the host's budget said, null when no master was to start.
  returned: always
  type: dict
unit:
  description: The unit of the waiting slot's master, null when none waits.
  returned: always
  type: str
  sample: phpops-fpm@wiki-green.service
socket:
  description: The waiting slot's own socket, null when none waits.
  returned: always
  type: str
  sample: /run/phpops/web/wiki-green.sock
segment_bytes:
  description: The size of the OPcache segment that the waiting master really has, null when there is none.
  returned: always
  type: int
  sample: 33554432
step:
  description: The step that failed, empty when none did.
  returned: always
  type: str
  sample: check
msg:
  description: One sentence that says why, empty when all is well.
  returned: always
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_phases
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_base import Settings
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_spec import SITE_OPTIONS, strings_of
from ansible_collections.phpops.webhost.plugins.module_utils._host.support import refusal
from ansible_collections.phpops.webhost.plugins.module_utils._host.systemd import runner

RELEASE_OPTIONS = {
    "id": {"type": "str", "required": True},
    "path": {"type": "path", "required": True},
    "public": {"type": "str", "default": ""},
}


def main():
    module = AnsibleModule(
        argument_spec={
            "site": {"type": "dict", "required": True, "options": SITE_OPTIONS},
            "release": {"type": "dict", "options": RELEASE_OPTIONS},
            "action": {"type": "str", "choices": ["deploy", "rollback", "roll"], "default": "deploy"},
            "mode": {"type": "str", "choices": ["flip", "classic"], "default": "flip"},
            "web_server": {"type": "str", "choices": ["none", "apache", "nginx"], "default": "none"},
            "force": {"type": "bool", "default": False},
            "deploy_id": {"type": "str"},
            "state": {"type": "str", "choices": ["prepared", "discarded"], "default": "prepared"},
            "start_timeout_seconds": {"type": "float", "default": 60.0},
            "drain_timeout_seconds": {"type": "float", "default": 120.0},
            "kill_stuck": {"type": "bool", "default": False},
            "budget_override": {"type": "bool"},
        },
        supports_check_mode=True,
    )
    options = module.params
    refused = refusal(options["site"]["php_version"])
    if refused:
        module.fail_json(msg=refused)
    settings = Settings(
        drain_timeout_seconds=options["drain_timeout_seconds"],
        kill_stuck=options["kill_stuck"],
        start_timeout_seconds=options["start_timeout_seconds"],
        budget_override=bool(options["budget_override"]),
        force=options["force"] or options["action"] == "roll",
        classic=options["mode"] == "classic",
        web_server=options["web_server"],
        check_mode=module.check_mode,
    )
    site, run, deploy_id = strings_of(options["site"]), runner(module.run_command), options["deploy_id"]
    if options["state"] == "discarded":
        module.exit_json(**slot_phases.discard(site["name"], deploy_id, run, settings))
    module.exit_json(**slot_phases.prepare(site, options["release"], options["action"], deploy_id, run, settings))


if __name__ == "__main__":
    main()
