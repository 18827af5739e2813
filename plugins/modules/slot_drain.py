#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: slot_drain
short_description: End the slot of a PHP site that was live before
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - The last phase of a deploy, after M(phpops.webhost.slot_switch). The slot that is not live is watched until its
    accept queue is empty and no worker is busy, twice in a row. Then it is stopped, or kept warm for a way back.
  - A slot that is still busy in the end stays up. The result names its workers, and the task does not fail. The next
    deploy drains it again.
  - A slot that waits for a switch is left alone.
  - The module needs C(become). It changes Debian 12 and 13, with PHP 8.2 or 8.4, and refuses other hosts.
attributes:
  check_mode:
    description: The module says whether there is a slot to end, and changes nothing.
    support: full
  diff_mode:
    description: No file changes.
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
    description: The id under which M(phpops.webhost.site_lease) holds the site. Without it no deploy may hold it.
    type: str
  timeout_seconds:
    description: Seconds to wait until the slot has nothing left to do.
    type: float
    default: 120
  kill_stuck:
    description: Whether workers that are still busy then are killed.
    type: bool
    default: false
  keep_warm_seconds:
    description:
      - Seconds that the drained slot stays up, so that a rollback is the switch alone. A transient systemd timer stops
        it then, unless it is live. V(0) stops it at once.
    type: float
    default: 0
  slice_seconds:
    description:
      - Return after this many seconds with RV(pending=true), to be called again with O(carry). V(0) waits till the end.
    type: float
    default: 0
  carry:
    description: What the call before returned as RV(carry).
    type: dict
    default: {}
seealso:
  - module: phpops.webhost.slot_switch
"""

EXAMPLES = r"""
- name: End the slot that was live before
  phpops.webhost.slot_drain:
    site: wiki
    keep_warm_seconds: 300
  become: true
"""

RETURN = r"""
finished:
  description: Whether the slot has nothing left to do. Also true when there is no slot to end.
  returned: always
  type: bool
stopped:
  description: Whether the slot was stopped, or would be in check mode.
  returned: always
  type: bool
warm_seconds:
  description: How long the slot stays up for a rollback, V(0) when it does not.
  returned: always
  type: float
seconds:
  description: How long the drain took.
  returned: always
  type: float
queue:
  description: How many connections were waiting at the last look.
  returned: always
  type: int
active:
  description: How many workers were busy at the last look.
  returned: always
  type: int
stuck:
  description: The workers that were busy at the last look, empty when the drain has finished.
  returned: always
  type: list
  elements: dict
  contains:
    pid:
      description: The worker's process.
      type: int
      returned: always
    script:
      description: The script that it runs.
      type: str
      returned: always
    seconds:
      description: How long its request runs.
      type: float
      returned: always
killed:
  description: The workers that were killed, as in RV(stuck).
  returned: always
  type: list
  elements: dict
pending:
  description: Whether the drain goes on, with O(slice_seconds).
  returned: always
  type: bool
progress:
  description: How far it is, empty unless RV(pending=true).
  returned: always
  type: str
carry:
  description: What the next call needs, empty unless RV(pending=true).
  returned: always
  type: dict
msg:
  description: One sentence about what was left or failed, empty when all is well.
  returned: always
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_drain
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_base import Settings
from ansible_collections.phpops.webhost.plugins.module_utils._host.support import refusal
from ansible_collections.phpops.webhost.plugins.module_utils._host.systemd import runner


def main():
    module = AnsibleModule(
        argument_spec={
            "site": {"type": "str", "required": True},
            "deploy_id": {"type": "str"},
            "timeout_seconds": {"type": "float", "default": 120.0},
            "kill_stuck": {"type": "bool", "default": False},
            "keep_warm_seconds": {"type": "float", "default": 0.0},
            "slice_seconds": {"type": "float", "default": 0.0},
            "carry": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    options = module.params
    refused = refusal()
    if refused:
        module.fail_json(msg=refused)
    settings = Settings(
        drain_timeout_seconds=options["timeout_seconds"],
        kill_stuck=options["kill_stuck"],
        check_mode=module.check_mode,
    )
    warm, part, carry = options["keep_warm_seconds"], options["slice_seconds"], options["carry"]
    module.exit_json(
        **slot_drain.drain(
            options["site"], options["deploy_id"], warm, part, carry, runner(module.run_command), settings
        )
    )


if __name__ == "__main__":
    main()
