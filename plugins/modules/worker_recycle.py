#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: worker_recycle
short_description: Lets a systemd timer ask PHP workers that grew too large to go
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Writes the settings of the program that M(phpops.webhost.host_program) installs, its service and its timer.
  - The service runs as root with the few capabilities that it needs. systemd checks both units before they are used.
  - The module needs C(become). It changes Debian 12 and 13, and refuses other hosts.
attributes:
  check_mode:
    description: The module says what it would change, and changes nothing.
    support: full
  diff_mode:
    description: The module shows the settings and both units.
    support: full
  platform:
    description: The module runs on Debian 12 and 13 with systemd.
    support: full
    platforms: debian
options:
  state:
    description: Whether the timer runs. V(absent) stops it and removes settings and units.
    type: str
    choices: [present, absent]
    default: present
  program:
    description: The program.
    type: path
    default: /usr/local/lib/phpops/worker-recycle.pyz
  threshold_bytes:
    description:
      - A worker whose private peak is above that has to go.
      - The private peak is the peak of its resident memory less the pages that it shares, such as those of OPcache.
    type: int
    default: 268435456
  share:
    description: The share of a pool's workers that may be asked in one run, 0 to 1. One always may.
    type: float
    default: 0.25
  interval_seconds:
    description: Seconds from the end of one run to the next.
    type: int
    default: 60
  sites:
    description: Sites with another threshold.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: >-
          The site's name. For a pool that is no site of this collection it is the name of the pool, for php-cgi that of
          the user.
        type: str
        required: true
      threshold_bytes:
        description: The threshold of its workers.
        type: int
        required: true
seealso:
  - module: phpops.webhost.host_program
  - module: phpops.webhost.site_memory_limit
"""

EXAMPLES = r"""
- name: Let no worker keep more than 256 MiB for itself, those of the wiki 512 MiB
  phpops.webhost.worker_recycle:
    threshold_bytes: 268435456
    sites:
      - name: wiki
        threshold_bytes: 536870912
  become: true
"""

RETURN = r"""
effect:
  description: What systemd says of the timer afterwards.
  returned: success
  type: dict
  contains:
    timer:
      description: The timer.
      type: str
      returned: always
      sample: phpops-worker-recycle.timer
    active:
      description: Whether it waits for its next run.
      type: bool
      returned: always
    enabled:
      description: Whether it starts at boot.
      type: bool
      returned: always
    last_result:
      description: How the last run ended, systemd's C(Result).
      type: str
      returned: always
      sample: success
    last_run:
      description: When it ended, null before the first.
      type: str
      returned: always
      sample: Sat 2026-11-21 14:24:22 UTC
summary:
  description: The same as a sentence.
  returned: success
  type: list
  elements: str
  sample: ["phpops-worker-recycle.timer is active and enabled; no run yet."]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.program_settings import SettingsError
from ansible_collections.phpops.webhost.plugins.module_utils._host.host_timer import absent, present, sentence
from ansible_collections.phpops.webhost.plugins.module_utils._host.recycle_timer import recycle_timer, settings_files
from ansible_collections.phpops.webhost.plugins.module_utils._host.support import refusal
from ansible_collections.phpops.webhost.plugins.module_utils._host.systemd import runner


def main():
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "program": {"type": "path", "default": "/usr/local/lib/phpops/worker-recycle.pyz"},
            "threshold_bytes": {"type": "int", "default": 268435456},
            "share": {"type": "float", "default": 0.25},
            "interval_seconds": {"type": "int", "default": 60},
            "sites": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "name": {"type": "str", "required": True},
                    "threshold_bytes": {"type": "int", "required": True},
                },
            },
        },
        supports_check_mode=True,
    )
    options = module.params
    refused = refusal()
    if refused:
        module.fail_json(msg=refused)
    change = present if options["state"] == "present" else absent
    try:
        files = settings_files(options["threshold_bytes"], options["share"], options["sites"])
        timer = recycle_timer(options["program"], options["interval_seconds"])
        placed = change(runner(module.run_command), timer, files, module.check_mode)
    except SettingsError as error:
        module.fail_json(msg=f"worker_recycle: {error}.")
    except StepFailed as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=placed.changed, effect=placed.effect, summary=[sentence(placed.effect)], diff=placed.diff)


if __name__ == "__main__":
    main()
