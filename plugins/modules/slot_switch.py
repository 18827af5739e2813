#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: slot_switch
short_description: Let the traffic of a PHP site go to the slot that was prepared
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - The second phase of a deploy, after M(phpops.webhost.slot_prepare). One rename of a symlink switches code, static
    files and PHP together. No web server is reloaded, and requests in flight end in the slot where they began.
  - Before it, the waiting slot gets as many workers as the live one has. After it, the entry points are requested
    through the host's own web server. When one gives a wrong answer, the switch is taken back in the same call. The
    new slot is then drained, stopped and removed, and the task fails.
  - The old slot stays up until M(phpops.webhost.slot_drain).
  - A slot that nothing prepared is never switched to, so a second call does not go back by accident.
  - The module needs C(become). It changes Debian 12 and 13, with PHP 8.2 or 8.4, and refuses other hosts.
extends_documentation_fragment:
  - phpops.webhost.entry_points
attributes:
  check_mode:
    description: The module says that it would switch, and changes nothing.
    support: full
  diff_mode:
    description: The only change is which slot is live, and the result names it.
    support: none
  platform:
    description: The module runs on Debian 12 and 13 with systemd.
    support: full
    platforms: debian
options:
  site:
    description: The site's name.
    type: str
    required: true
  deploy_id:
    description:
      - The id under which M(phpops.webhost.site_lease) holds the site. Without it no deploy may hold it.
      - O(state=back) needs it, to know what this deploy has done.
    type: str
  state:
    description:
      - V(switched) switches to the slot that waits.
      - V(back) takes a switch of the same deploy back, for instance because another host's has failed. The old slot is
        live again and the new one drained, stopped and removed. A site that was new is removed.
    type: str
    choices: [switched, back]
    default: switched
  check:
    description: Whether entry points are requested through the web server after the switch.
    type: bool
    default: true
  check_url:
    description: Scheme, address and port of this host's own web server. The entry points' hosts are asked for there.
    type: str
    default: http://127.0.0.1
  drain_timeout_seconds:
    description: Seconds to wait, after a switch was taken back, until the new slot has nothing left to do.
    type: float
    default: 120
seealso:
  - module: phpops.webhost.slot_prepare
  - module: phpops.webhost.slot_drain
"""

EXAMPLES = r"""
- name: Switch to the release that was prepared
  phpops.webhost.slot_switch:
    site: wiki
  become: true

- name: Go back, because another host's check failed
  phpops.webhost.slot_switch:
    site: wiki
    deploy_id: "{{ deploy_id }}"
    state: back
  become: true
"""

RETURN = r"""
switched:
  description: Whether the traffic goes to the slot that was prepared.
  returned: always
  type: bool
live_slot:
  description: The slot that takes the traffic now, null when the site is gone.
  returned: always
  type: str
  sample: green
previous_slot:
  description: The slot that took the traffic before, null for a new site and when nothing was switched.
  returned: always
  type: str
  sample: blue
checks:
  description: The entry points as the web server gave them. The first wrong one is the last.
  returned: always
  type: list
  elements: dict
  contains:
    path:
      description: The path of the URL.
      type: str
      returned: always
    status:
      description: The status of the answer, V(0) without one.
      type: int
      returned: always
    seconds:
      description: How long the answer took.
      type: float
      returned: always
    msg:
      description: What was wrong with it, empty when it was right.
      type: str
      returned: always
first_request_seconds:
  description: How long the first request after the switch took, null when none was sent.
  returned: always
  type: float
switched_back:
  description: Whether a switch was taken back.
  returned: always
  type: bool
workers:
  description: The workers of the old slot and of the new one just before the switch, null without one.
  returned: always
  type: dict
  sample: {"live": 4, "idle": 4}
step:
  description: The step that failed, empty when none did.
  returned: always
  type: str
  sample: verify
msg:
  description: One sentence that says why, empty when all is well.
  returned: always
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_turn
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_base import Settings
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_spec import ENTRY_POINT_OPTIONS, strings_of
from ansible_collections.phpops.webhost.plugins.module_utils._host.support import refusal
from ansible_collections.phpops.webhost.plugins.module_utils._host.systemd import runner


def main():
    module = AnsibleModule(
        argument_spec={
            "site": {"type": "str", "required": True},
            "deploy_id": {"type": "str"},
            "state": {"type": "str", "choices": ["switched", "back"], "default": "switched"},
            "check": {"type": "bool", "default": True},
            "check_url": {"type": "str", "default": "http://127.0.0.1"},
            "entry_points": {"type": "list", "elements": "dict", "options": ENTRY_POINT_OPTIONS},
            "drain_timeout_seconds": {"type": "float", "default": 120.0},
        },
        required_if=[("state", "back", ("deploy_id",))],
        supports_check_mode=True,
    )
    options = module.params
    refused = refusal()
    if refused:
        module.fail_json(msg=refused)
    settings = Settings(drain_timeout_seconds=options["drain_timeout_seconds"], check_mode=module.check_mode)
    name, deploy_id, run = options["site"], options["deploy_id"], runner(module.run_command)
    if options["state"] == "back":
        module.exit_json(**slot_turn.back(name, deploy_id, run, settings))
    url = options["check_url"] if options["check"] else None
    entries = strings_of(options)["entry_points"]
    module.exit_json(**slot_turn.switch(name, deploy_id, url, entries, run, settings))


if __name__ == "__main__":
    main()
